/* SPDX-License-Identifier: Apache-2.0 */
/* A password hash is meant to be dear, so it is also a way to bring a server
 * down.  Two slots own all the memory argon2 ever gets; callers queue for
 * them, not for long, and a slot left alone for a minute gives its memory
 * back.  The password enters argon2 only as HMAC(pepper, password): a stolen
 * tenant file cannot even be guessed at without the pepper. */
#include "base/secret.h"

#include <argon2.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/str.h"

#define SLOTS           2
#define WAITERS_MAX     64
#define WAIT_MS         2000
#define IDLE_MS         60000
#define FLOOR_KIB       19456U
#define FLOOR_PASSES    2U
#define CEILING_KIB     65536U
#define PHC_KIB_MAX     262144
#define PHC_PASSES_MAX  32
#define SALT_BYTES      16
#define HASH_BYTES      32
#define CALIBRATE_MS    100
#define CALIBRATE_LEAST 80
#define CALIBRATE_MOST  120
#define STEP_KIB        4096

struct slot {
    void *memory;
    size_t size_bytes;
    int64_t used_at_ms;
    bool is_busy;
};

/* Guarded by lock: everything here.  A busy slot's memory belongs to the
 * thread that took it. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t is_free;
    struct slot slots[SLOTS];
    int waiters;
    struct secret_params params;
} shared = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .params = {FLOOR_KIB, FLOOR_PASSES},
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* argon2's allocation hooks take no argument. */
static _Thread_local struct slot *own_slot;

static void open_shared(void)
{
    pthread_condattr_t attr;
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&shared.is_free, &attr) == 0);
    pthread_condattr_destroy(&attr);
}

static void drop_memory(struct slot *slot)
{
    if (slot->memory)
        munmap(slot->memory, slot->size_bytes);
    slot->memory = NULL;
    slot->size_bytes = 0;
}

static int take_memory(uint8_t **memory, size_t size_bytes)
{
    struct slot *slot = own_slot;
    if (slot->size_bytes != size_bytes)
        drop_memory(slot);
    if (!slot->memory) {
        void *fresh = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fresh == MAP_FAILED)
            return ARGON2_MEMORY_ALLOCATION_ERROR;
        slot->memory = fresh;
        slot->size_bytes = size_bytes;
        /* Both are best effort: the usual limit for mlock is 8 MiB. */
        (void)madvise(fresh, size_bytes, MADV_DONTDUMP);
        (void)mlock(fresh, size_bytes);
    }
    *memory = slot->memory;
    return ARGON2_OK;
}

/* argon2 has wiped it; the slot keeps it for the next caller. */
static void leave_memory(uint8_t *memory, size_t size_bytes)
{
    (void)memory;
    (void)size_bytes;
}

static struct slot *find_free(void)
{
    struct slot *cold = NULL;
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &shared.slots[i];
        if (!slot->is_busy && slot->memory)
            return slot;
        if (!slot->is_busy)
            cold = slot;
    }
    return cold;
}

static void set_deadline(struct timespec *at, int64_t timeout_ms)
{
    must(clock_gettime(CLOCK_MONOTONIC, at) == 0);
    int64_t ns = at->tv_nsec + timeout_ms % 1000 * 1000000;
    at->tv_sec += (time_t)(timeout_ms / 1000 + ns / 1000000000);
    at->tv_nsec = (long)(ns % 1000000000);
}

static enum err take_slot(struct slot **out)
{
    struct timespec deadline;
    int failed = 0;
    pthread_once(&once, open_shared);
    set_deadline(&deadline, WAIT_MS);
    pthread_mutex_lock(&shared.lock);
    struct slot *slot = shared.waiters ? NULL : find_free();
    if (!slot && shared.waiters < WAITERS_MAX) {
        shared.waiters++;
        while (!(slot = find_free()) && !failed)
            failed = pthread_cond_timedwait(&shared.is_free, &shared.lock,
                                            &deadline);
        shared.waiters--;
    }
    if (slot)
        slot->is_busy = true;
    pthread_mutex_unlock(&shared.lock);
    *out = slot;
    return slot ? OK : ERR_BUSY;
}

static void leave_slot(struct slot *slot)
{
    pthread_mutex_lock(&shared.lock);
    slot->is_busy = false;
    slot->used_at_ms = clock_monotonic_ms();
    pthread_cond_signal(&shared.is_free);
    pthread_mutex_unlock(&shared.lock);
}

static void drop_unused(int64_t for_ms)
{
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&shared.lock);
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &shared.slots[i];
        if (!slot->is_busy && now - slot->used_at_ms >= for_ms)
            drop_memory(slot);
    }
    pthread_mutex_unlock(&shared.lock);
}

void secret_drop_idle(void)
{
    drop_unused(IDLE_MS);
}

