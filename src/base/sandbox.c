/* SPDX-License-Identifier: Apache-2.0 */
/* The order matters: the user first, for the rest must not bring root back;
 * then no_new_privs, which lets who is not root do the rest; then Landlock,
 * which opens what it names; the filter last, which allows none of all this.
 * All of it binds the calling thread and those it starts. */
#include "base/sandbox.h"

#include "base/landlock.h"
#include "base/log.h"
#include "base/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of root over files, when root is who must go on. */
#define OVER_FILES ((1u << CAP_DAC_OVERRIDE) | (1u << CAP_FOWNER))

enum err sandbox_become(const char *user)
{
    const struct passwd *to = getpwnam(user);

    if (!to) {
        log_error("sandbox: there is no user %s", user);
        return ERR_NOT_FOUND;
    }
    if (geteuid() != 0) {
        if (to->pw_uid == geteuid())
            return OK;
        log_error("sandbox: only root can become %s", user);
        return ERR_DENIED;
    }
    if (initgroups(user, to->pw_gid) || setegid(to->pw_gid) ||
        seteuid(to->pw_uid)) {
        log_error("sandbox: cannot become %s, errno=%d", user, errno);
        return ERR_INTERNAL;
    }
    return OK;
}

/* Who lends is told apart by the real user, which is root until the end. */
void sandbox_lend_root(bool on)
{
    static uid_t user; /* before the second thread */

    if (getuid() != 0)
        return;
    if (on) {
        user = geteuid();
        must(seteuid(0) == 0);
    } else {
        must(seteuid(user) == 0);
    }
}

/* Root who became somebody is that for good: real, effective and saved. */
static bool leave_root(void)
{
    uid_t user = geteuid();
    gid_t group = getegid();

    if (getuid() == user)
        return true;
    return seteuid(0) == 0 && setresgid(group, group, group) == 0 &&
           setresuid(user, user, user) == 0 && seteuid(0) != 0;
}

static bool read_capabilities(struct __user_cap_data_struct out[2])
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};

    return syscall(SYS_capget, &head, out) == 0;
}

static bool drop_capabilities(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct set[2] = {{0}}, had[2] = {{0}};

    if (!read_capabilities(had))
        return false;
    /* nothing to give up; a unit may forbid even the call */
    if (!had[0].permitted && !had[1].permitted)
        return true;
    if (geteuid() == 0)
        set[0].permitted = set[0].effective = had[0].permitted & OVER_FILES;
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
           syscall(SYS_capset, &head, set) == 0;
}

static void forbid_cores(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    if (!seccomp_is_wide()) /* leak checks trace this process */
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

enum err sandbox_enter(const struct sandbox_config *config)
{
    static const char *const all[] = {"/", NULL};
    struct sandbox_config c = *config;

    if (!leave_root() || !drop_capabilities() ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        log_error("sandbox: privileges cannot be given up, errno=%d", errno);
        return ERR_INTERNAL;
    }
    if (geteuid() == 0)
        log_warn("sandbox: this runs as root; set user in the configuration");
    forbid_cores();
    if (seccomp_is_wide())
        c.read_paths = all; /* the loader, symbols for reports */
    if (!landlock_enter(&c))
        log_warn("sandbox: no Landlock, kernel's version=%d: files outside the"
                 " data directory are kept by their rights alone",
                 landlock_abi());
    if (!seccomp_enter())
        log_warn("sandbox: no seccomp, errno=%d: system calls are not filtered",
                 errno);
    return OK;
}

/* ---- what is in force ---- */

/* Anybody may list the root folder, where nothing keeps him from it; builds
 * for tests may read it, and try to write. */
static bool tries_folder(void)
{
    int how = seccomp_is_wide() ? O_WRONLY | O_TMPFILE : O_RDONLY | O_DIRECTORY;
    int fd = open("/", how | O_CLOEXEC, 0600);

    if (fd >= 0)
        (void)close(fd);
    return fd < 0 && errno == EACCES;
}

/* Port 1 of this machine, which nobody serves: kept from it, or refused. */
static bool tries_port(void)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(1),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool is_kept =
        connect(fd, (const struct sockaddr *)&to, sizeof to) && errno == EACCES;
    (void)close(fd);
    return is_kept;
}

static bool tries_call(void)
{
    return syscall(SYS_getpriority, 0, 0) == -1 && errno == ENOSYS;
}

void sandbox_read(struct sandbox_report *out)
{
    struct __user_cap_data_struct caps[2] = {{0}};
    struct rlimit cores = {0, 0}, files = {0, 0};

    *out = (struct sandbox_report){
        .is_root = geteuid() == 0,
        .no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
        .is_dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0,
        .keeps_files = tries_folder(),
        .keeps_ports = tries_port(),
        .filters_calls = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2 && tries_call(),
        .is_test_build = seccomp_is_wide(),
        .landlock_abi = landlock_abi(),
        .calls = seccomp_count()};
    if (!read_capabilities(caps) || caps[1].permitted ||
        (caps[0].permitted & ~(out->is_root ? OVER_FILES : 0)))
        out->has_capabilities = true;
    if (getrlimit(RLIMIT_CORE, &cores) || cores.rlim_cur > 0)
        out->has_cores = true;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        out->files_max = (long)files.rlim_cur;
}
