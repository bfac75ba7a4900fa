/* SPDX-License-Identifier: Apache-2.0 */
/* Where backups are copied to.  The secret comes from a file that is its
 * owner's alone, or from systemd: never from argv or the environment. */
#include "cli/config_backup.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOWER    "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOOPBACK "http://127.0.0.1:"

static bool complain(bool bad, const char *text)
{
    if (bad)
        log_complain("config: %s", text);
    return !bad;
}

static bool is_of(const char *text, const char *letters, size_t min, size_t max)
{
    size_t len = strlen(text);

    return len >= min && len <= max && strspn(text, letters) == len;
}

/* "https://host" or "https://host:port", nothing after it; plain HTTP is for
 * a store on this very machine. */
static bool read_endpoint(struct arena *mem, const char *text,
                          struct http_place *out)
{
    int64_t port = 443;

    out->is_tls = str_starts(text, "https://");
    if (!out->is_tls && !str_starts(text, LOOPBACK) &&
        !str_starts(text, "http://localhost:"))
        return false;
    const char *host = text + (out->is_tls ? 8 : 7);
    size_t len = strlen(host);
    if (len && host[len - 1] == '/')
        len--;
    const char *colon = memchr(host, ':', len);
    if (colon && !str_parse_int(arena_strndup(mem, colon + 1,
                                              (size_t)(host + len - colon - 1)),
                                1, 65535, &port))
        return false;
    if (colon)
        len = (size_t)(colon - host);
    out->host = arena_strndup(mem, host, len);
    out->port = (int)port;
    return is_of(out->host, LOWER UPPER ".-", 1, 253);
}

static bool check_bucket(const struct config *c)
{
    struct arena *mem = arena_open(0);
    struct http_place place;
    const char *prefix = c->backup_s3_prefix ? c->backup_s3_prefix : "";
    bool good =
        complain(!read_endpoint(mem, c->backup_s3_endpoint, &place),
                 "backup_s3_endpoint is https://HOST or https://HOST:PORT");

    arena_close(mem);
    good &= complain(!c->backup_s3_bucket,
                     "backup_s3_endpoint needs backup_s3_bucket");
    good &= complain(c->backup_s3_bucket &&
                         !is_of(c->backup_s3_bucket, LOWER ".-", 3, 63),
                     "backup_s3_bucket is a-z, 0-9, . and -, 3 to 63");
    good &= complain(
        !is_of(prefix, LOWER UPPER "._/-", 0, 200) || *prefix == '/' ||
            strstr(prefix, "//"),
        "backup_s3_prefix is letters, digits, . _ - and /, without / before");
    good &= complain(strcmp(c->backup_s3_style, "path") != 0 &&
                         strcmp(c->backup_s3_style, "host") != 0,
                     "backup_s3_style is path or host");
    good &= complain(!is_of(c->backup_s3_region, LOWER "-", 1, 40),
                     "backup_s3_region is like ap-northeast-1");
    good &=
        complain(!c->backup_s3_key_id ||
                     !is_of(c->backup_s3_key_id, LOWER UPPER "+/=._-", 1, 128),
                 "backup_s3_endpoint needs backup_s3_key_id");
    good &=
        complain(!c->backup_s3_secret_file && !getenv("CREDENTIALS_DIRECTORY"),
                 "backup_s3_endpoint needs backup_s3_secret_file, "
                 "or the systemd credential backup_s3_secret");
    return good;
}

bool config_check_backup(const struct config *c)
{
    const char *dir = c->backup_copy_dir;
    size_t len = strlen(c->data_dir);
    bool good = complain(dir && *dir != '/', "backup_copy_dir is a whole path");

    good &= complain(dir && strncmp(dir, c->data_dir, len) == 0 &&
                         (dir[len] == '/' || !dir[len]),
                     "backup_copy_dir lies inside data_dir: a copy "
                     "belongs on another disk");
    good &= complain(c->backup_s3_bucket && !c->backup_s3_endpoint,
                     "backup_s3_bucket needs backup_s3_endpoint");
    good &= complain((dir || c->backup_s3_endpoint) && !c->backup_region,
                     "copies of backups need backup_region: where they lie, "
                     "such as jp");
    return (!c->backup_s3_endpoint || check_bucket(c)) && good;
}

/* ---- for the program ---- */

static enum err read_secret(struct arena *mem, const struct config *c,
                            const char **out)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    const char *path = c->backup_s3_secret_file;

    if (path)
        return config_read_secret(mem, path, 077, out);
    path = arena_printf(mem, "%s/backup_s3_secret",
                        credentials ? credentials : "");
    /* an access list shows as the group's */
    return config_read_secret(mem, path, 027, out);
}

static const char *whole_prefix(struct arena *mem, const char *text)
{
    size_t len = text ? strlen(text) : 0;

    if (len == 0)
        return "";
    return text[len - 1] == '/' ? text : arena_printf(mem, "%s/", text);
}

enum err config_set_up_backup(struct arena *mem, const struct config *c,
                              struct backup_places *out)
{
    if (!config_check_backup(c))
        return ERR_INVALID;
    *out = (struct backup_places){.dir = c->backup_copy_dir};
    if (!c->backup_s3_endpoint)
        return OK;
    struct s3_config *s3 = arena_new(mem, struct s3_config);
    if (!read_endpoint(mem, c->backup_s3_endpoint, &s3->place))
        return ERR_INVALID;
    s3->place.ca_file = c->backup_s3_ca;
    s3->place.timeout_ms = (int)clock_test_value("YAGURA_TEST_NET_MS", 0);
    s3->pause_ms = (int)clock_test_value("YAGURA_TEST_PAUSE_MS", 0);
    s3->bucket = c->backup_s3_bucket;
    s3->prefix = whole_prefix(mem, c->backup_s3_prefix);
    s3->region = c->backup_s3_region;
    s3->key_id = c->backup_s3_key_id;
    s3->is_path_style = strcmp(c->backup_s3_style, "path") == 0;
    out->s3 = s3;
    return read_secret(mem, c, &s3->secret);
}
