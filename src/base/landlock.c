/* SPDX-License-Identifier: Apache-2.0 */
/* Rules name what is allowed; whatever the ruleset handles and no rule allows
 * is denied.  The C library's header may be older than the kernel, so the
 * numbers of the interface are here. */
#include "base/landlock.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CREATE = 444, ADD_RULE = 445, RESTRICT_SELF = 446 }; /* system calls */
enum { ABI_WANTED = 1 }; /* flag: tell the version, make nothing */
enum { RULE_PATH = 1, RULE_PORT = 2 };

#define FS_WRITE_FILE  UINT64_C(0x2)
#define FS_READ_FILE   UINT64_C(0x4)
#define FS_READ_DIR    UINT64_C(0x8)
#define FS_REMOVE_DIR  UINT64_C(0x10)
#define FS_REMOVE_FILE UINT64_C(0x20)
#define FS_MAKE_DIR    UINT64_C(0x80)
#define FS_MAKE_FILE   UINT64_C(0x100)
#define FS_MAKE_SOCKET UINT64_C(0x200)
#define FS_REFER       UINT64_C(0x2000)
#define FS_TRUNCATE    UINT64_C(0x4000) /* since 3 */
#define FS_IOCTL       UINT64_C(0x8000) /* since 5 */
#define FS_FIRST       UINT64_C(0x3fff) /* all of 2, running files too */
#define NET_CONNECT    UINT64_C(0x2)
#define NET_ALL        UINT64_C(0x3)
#define SCOPE_ALL      UINT64_C(0x3) /* since 6: abstract sockets, signals */

/* Folders are made, filled and emptied; links and devices are not made, and
 * nothing is run. */
#define ON_FOLDER                                                              \
    (FS_WRITE_FILE | FS_READ_FILE | FS_READ_DIR | FS_REMOVE_DIR |              \
     FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_FILE | FS_MAKE_SOCKET | FS_REFER | \
     FS_TRUNCATE)
#define ON_FILE (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL)

struct ruleset {
    uint64_t files, ports, scopes;
};
struct path_rule {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));
struct port_rule {
    uint64_t allowed, port;
};

int landlock_abi(void)
{
    long abi = syscall(CREATE, NULL, 0, ABI_WANTED);

    return abi > 0 ? (int)abi : 0;
}

static bool add_path(int rules, uint64_t handled, const char *path,
                     uint64_t allowed)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT || errno == EACCES;
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        allowed &= ON_FILE;
    struct path_rule rule = {allowed & handled, fd};
    bool is_added = syscall(ADD_RULE, rules, RULE_PATH, &rule, 0) == 0;
    if (!is_added)
        log_error("sandbox: %s cannot be allowed, errno=%d", path, errno);
    (void)close(fd);
    return is_added;
}

static bool add_rules(int rules, const struct ruleset *set,
                      const struct sandbox_config *config)
{
    bool good =
        add_path(rules, set->files, "/dev/null", FS_READ_FILE | FS_WRITE_FILE);

    for (const char *const *p = config->write_paths; good && *p; p++)
        good = add_path(rules, set->files, *p, ON_FOLDER);
    for (const char *const *p = config->read_paths; good && *p; p++)
        good = add_path(rules, set->files, *p, FS_READ_FILE | FS_READ_DIR);
    for (const int *p = config->connect_ports; good && set->ports && *p; p++) {
        struct port_rule rule = {NET_CONNECT, (uint64_t)*p};
        good = syscall(ADD_RULE, rules, RULE_PORT, &rule, 0) == 0;
    }
    return good;
}

bool landlock_enter(const struct sandbox_config *config)
{
    int abi = landlock_abi();
    struct ruleset set = {.files = FS_FIRST};

    /* the first could not move a file from one folder to another */
    if (abi < 2)
        return false;
    if (abi >= 3)
        set.files |= FS_TRUNCATE;
    if (abi >= 4)
        set.ports = NET_ALL;
    if (abi >= 5)
        set.files |= FS_IOCTL;
    if (abi >= 6)
        set.scopes = SCOPE_ALL;
    size_t size = abi >= 6   ? sizeof set
                  : abi >= 4 ? 2 * sizeof set.files
                             : sizeof set.files;
    int rules = (int)syscall(CREATE, &set, size, 0);
    if (rules < 0)
        return false;
    bool is_on =
        add_rules(rules, &set, config) && syscall(RESTRICT_SELF, rules, 0) == 0;
    (void)close(rules);
    return is_on;
}