static enum err run_argon2(const uint8_t pepper[32], const char *password,
                           uint8_t salt[SALT_BYTES],
                           const struct secret_params *params,
                           uint8_t out[HASH_BYTES])
{
    struct slot *slot = NULL;
    enum err e = take_slot(&slot);
    if (e)
        return e;
    uint8_t peppered[32];
    crypto_hmac(pepper, password, strlen(password), peppered);
    own_slot = slot;
    argon2_context argon = {
        .out = out,
        .outlen = HASH_BYTES,
        .pwd = peppered,
        .pwdlen = sizeof peppered,
        .salt = salt,
        .saltlen = SALT_BYTES,
        .t_cost = params->passes,
        .m_cost = params->memory_kib,
        .lanes = 1,
        .threads = 1,
        .version = ARGON2_VERSION_13,
        .allocate_cbk = take_memory,
        .free_cbk = leave_memory,
    };
    int failed = argon2_ctx(&argon, Argon2_id);
    own_slot = NULL;
    crypto_wipe(peppered, sizeof peppered);
    leave_slot(slot);
    if (failed)
        log_error("argon2 failed at=%s:%d why=%s", __FILE__, __LINE__,
                  argon2_error_message(failed));
    return failed == ARGON2_OK                        ? OK
           : failed == ARGON2_MEMORY_ALLOCATION_ERROR ? ERR_BUSY
                                                      : ERR_INTERNAL;
}

static struct secret_params get_params(void)
{
    pthread_mutex_lock(&shared.lock);
    struct secret_params params = shared.params;
    pthread_mutex_unlock(&shared.lock);
    return params;
}

void secret_set_params(const struct secret_params *params)
{
    pthread_mutex_lock(&shared.lock);
    shared.params = *params;
    if (shared.params.memory_kib < FLOOR_KIB)
        shared.params.memory_kib = FLOOR_KIB;
    if (shared.params.memory_kib > PHC_KIB_MAX)
        shared.params.memory_kib = PHC_KIB_MAX;
    if (shared.params.passes < FLOOR_PASSES)
        shared.params.passes = FLOOR_PASSES;
    if (shared.params.passes > PHC_PASSES_MAX)
        shared.params.passes = PHC_PASSES_MAX;
    pthread_mutex_unlock(&shared.lock);
}

/* The second of two runs: the first also pays for mapping the memory. */
static int64_t measure_ms(const struct secret_params *params)
{
    static const uint8_t pepper[32];
    uint8_t salt[SALT_BYTES] = {0}, hash[HASH_BYTES];
    int64_t elapsed = 0;
    for (int run = 0; run < 2; run++) {
        int64_t before = clock_monotonic_ms();
        if (run_argon2(pepper, "calibrate", salt, params, hash))
            return CALIBRATE_MS;
        elapsed = clock_monotonic_ms() - before;
    }
    return elapsed > 0 ? elapsed : 1;
}

static uint32_t fit_memory(uint32_t memory_kib, int64_t elapsed_ms)
{
    int64_t fit = (int64_t)memory_kib * CALIBRATE_MS / elapsed_ms;
    fit -= fit % STEP_KIB;
    return fit < FLOOR_KIB     ? FLOOR_KIB
           : fit > CEILING_KIB ? CEILING_KIB
                               : (uint32_t)fit;
}

/* Memory first, since it is what hurts an attacker's hardware; then time.
 * A larger block leaves the caches and costs more than its share, so the
 * fitting is repeated. */
static void fit(struct secret_params *out)
{
    *out = (struct secret_params){FLOOR_KIB, FLOOR_PASSES};
    int64_t elapsed = measure_ms(out);
    for (int round = 0; round < 3; round++) {
        uint32_t fit = fit_memory(out->memory_kib, elapsed);
        if (fit == out->memory_kib ||
            (elapsed >= CALIBRATE_LEAST && elapsed <= CALIBRATE_MOST))
            break;
        out->memory_kib = fit;
        elapsed = measure_ms(out);
    }
    if (elapsed >= CALIBRATE_LEAST || out->memory_kib < CEILING_KIB)
        return;
    int64_t passes = out->passes * CALIBRATE_MS / elapsed;
    out->passes = passes > PHC_PASSES_MAX ? PHC_PASSES_MAX : (uint32_t)passes;
}

bool secret_may_use(const struct secret_params *params)
{
    return params->memory_kib >= FLOOR_KIB &&
           params->memory_kib <= CEILING_KIB &&
           params->passes >= FLOOR_PASSES && params->passes <= PHC_PASSES_MAX;
}

void secret_calibrate(struct secret_params *out)
{
    fit(out);
    drop_unused(0); /* nobody may sign in for hours */
}

static void swap_digits(char *text, const char *from, const char *to)
{
    for (; *text; text++) {
        if (*text == from[0])
            *text = to[0];
        else if (*text == from[1])
            *text = to[1];
    }
}

/* PHC strings use the plain base64 alphabet without padding. */
static const char *to_phc_digits(struct arena *mem, const uint8_t *data,
                                 size_t len)
{
    char *text = str_to_base64url(mem, data, len);
    swap_digits(text, "-_", "+/");
    return text;
}

