/* SPDX-License-Identifier: Apache-2.0 */
/* Noise makes a machine look slower, never faster.  So of two measurements of
 * one machine the dearer is the truer, and a start under load cannot make
 * passwords cheaper than the one before did. */
#include "cli/password_cost.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { KEPT_DAYS = 7, TEXT_BYTES = 200, MARK_BYTES = 65 };

struct cost {
    struct secret_params params;
    int32_t day;
    char machine[MARK_BYTES];
};

/* The first line of the file that begins with the word; "" without one. */
static const char *find_line(struct arena *mem, const char *path,
                             const char *word)
{
    char line[TEXT_BYTES];
    const char *found = "";
    FILE *f = fopen(path, "re");

    while (f && !*found && fgets(line, sizeof line, f))
        if (str_starts(line, word))
            found = arena_strdup(mem, line);
    if (f)
        (void)fclose(f);
    return found;
}

/* What decides how long a hash takes, as far as the kernel tells it. */
static void name_machine(struct arena *mem, char out[MARK_BYTES])
{
    uint8_t hash[32];
    const char *text = arena_printf(
        mem, "%s%s%s%ld", find_line(mem, "/proc/cpuinfo", "model name"),
        find_line(mem, "/proc/meminfo", "MemTotal"),
        find_line(mem, "/sys/fs/cgroup/cpu.max", ""),
        sysconf(_SC_NPROCESSORS_ONLN));

    crypto_sha256(text, strlen(text), hash);
    str_to_hex(hash, sizeof hash, out);
}

static bool read_cost(struct arena *mem, const char *path, struct cost *out)
{
    const char *line = find_line(mem, path, "argon2id ");
    char memory[8], passes[8], day[8];
    int64_t memory_kib = 0, count = 0, since = 0;
    int used = 0;

    *out = (struct cost){0};
    if (sscanf(line,
               "argon2id m=%7[0-9] t=%7[0-9] day=%7[0-9]"
               " machine=%64[0-9a-f]%n",
               memory, passes, day, out->machine, &used) != 4 ||
        !str_equal(line + used, "\n") ||
        !str_parse_int(memory, 1, INT32_MAX, &memory_kib) ||
        !str_parse_int(passes, 1, INT32_MAX, &count) ||
        !str_parse_int(day, 0, INT32_MAX, &since))
        return false;
    out->params = (struct secret_params){(uint32_t)memory_kib, (uint32_t)count};
    out->day = (int32_t)since;
    return secret_may_use(&out->params);
}

static void write_cost(struct arena *mem, const char *path,
                       const struct cost *cost)
{
    const char *beside = arena_printf(mem, "%s.new", path);
    const char *text = arena_printf(
        mem, "argon2id m=%u t=%u day=%d machine=%s\n", cost->params.memory_kib,
        cost->params.passes, cost->day, cost->machine);
    size_t len = strlen(text);

    (void)unlink(beside);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len && !fsync(fd);
    if (fd >= 0)
        good = !close(fd) && good;
    if (!good || rename(beside, path))
        log_warn("password cost: %s cannot be written, errno=%d", path, errno);
}

static int64_t work(const struct secret_params *params)
{
    return (int64_t)params->memory_kib * params->passes;
}

void password_cost_set(struct arena *mem, const char *dir)
{
    const char *path = arena_printf(mem, "%s/password.cost", dir);
    struct cost kept, fresh = {.day = clock_today(clock_now_us())};

    name_machine(mem, fresh.machine);
    bool is_ours =
        read_cost(mem, path, &kept) && strcmp(kept.machine, fresh.machine) == 0;
    if (is_ours && kept.day <= fresh.day && fresh.day - kept.day < KEPT_DAYS) {
        secret_set_params(&kept.params);
        return;
    }
    secret_calibrate(&fresh.params);
    if (is_ours && work(&kept.params) > work(&fresh.params))
        fresh.params = kept.params;
    secret_set_params(&fresh.params);
    write_cost(mem, path, &fresh);
}
