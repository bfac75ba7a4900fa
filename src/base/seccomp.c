/* SPDX-License-Identifier: Apache-2.0 */
/* The list comes from traces of the release through its tests (start, serve,
 * TLS, mail, backup, restore, import, SIGHUP, stop), plus what musl calls on
 * the way to abort().  The filter is a chain of comparisons; the kernel keeps
 * a table of those that need no look at an argument.
 *
 * Sanitizers need calls of their own (they fork, and trace themselves): builds
 * with them allow these besides, so that their tests still meet the list. */
#include "base/seccomp.h"

#include "base/err.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FOR_TESTS true
#else
#define FOR_TESTS false
#endif
#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#endif

static const uint16_t allowed[] = {
    /* files */
    SYS_openat,
    SYS_close,
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_pwritev2,
    SYS_lseek,
    SYS_fstat,
    SYS_newfstatat,
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_fcntl,
    SYS_flock,
    SYS_unlinkat,
    SYS_linkat,
    SYS_fadvise64,
    SYS_sync_file_range,
    SYS_mkdirat,
    SYS_renameat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_fchown,
    SYS_utimensat,
    SYS_umask,
    SYS_getdents64,
    SYS_readlinkat,
    SYS_faccessat,
    SYS_statfs,
    SYS_fstatfs,
    SYS_getcwd,
    /* sockets */
    SYS_accept4,
    SYS_bind,
    SYS_listen,
    SYS_connect,
    SYS_sendto,
    SYS_sendmsg,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_shutdown,
    SYS_setsockopt,
    SYS_getsockopt,
    SYS_getsockname,
    SYS_ppoll,
    SYS_eventfd2,
    /* memory, threads, signals, oneself */
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_mlock,
    SYS_futex,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_exit,
    SYS_exit_group,
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
    SYS_rt_sigtimedwait,
    SYS_rt_sigreturn,
    SYS_tkill,
    SYS_restart_syscall,
    SYS_getpid,
    SYS_gettid,
    SYS_getuid,
    SYS_geteuid,
    SYS_capget,
    /* clocks, figures, chance */
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_sysinfo,
    SYS_getcpu, /* the allocator, where memory has several nodes */
    SYS_uname,
    SYS_getrandom,
    444, /* landlock_create_ruleset: to tell its version; it only takes away */
#if defined(__x86_64__) /* the older of two; musl takes these */
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_unlink,
    SYS_mkdir,
    SYS_rmdir,
    SYS_link,
    SYS_rename,
    SYS_chmod,
    SYS_readlink,
    SYS_poll,
#endif
};

/* Of the sanitizers and of glibc. */
static const uint16_t allowed_in_tests[] = {
    SYS_ptrace,   SYS_wait4,       SYS_kill,    SYS_tgkill, SYS_sigaltstack,
    SYS_prctl,    SYS_clone,       SYS_clone3,  SYS_rseq,   SYS_set_robust_list,
    SYS_getppid,  SYS_personality, SYS_pipe2,   SYS_msync,  SYS_getrusage,
    SYS_sendmmsg, SYS_membarrier,  SYS_mincore,
};

/* What would run, trace, or change the machine. */
static const uint16_t deadly[] = {
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_bpf,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    428 /* open_tree */,
    429 /* move_mount */,
    430 /* fsopen */,
    432 /* fsmount */,
    442 /* mount_setattr */,
};

/* Allowed when an argument is one of these, or has only such bits. */
struct guarded {
    uint16_t call;
    uint8_t argument;
    bool is_bits; /* values[0]: bits that must not be set */
    uint16_t error;
    uint32_t values[7];
};
#define NAME_MEMORY 0x53564d41 /* PR_SET_VMA, of the allocator */
static const struct guarded guarded[] = {
    {SYS_mmap, 2, true, EACCES, {PROT_EXEC}},
    {SYS_mprotect, 2, true, EACCES, {PROT_EXEC}},
    {SYS_socket, 0, false, EAFNOSUPPORT, {AF_INET, AF_INET6, AF_UNIX}},
    {SYS_prctl,
     0,
     false,
     EPERM,
     {PR_SET_NAME, PR_GET_SECCOMP, PR_GET_NO_NEW_PRIVS, PR_GET_DUMPABLE,
      NAME_MEMORY}},
    {SYS_ioctl, 1, false, ENOTTY, {TIOCGWINSZ, TCGETS, FIONREAD}},
    {SYS_prlimit64, 2, false, EPERM, {0}},
};
/* musl's flags of a thread; glibc's are the same but for those of others */
#define OF_THREADS                                                             \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

