/* SPDX-License-Identifier: Apache-2.0 */
/* The signature is of a text that both sides write by the same rules; here
 * the names are of few characters, so that only queries need encoding. */
#include "net/s3.h"

#include "base/buf.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "base/xml.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 4, PAUSE_MS = 500, PAGES_MAX = 200, WHY_MAX = 320 };
#define EMPTY_SHA256                                                           \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SIGNED_HEADERS "host;x-amz-content-sha256;x-amz-date"

struct s3 {
    struct s3_config config;
    struct http_client *http;
    struct arena *scratch; /* of one request */
    const char *host;      /* as the header has it */
    char why_ja[WHY_MAX], why_en[WHY_MAX];
};

static void set_why(struct s3 *s, const char *ja, const char *en)
{
    (void)snprintf(s->why_ja, sizeof s->why_ja, "%s", ja);
    (void)snprintf(s->why_en, sizeof s->why_en, "%s", en);
}

/* ---- signing ---- */

static void to_hex_hmac(const uint8_t key[32], const char *text, char hex[65])
{
    uint8_t mac[32];

    crypto_hmac(key, text, strlen(text), mac);
    str_to_hex(mac, sizeof mac, hex);
}

static void derive(const struct s3_config *c, struct arena *mem,
                   const char *day, uint8_t out[32])
{
    const char *parts[] = {c->region, "s3", "aws4_request"};
    char *first = arena_printf(mem, "AWS4%s", c->secret);

    crypto_hmac_any(first, strlen(first), day, strlen(day), out);
    crypto_wipe(first, strlen(first));
    for (size_t i = 0; i < COUNT(parts); i++) {
        uint8_t next[32];
        crypto_hmac(out, parts[i], strlen(parts[i]), next);
        memcpy(out, next, sizeof next);
    }
}

const char *s3_sign(struct arena *mem, const struct s3_config *c,
                    const struct s3_request *r)
{
    const char *day = arena_strndup(mem, r->date, 8);
    const char *scope =
        arena_printf(mem, "%s/%s/s3/aws4_request", day, c->region);
    const char *canonical =
        arena_printf(mem,
                     "%s\n%s\n%s\nhost:%s\nx-amz-content-sha256:%s\nx-amz-date:"
                     "%s\n\n" SIGNED_HEADERS "\n%s",
                     r->method, r->path, r->query, r->host, r->hash_hex,
                     r->date, r->hash_hex);
    uint8_t hash[32], key[32];
    char hex[65];

    crypto_sha256(canonical, strlen(canonical), hash);
    str_to_hex(hash, sizeof hash, hex);
    const char *text =
        arena_printf(mem, "AWS4-HMAC-SHA256\n%s\n%s\n%s", r->date, scope, hex);
    derive(c, mem, day, key);
    to_hex_hmac(key, text, hex);
    crypto_wipe(key, sizeof key);
    return arena_printf(
        mem,
        "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=" SIGNED_HEADERS
        ",Signature=%s",
        c->key_id, scope, hex);
}

static void print_date(int64_t us, char out[17])
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    (void)strftime(out, 17, "%Y%m%dT%H%M%SZ", &tm);
}

/* ---- one request ---- */

struct want {
    const char *method, *name, *query, *hash_hex;
    int body_fd, sink_fd;
    int64_t body_bytes, sink_max;
};

static void pause_for(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

    (void)nanosleep(&t, NULL);
}

static enum err of_status(struct s3 *s, const struct http_answer *a)
{
    const char *code = NULL, *rule;
    int line;

