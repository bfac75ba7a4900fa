/* SPDX-License-Identifier: Apache-2.0 */
/* escape_probe DIR TRY: enters the sandbox of the release with DIR as its only
 * folder and port 53 as its only way out, then tries to get away.  Prints what
 * came of it: "ok", or the error.  test/api/process/sandbox.test.ts runs it. */
#include "base/crypto.h"
#include "base/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <psa/crypto.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *dir;

static const char *inside(const char *name)
{
    static char path[4096];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int open_etc(void)
{
    return open("/etc/hosts", O_RDONLY | O_CLOEXEC);
}
static int open_var(void)
{
    return open("/var/lib/dpkg/status", O_RDONLY | O_CLOEXEC);
}
static int open_proc(void)
{
    return open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
}
static int write_etc(void)
{
    return open("/etc/yagura-escape", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}
static int write_inside(void)
{
    return open(inside("kept"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}
static int link_inside(void)
{
    return symlink("/etc/shadow", inside("link"));
}
static int climb(void)
{
    return open(inside("../../../../var/lib/dpkg/status"),
                O_RDONLY | O_CLOEXEC);
}
static int run_shell(void)
{
    char *const words[] = {(char[]){"sh"}, NULL};

    return execve("/bin/sh", words, NULL);
}
static int spawn(void)
{
    return fork();
}
static int packet(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0);
}
static int netlink(void)
{
    return socket(AF_NETLINK, SOCK_RAW, 0);
}
static int trace(void)
{
    return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}
static int mount_it(void)
{
    return mount("none", dir, "tmpfs", 0, NULL);
}
static int connect_to(int port)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd < 0 ? fd : connect(fd, (const struct sockaddr *)&to, sizeof to);
}
static int connect_denied(void)
{
    return connect_to(25);
}
static int connect_allowed(void)
{
    return connect_to(53);
}
static int bind_port(void)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons(42353)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd < 0 ? fd : bind(fd, (const struct sockaddr *)&to, sizeof to);
}
static int unknown_call(void)
{
    return (int)syscall(SYS_io_uring_setup, 1, NULL);
}
static int new_root(void)
{
    return chroot(dir);
}
static int namespace(void)
{
    return unshare(CLONE_NEWUSER);
}
static int code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? -1
               : 0;
}
static int root(void)
{
    return setuid(0);
}
static int kill_parent(void)
{
    return kill(getppid(), 0);
}
static void *nothing(void *arg)
{
    return arg;
}
static int start_thread(void)
{
    pthread_t thread;

    errno = pthread_create(&thread, NULL, nothing, NULL);
    return errno ? -1 : pthread_join(thread, NULL);
}
static int in_thread_result, in_thread_error;
static void *open_in_thread(void *arg)
{
    in_thread_result = open_var();
    in_thread_error = errno;
    return arg;
}
static int thread_opens(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, open_in_thread, NULL))
        return 0;
    (void)pthread_join(thread, NULL);
    errno = in_thread_error;
    return in_thread_result;
}
/* Past every count after which a generator could ask for a new seed. */
static int draw(void)
{
    unsigned char bytes[32];

    errno = EIO;
    for (int i = 0; i < 1000000; i++)
        if (psa_generate_random(bytes, sizeof bytes) != PSA_SUCCESS)
            return -1;
    return 0;
}
static int report(void)
{
    struct sandbox_report r;

    sandbox_read(&r);
    printf("keeps_files=%d keeps_ports=%d filters_calls=%d no_new_privs=%d "
           "has_capabilities=%d is_dumpable=%d has_cores=%d abi=%d calls=%d ",
           r.keeps_files, r.keeps_ports, r.filters_calls, r.no_new_privs,
           r.has_capabilities, r.is_dumpable, r.has_cores, r.landlock_abi,
           r.calls);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(void);
} tries[] = {
    {"open_etc", open_etc},
    {"open_var", open_var},
    {"open_proc", open_proc},
    {"write_etc", write_etc},
    {"write_inside", write_inside},
    {"link_inside", link_inside},
    {"climb", climb},
    {"execve", run_shell},
    {"fork", spawn},
    {"packet", packet},
    {"netlink", netlink},
    {"ptrace", trace},
    {"mount", mount_it},
    {"connect_denied", connect_denied},
    {"connect_allowed", connect_allowed},
    {"bind", bind_port},
    {"unknown_call", unknown_call},
    {"chroot", new_root},
    {"unshare", namespace},
    {"code", code},
    {"setuid", root},
    {"kill_parent", kill_parent},
    {"thread", start_thread},
    {"thread_opens", thread_opens},
    {"draw", draw},
    {"report", report},
};

int main(int argc, char **argv)
{
    const char *reads[] = {"/etc", NULL}, *writes[] = {NULL, NULL};
    const int ports[] = {53, 0};
    const struct sandbox_config config = {writes, reads, ports};

    if (argc < 3)
        return 2;
    dir = writes[0] = argv[1];
    if (crypto_init() || (argc > 3 && sandbox_become(argv[3])))
        return 3;
    if (sandbox_enter(&config))
        return 3;
    const char *what = argv[2];
    for (size_t i = 0; i < COUNT(tries); i++) {
        if (strcmp(tries[i].name, what) != 0)
            continue;
        int result = tries[i].run();
        printf("%s\n", result >= 0 ? "ok" : strerror(errno));
        return 0;
    }
    return 2;
}