static bool from_phc_digits(struct arena *mem, const char *text, size_t len,
                            uint8_t *out, size_t out_len)
{
    void *data = NULL;
    size_t got = 0;
    char *copy = arena_strndup(mem, text, len);
    if (strpbrk(copy, "-_"))
        return false;
    swap_digits(copy, "+/", "-_");
    if (!str_from_base64url(mem, copy, &data, &got) || got != out_len)
        return false;
    memcpy(out, data, out_len);
    return true;
}

enum err secret_hash(struct arena *mem, const uint8_t pepper[32],
                     const char *password, const char **out)
{
    uint8_t salt[SALT_BYTES], hash[HASH_BYTES];
    struct secret_params params = get_params();
    crypto_random(salt, sizeof salt);
    enum err e = run_argon2(pepper, password, salt, &params, hash);
    if (e)
        return e;
    *out = arena_printf(mem, "$argon2id$v=19$m=%u,t=%u,p=1$%s$%s",
                        params.memory_kib, params.passes,
                        to_phc_digits(mem, salt, sizeof salt),
                        to_phc_digits(mem, hash, sizeof hash));
    return OK;
}

struct phc {
    struct secret_params params;
    uint8_t salt[SALT_BYTES], hash[HASH_BYTES];
};

static bool take_number(const char **text, const char *before, int64_t max,
                        uint32_t *out)
{
    char digits[8] = {0};
    int64_t number = 0;
    if (!str_starts(*text, before))
        return false;
    *text += strlen(before);
    size_t len = strspn(*text, "0123456789");
    if (len >= sizeof digits)
        return false;
    memcpy(digits, *text, len);
    *text += len;
    if (!str_parse_int(digits, 1, max, &number))
        return false;
    *out = (uint32_t)number;
    return true;
}

/* Only what secret_hash() writes; bounded, for a restored file may lie. */
static bool parse_phc(struct arena *mem, const char *text, struct phc *out)
{
    uint32_t lanes = 0;
    if (!take_number(&text, "$argon2id$v=19$m=", PHC_KIB_MAX,
                     &out->params.memory_kib) ||
        !take_number(&text, ",t=", PHC_PASSES_MAX, &out->params.passes) ||
        !take_number(&text, ",p=", 1, &lanes) || *text++ != '$')
        return false;
    size_t salt_len = strcspn(text, "$");
    const char *hash = text + salt_len;
    return out->params.memory_kib >= 8 && *hash++ == '$' &&
           from_phc_digits(mem, text, salt_len, out->salt, SALT_BYTES) &&
           from_phc_digits(mem, hash, strlen(hash), out->hash, HASH_BYTES);
}

/* By more than a quarter: calibration differs a little at each start, and
 * that alone must not make everybody's next sign-in hash twice. */
static bool is_weaker(const struct secret_params *a,
                      const struct secret_params *b)
{
    int64_t work_a = (int64_t)a->memory_kib * a->passes;
    int64_t work_b = (int64_t)b->memory_kib * b->passes;
    return a->memory_kib < FLOOR_KIB || a->passes < FLOOR_PASSES ||
           work_a < work_b * 3 / 4;
}

enum err secret_verify(const uint8_t pepper[32], const char *password,
                       const char *phc, bool *is_right, bool *is_old)
{
    struct phc stored = {.params = get_params()};
    struct secret_params current = stored.params;
    uint8_t hash[HASH_BYTES];
    *is_right = *is_old = false;
    struct arena *mem = arena_open(0);
    bool is_readable = !phc || parse_phc(mem, phc, &stored);
    arena_close(mem);
    if (!is_readable) {
        log_error("password record unreadable at=%s:%d", __FILE__, __LINE__);
        return ERR_INTERNAL;
    }
    enum err e =
        run_argon2(pepper, password, stored.salt, &stored.params, hash);
    if (e || !phc)
        return e;
    *is_right = crypto_equal(hash, stored.hash, sizeof hash);
    *is_old = is_weaker(&stored.params, &current);
    return OK;
}

void secret_make_token(char out[SECRET_TOKEN_CHARS + 1])
{
    uint8_t random[32];
    struct arena *mem = arena_open(0);
    crypto_random(random, sizeof random);
    char *text = str_to_base64url(mem, random, sizeof random);
    memcpy(out, text, SECRET_TOKEN_CHARS + 1);
    crypto_wipe(text, SECRET_TOKEN_CHARS);
    crypto_wipe(random, sizeof random);
    arena_close(mem);
}

void secret_hash_token(const char *token, uint8_t out[32])
{
    crypto_sha256(token, strlen(token), out);
}

/* Numbers from the incomplete last hundred million would favour some codes. */
void secret_make_code(char out[9])
{
    uint32_t number = 0;
    do {
        crypto_random(&number, sizeof number);
    } while (number >= 4200000000U);
    snprintf(out, 9, "%08u", number % 100000000U);
}