    if (a->status / 100 == 2)
        return OK;
    if (a->len) {
        const struct xml *x =
            xml_parse(s->scratch, a->body, a->len, &rule, &line);
        code = x ? xml_text(x, "Code") : NULL;
    }
    if (code && (strlen(code) > 60 || str_has_control(code, false)))
        code = NULL;
    const char *word = arena_printf(s->scratch, "HTTP %d%s%s", a->status,
                                    code ? " " : "", code ? code : "");
    if (a->status / 100 == 3)
        set_why(s,
                arena_printf(s->scratch,
                             "%s（リダイレクトには従いません。エンドポイントか"
                             "リージョンが違いませんか）",
                             word),
                arena_printf(s->scratch,
                             "%s (redirects are not followed: another "
                             "endpoint or region?)",
                             word));
    else
        set_why(s, word, word);
    return a->status == 404                           ? ERR_NOT_FOUND
           : a->status == 401 || a->status == 403     ? ERR_DENIED
           : a->status == 429 || a->status / 100 == 5 ? ERR_BUSY
                                                      : ERR_INVALID;
}

static enum err try_once(struct s3 *s, const struct want *w,
                         struct http_answer *a)
{
    const struct s3_config *c = &s->config;
    struct arena *mem = s->scratch;
    const char *path =
        arena_printf(mem, "/%s%s%s%s", c->is_path_style ? c->bucket : "",
                     c->is_path_style && w->name ? "/" : "",
                     w->name ? c->prefix : "", w->name ? w->name : "");
    struct http_why why;
    char date[17];

    print_date(clock_now_us(), date);
    const char *sign = s3_sign(mem, c,
                               &(struct s3_request){.method = w->method,
                                                    .host = s->host,
                                                    .path = path,
                                                    .query = w->query,
                                                    .hash_hex = w->hash_hex,
                                                    .date = date});
    const struct http_call call = {
        .method = w->method,
        .target =
            arena_printf(mem, "%s%s%s", path, *w->query ? "?" : "", w->query),
        .headers = arena_printf(mem,
                                "x-amz-content-sha256: %s\r\nx-amz-date: "
                                "%s\r\nAuthorization: %s\r\n",
                                w->hash_hex, date, sign),
        .body_fd = w->body_fd,
        .body_bytes = w->body_bytes,
        .sink_fd = w->sink_fd,
        .sink_max = w->sink_max};
    enum err e = http_client_call(s->http, mem, &call, a, &why);
    if (e)
        set_why(s, why.ja, why.en);
    return e ? e : of_status(s, a);
}

static enum err request(struct s3 *s, const struct want *w,
                        struct http_answer *a)
{
    int wait = s->config.pause_ms ? s->config.pause_ms : PAUSE_MS;
    enum err e = OK;

    for (int i = 0; i < TRIES; i++) {
        if (i > 0) {
            pause_for(wait);
            wait *= 2;
        }
        arena_reset(s->scratch);
        if (w->sink_fd >= 0 &&
            (ftruncate(w->sink_fd, 0) || lseek(w->sink_fd, 0, SEEK_SET)))
            return ERR_INTERNAL;
        e = try_once(s, w, a);
        if (e != ERR_BUSY)
            break;
    }
    return e;
}

enum err s3_put(struct s3 *s, const char *name, int fd, int64_t bytes,
                const uint8_t sha256[32])
{
    struct http_answer a;
    char hex[65];

    str_to_hex(sha256, 32, hex);
    return request(s,
                   &(struct want){.method = "PUT",
                                  .name = name,
                                  .query = "",
                                  .hash_hex = hex,
                                  .body_fd = fd,
                                  .body_bytes = bytes,
                                  .sink_fd = -1},
                   &a);
}

enum err s3_get(struct s3 *s, const char *name, int fd, int64_t max)
{
    struct http_answer a;

    return request(s,
                   &(struct want){.method = "GET",
                                  .name = name,
                                  .query = "",
                                  .hash_hex = EMPTY_SHA256,
                                  .body_fd = -1,
                                  .sink_fd = fd,
                                  .sink_max = max},
                   &a);
}

enum err s3_delete(struct s3 *s, const char *name)
{
    struct http_answer a;
    enum err e = request(s,
                         &(struct want){.method = "DELETE",
                                        .name = name,
                                        .query = "",
                                        .hash_hex = EMPTY_SHA256,
                                        .body_fd = -1,
                                        .sink_fd = -1},
                         &a);