struct program {
    struct sock_filter code[512];
    unsigned short len;
};

static void put(struct program *p, uint16_t op, uint32_t k, uint8_t yes,
                uint8_t no)
{
    must(p->len < COUNT(p->code));
    p->code[p->len++] = (struct sock_filter){op, yes, no, k};
}

#define LOAD   (BPF_LD | BPF_W | BPF_ABS)
#define RETURN (BPF_RET | BPF_K)
#define EQUAL  (BPF_JMP | BPF_JEQ | BPF_K)
#define HAS    (BPF_JMP | BPF_JSET | BPF_K)
#define AND    (BPF_ALU | BPF_AND | BPF_K)

static void put_calls(struct program *p, const uint16_t *calls, size_t count,
                      uint32_t action)
{
    for (size_t i = 0; i < count; i++) {
        put(p, EQUAL, calls[i], 0, 1);
        put(p, RETURN, action, 0, 0);
    }
}

/* Arguments are looked at by their lower half, where all of these are. */
static void load_argument(struct program *p, unsigned n)
{
    put(p, LOAD, (uint32_t)offsetof(struct seccomp_data, args) + 8 * n, 0, 0);
}

static void put_guarded(struct program *p, const struct guarded *g)
{
    unsigned short jump = p->len;

    put(p, EQUAL, g->call, 0, 0); /* not this call: to the end, see below */
    load_argument(p, g->argument);
    if (g->is_bits) {
        put(p, HAS, g->values[0], 1, 0);
        put(p, RETURN, SECCOMP_RET_ALLOW, 0, 0);
    } else {
        size_t i = 0;
        do {
            put(p, EQUAL, g->values[i], 0, 1);
            put(p, RETURN, SECCOMP_RET_ALLOW, 0, 0);
        } while (++i < COUNT(g->values) && g->values[i]);
    }
    put(p, RETURN, SECCOMP_RET_ERRNO | g->error, 0, 0);
    p->code[jump].jf = (uint8_t)(p->len - jump - 1);
}

/* Threads, never a process. */
static void put_clone(struct program *p)
{
    put(p, EQUAL, SYS_clone, 0, 5);
    load_argument(p, 0);
    put(p, AND, OF_THREADS, 0, 0);
    put(p, EQUAL, OF_THREADS, 0, 1);
    put(p, RETURN, SECCOMP_RET_ALLOW, 0, 0);
    put(p, RETURN, SECCOMP_RET_ERRNO | EPERM, 0, 0);
}

static void make(struct program *p)
{
    put(p, LOAD, offsetof(struct seccomp_data, arch), 0, 0);
    put(p, EQUAL, MACHINE, 1, 0);
    put(p, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
    put(p, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
    if (FOR_TESTS)
        put_calls(p, allowed_in_tests, COUNT(allowed_in_tests),
                  SECCOMP_RET_ALLOW);
    put_calls(p, allowed, COUNT(allowed), SECCOMP_RET_ALLOW);
    put_calls(p, deadly, COUNT(deadly), SECCOMP_RET_KILL_PROCESS);
    put_clone(p);
    for (size_t i = 0; i < COUNT(guarded); i++)
        put_guarded(p, &guarded[i]);
    put(p, RETURN, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
}

bool seccomp_enter(void)
{
    struct program p = {.len = 0};

    make(&p);
    const struct sock_fprog program = {p.len, p.code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                   SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

int seccomp_count(void)
{
    return (int)(COUNT(allowed) + COUNT(guarded) + 1 +
                 (FOR_TESTS ? COUNT(allowed_in_tests) : 0));
}

bool seccomp_is_wide(void)
{
    return FOR_TESTS;
}