    return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- listing ---- */

static const char *encode(struct arena *mem, const char *text)
{
    struct buf b = buf_in(mem);

    buf_puts(&b, "");
    for (const char *p = text; *p; p++)
        if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
            (*p >= '0' && *p <= '9') || strchr("-_.~", *p))
            buf_putc(&b, *p);
        else
            buf_printf(&b, "%%%02X", (unsigned)(unsigned char)*p);
    return b.data;
}

static void add(struct s3 *s, struct buf *list, const char *key, int64_t bytes)
{
    size_t skip = strlen(s->config.prefix);

    if (!key || !str_starts(key, s->config.prefix) || !key[skip])
        return;
    buf_put(list,
            &(struct s3_object){arena_strdup(list->mem, key + skip), bytes},
            sizeof(struct s3_object));
}

static enum err read_page(struct s3 *s, const struct http_answer *a,
                          struct buf *list, const char **next)
{
    const char *rule, *more;
    int line;
    const struct xml *root =
        xml_parse(s->scratch, a->body, a->len, &rule, &line);

    *next = NULL;
    if (!root || !str_equal(root->name, "ListBucketResult")) {
        set_why(s, "一覧が S3 の形式ではありません",
                "the list is not of S3's form");
        return ERR_INVALID;
    }
    for (const struct xml *x = root->child; x; x = x->next) {
        int64_t bytes = 0;
        const char *size = xml_text(x, "Size");
        if (size && !str_parse_int(size, 0, INT64_MAX, &bytes))
            continue;
        if (str_equal(x->name, "Contents"))
            add(s, list, xml_text(x, "Key"), bytes);
        else if (str_equal(x->name, "CommonPrefixes"))
            add(s, list, xml_text(x, "Prefix"), 0);
    }
    more = xml_text(root, "IsTruncated");
    if (str_equal(more, "true"))
        *next =
            arena_strdup(list->mem, xml_text(root, "NextContinuationToken"));
    return OK;
}

enum err s3_list(struct s3 *s, struct arena *mem, const char *folder,
                 const struct s3_object **out, size_t *count)
{
    struct buf list = buf_in(mem);
    const char *next = NULL;
    enum err e;
    int page = 0;

    do {
        struct http_answer a;
        const char *query = arena_printf(
            mem, "%s%s%sdelimiter=%%2F&list-type=2&prefix=%s",
            next ? "continuation-token=" : "", next ? encode(mem, next) : "",
            next ? "&" : "",
            encode(mem, arena_printf(mem, "%s%s", s->config.prefix, folder)));
        e = request(s,
                    &(struct want){.method = "GET",
                                   .query = query,
                                   .hash_hex = EMPTY_SHA256,
                                   .body_fd = -1,
                                   .sink_fd = -1},
                    &a);
        if (!e)
            e = read_page(s, &a, &list, &next);
    } while (!e && next && ++page < PAGES_MAX);
    *out = (const void *)list.data;
    *count = list.len / sizeof(struct s3_object);
    return e;
}

/* ---- opening ---- */

struct http_why s3_why(const struct s3 *s)
{
    return (struct http_why){s->why_ja, s->why_en};
}

struct s3 *s3_open(struct arena *mem, const struct s3_config *config)
{
    struct s3 *s = arena_new(mem, struct s3);
    struct http_place *place = &s->config.place;
    bool is_usual;

    s->config = *config;
    if (!config->is_path_style)
        place->host =
            arena_printf(mem, "%s.%s", config->bucket, config->place.host);
    is_usual = place->port == (place->is_tls ? 443 : 80);
    s->host = is_usual ? place->host
                       : arena_printf(mem, "%s:%d", place->host, place->port);
    s->http = http_client_open(mem, place);
    s->scratch = arena_open(0);
    return s;
}

void s3_close(struct s3 *s)
{
    if (!s)
        return;
    http_client_close(s->http);
    arena_close(s->scratch);
}
