/* SPDX-License-Identifier: Apache-2.0 */
/* One table of keys serves the file, the flags, the environment and the
 * output of `config show`. */
#include "cli/config.h"

#include "base/ip_address.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/config_backup.h"
#include "cli/config_listen.h"
#include "cli/server_process.h"
#include "core/document/region.h"

#include <ctype.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY(name, fallback, help)                                              \
    {                                                                          \
#name, offsetof(struct config, name), fallback, help, false            \
    }
/* One that a running server takes over on SIGHUP. */
#define LIVE_KEY(name, fallback, help)                                         \
    {                                                                          \
#name, offsetof(struct config, name), fallback, help, true             \
    }

static const struct key {
    const char *name;
    size_t offset;
    const char *fallback, *help;
    bool is_live;
} keys[] = {
    KEY(user, NULL, "whom root becomes once the ports are open"),
    LIVE_KEY(log_level, "info", "debug, info, warn or error"),
    KEY(data_dir, "/var/lib/yagura", "where everything is kept"),
    KEY(master_key, NULL, "file of 32 bytes, mode 0400, outside data_dir"),
    KEY(listen, "0.0.0.0:8443", "TLS: addresses and ports, blanks between"),
    KEY(listen_plain, NULL, "without TLS, behind a proxy on this machine"),
    KEY(operator_listen, NULL,
        "figures and the operator's console, plain: loopback"),
    KEY(operator_host, NULL, "host name of the operator's console, over TLS"),
    KEY(cert, NULL, "PEM chain; without one a self-signed one is made"),
    KEY(cert_key, NULL, "PEM key of cert"),
    KEY(base_url, NULL, "how people reach it: https://pm.example.jp"),
    KEY(domain_is_own, "no", "yes: all hosts below it too: HSTS for them"),
    KEY(tenant_listen, NULL, "where a tenant is served alone: ID=ADDRESS:PORT"),
    KEY(trusted_proxies, NULL, "CIDRs whose X-Forwarded-For is believed"),
    LIVE_KEY(smtp_host, NULL, "mail relay"),
    LIVE_KEY(smtp_port, "465", "its port"),
    LIVE_KEY(smtp_security, "tls", "tls, starttls, or plain (loopback only)"),
    LIVE_KEY(smtp_user, NULL, "for AUTH"),
    LIVE_KEY(smtp_password_file, NULL, "file with the password, mode 0400"),
    LIVE_KEY(smtp_ca, "/etc/ssl/certs/ca-certificates.crt",
             "whom the relay must be certified by"),
    LIVE_KEY(smtp_from, NULL, "sender address"),
    LIVE_KEY(smtp_from_name, "Yagura", "sender name"),
    KEY(mail_spool, NULL, "write mails into this folder instead"),
    KEY(threads, NULL, "most connections served at once"),
    KEY(operator_name, NULL, "who runs the service, as the trust page says"),
    KEY(data_region, NULL, "where the data is: jp, jp-tokyo"),
    KEY(backup_region, NULL, "where the backups are"),
    KEY(log_region, NULL, "where the logs are"),
    KEY(backup_copy_dir, NULL, "a second folder for each generation"),
    KEY(backup_s3_endpoint, NULL,
        "https://s3.example.jp: a bucket for each generation"),
    KEY(backup_s3_bucket, NULL, "its name"),
    KEY(backup_s3_prefix, NULL, "beginning of the names in it"),
    KEY(backup_s3_style, "path", "path, or host"),
    KEY(backup_s3_region, "us-east-1", "as signed"),
    KEY(backup_s3_key_id, NULL, "access key id"),
    KEY(backup_s3_secret_file, NULL, "file with the secret key, mode 0400"),
    KEY(backup_s3_ca, "/etc/ssl/certs/ca-certificates.crt",
        "whom the endpoint must be certified by"),
    KEY(password_profile, "whitepaper",
        "weakest policy of a tenant: whitepaper or modern"),
    KEY(password_min, NULL, "fewest characters a tenant may ask for"),
    KEY(password_days, NULL, "longest life of a password a tenant may allow"),
};

enum { SECRET_MAX = 256 };

static const char **slot(struct config *c, const struct key *k)
{
    return (const char **)(void *)((char *)c + k->offset);
}

/* "data-dir" and "DATA_DIR" are both data_dir. */
static const struct key *find_key(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT(keys); i++) {
        size_t n = 0;
        while (n < len && keys[i].name[n] &&
               (name[n] == '-' ? '_' : tolower((unsigned char)name[n])) ==
                   keys[i].name[n])
            n++;
        if (n == len && !keys[i].name[n])
            return &keys[i];
    }
    return NULL;
}

static enum err read_line(struct arena *mem, struct config *out, char *line,
                          const char *path, int number)
{
    char *text = str_trim(mem, line);
    char *equals = strchr(text, '=');

    if (*text == '#' || !*text)
        return OK;
    if (!equals) {
        log_complain("%s:%d: expected key = value", path, number);
        return ERR_INVALID;
    }
    *equals = 0;
    const char *name = str_trim(mem, text);
    const struct key *k = find_key(name, strlen(name));
    if (!k) {
        log_complain("%s:%d: unknown key %s", path, number, name);
        return ERR_INVALID;
    }
    *slot(out, k) = str_trim(mem, equals + 1);
    return OK;
}

static enum err read_file(struct arena *mem, const char *path,
                          struct config *out)
{
    FILE *f = fopen(path, "re");
    char line[4096];
    enum err e = OK;

    if (!f) {
        log_complain("yagura: cannot read %s", path);
        return ERR_INVALID;
    }
    for (int n = 1; !e && fgets(line, sizeof(line), f); n++)
        e = read_line(mem, out, line, path, n);
    (void)fclose(f);
    return e;
}

static void read_environment(struct config *out)
{
    for (size_t i = 0; i < COUNT(keys); i++) {
        char name[64] = "YAGURA_";
        size_t n = strlen(name);
        for (const char *p = keys[i].name; *p; p++)
            name[n++] = (char)toupper((unsigned char)*p);
        name[n] = 0;
        const char *value = getenv(name);
        if (value && *value)
            *slot(out, &keys[i]) = value;
    }
}

/* Takes "--key value" and "--key=value" of the table out of argv. */
static void read_flags(struct config *out, int *argc, char **argv)
{
    int left = 0;

    for (int i = 0; i < *argc; i++) {
        const char *word = argv[i];
        size_t len = strncmp(word, "--", 2) == 0 ? strcspn(word + 2, "=") : 0;
        const struct key *k = len ? find_key(word + 2, len) : NULL;
        if (k && word[2 + len])
            *slot(out, k) = word + 3 + len;
        else if (k && i + 1 < *argc)
            *slot(out, k) = argv[++i];
        else
            argv[left++] = argv[i];
    }
    *argc = left;
}

/* Where the package puts it: taken when nothing else is said. */
#define INSTALLED "/etc/yagura/yagura.conf"

static const char *take_config_path(int *argc, char **argv)
{
    const char *path = getenv("YAGURA_CONFIG");

    if (!path && access(INSTALLED, R_OK) == 0)
        path = INSTALLED;
    int left = 0;

    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < *argc)
            path = argv[++i];
        else
            argv[left++] = argv[i];
    }
    *argc = left;
    return path;
}

/* A secret that systemd hands over (LoadCredential=) goes before a file. */
static void take_credential(struct arena *mem, const char *name,
                            const char **slot)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    const char *path = dir ? arena_printf(mem, "%s/%s", dir, name) : NULL;

    if (path && access(path, F_OK) == 0)
        *slot = path;
}

enum err config_load(struct arena *mem, int *argc, char **argv,
                     struct config *out)
{
    const char *path = take_config_path(argc, argv);

    *out = (struct config){0};
    for (size_t i = 0; i < COUNT(keys); i++)
        *slot(out, &keys[i]) = keys[i].fallback;
    if (path) {
        enum err e = read_file(mem, path, out);
        if (e)
            return e;
    }
    read_environment(out);
    read_flags(out, argc, argv);
    out->path = path;
    take_credential(mem, "master-key", &out->master_key);
    take_credential(mem, "smtp-password", &out->smtp_password_file);
    if (!out->master_key)
        out->master_key = arena_printf(mem, "%s.key", out->data_dir);
    return OK;
}

static bool complain(bool bad, const char *text)
{
    if (bad)
        log_complain("config: %s", text);
    return !bad;
}

static const char *const level_words[] = {[LOG_DEBUG] = "debug",
                                          [LOG_INFO] = "info",
                                          [LOG_WARN] = "warn",
                                          [LOG_ERROR] = "error"};

static bool find_level(const char *word, enum log_level *out)
{
    for (size_t i = 0; i < COUNT(level_words); i++)
        if (strcmp(word, level_words[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

void config_set_log_level(const struct config *c)
{
    enum log_level level;

    if (find_level(c->log_level, &level))
        log_set_level(level);
}

static bool is_all_of_v4(const struct ip_address_range *r)
{
    return r->prefix == 96 && ip_address_is_v4(&r->base);
}

static bool check_network(const struct config *c)
{
    struct arena *mem = arena_open(0);
    struct listen_plan *plan = arena_new(mem, struct listen_plan);
    bool good = config_read_listeners(mem, c, plan);
    const char *const *ranges = config_split(mem, c->trusted_proxies);
    struct ip_address_range range;

    for (; ranges && *ranges; ranges++) {
        const char *fault = !ip_address_parse_range(*ranges, &range)
                                ? "no range of addresses, such as 10.0.0.0/8"
                            : range.prefix == 0 || is_all_of_v4(&range)
                                ? "everybody: name the proxies alone"
                                : NULL;
        if (fault)
            log_complain("config: trusted_proxies: %s is %s", *ranges, fault);
        good &= !fault;
    }
    arena_close(mem);
    return good;
}

/* What links in mails can begin with: scheme, host and port, no path. */
static bool is_base_url(const char *text)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    const char *p = strstr(text, "://");
    int64_t port = 0;
    size_t len;

    if (!p || (!str_starts(text, "https://") && !str_starts(text, "http://")))
        return false;
    p += 3;
    if (*p == '[') {
        len = strspn(p + 1, "0123456789abcdefABCDEF:.");
        if (len == 0 || p[len + 1] != ']')
            return false;
        p += len + 2;
    } else {
        len = strspn(p, name);
        if (len == 0 || *p == '.' || *p == '-')
            return false;
        p += len;
    }
    if (*p == ':') {
        char digits[6] = "";
        len = strspn(p + 1, "0123456789");
        if (len == 0 || len >= sizeof digits)
            return false;
        memcpy(digits, p + 1, len);
        if (!str_parse_int(digits, 1, 65535, &port))
            return false;
        p += len + 1;
    }
    return !*p || (p[0] == '/' && !p[1]);
}

bool config_check(const struct config *c)
{
    enum log_level level;
    struct stat st;
    int64_t port, number;
    bool good = true;

    good &= complain(!find_level(c->log_level, &level),
                     "log_level is debug, info, warn or error");
    good &= complain(!c->cert != !c->cert_key, "cert and cert_key go together");
    good &= complain(c->cert && stat(c->cert, &st) != 0, "cert is not there");
    good &= complain(!c->mail_spool && !c->smtp_host,
                     "set smtp_host, or mail_spool to write mails to a folder");
    good &= complain(c->smtp_host && !c->smtp_from, "set smtp_from");
    good &= complain(!str_parse_int(c->smtp_port, 1, 65535, &port),
                     "smtp_port is not a port");
    good &=
        complain(strcmp(c->smtp_security, "tls") != 0 &&
                     strcmp(c->smtp_security, "starttls") != 0 &&
                     strcmp(c->smtp_security, "plain") != 0,
                 "smtp_security is tls, starttls, or plain (loopback only)");
    good &= complain(
        c->smtp_host && strcmp(c->smtp_security, "plain") == 0 &&
            !config_is_loopback(c->smtp_host),
        "smtp_security plain is for a relay on this machine: smtp_host "
        "localhost, 127.0.0.1 or ::1");
    good &= complain(c->smtp_user && !c->smtp_password_file,
                     "smtp_user needs smtp_password_file");
    good &= complain(c->base_url && !is_base_url(c->base_url),
                     "base_url is https:// and a host name, perhaps a port: "
                     "https://pm.example.jp");
    good &= complain(strcmp(c->domain_is_own, "yes") != 0 &&
                         strcmp(c->domain_is_own, "no") != 0,
                     "domain_is_own is yes or no");
    good &= complain(strcmp(c->password_profile, "whitepaper") != 0 &&
                         strcmp(c->password_profile, "modern") != 0,
                     "password_profile is whitepaper or modern");
    good &= complain(c->password_min &&
                         !str_parse_int(c->password_min, 8, 128, &number),
                     "password_min is 8 to 128 characters");
    good &= complain(c->password_days &&
                         !str_parse_int(c->password_days, 1, 3650, &number),
                     "password_days is 1 to 3650");
    good &=
        complain((c->data_region && !region_is_tag(c->data_region)) ||
                     (c->backup_region && !region_is_tag(c->backup_region)) ||
                     (c->log_region && !region_is_tag(c->log_region)),
                 "data_region, backup_region and log_region are a "
                 "country's two letters, with more after a hyphen if need "
                 "be: jp, jp-tokyo");
    good &= complain(c->threads && !str_parse_int(c->threads, 1, 4096, &number),
                     "threads is 1 to 4096");
    good &= check_network(c);
    return config_check_backup(c) && good;
}

enum err config_read_secret(struct arena *mem, const char *path,
                            unsigned others, const char **out)
{
    char text[SECRET_MAX + 2] = "";
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        log_complain("yagura: cannot read %s", path);
        if (fd >= 0)
            (void)close(fd);
        return ERR_INVALID;
    }
    ssize_t n = read(fd, text, SECRET_MAX + 1);
    (void)close(fd);
    if (st.st_mode & others) {
        log_complain("yagura: %s must be a file of mode 0400", path);
        return ERR_DENIED;
    }
    size_t len = strcspn(text, "\r\n");
    if (n <= 0 || n > SECRET_MAX || len == 0) {
        log_complain("yagura: %s holds no secret on one line", path);
        return ERR_INVALID;
    }
    *out = arena_strndup(mem, text, len);
    return OK;
}

const char *config_base_url(struct arena *mem, const struct config *c)
{
    const char *port = c->listen ? strchr(c->listen, ':') : NULL;

    if (c->base_url) /* without a slash at the end */
        return arena_strndup(mem, c->base_url,
                             strlen(c->base_url) -
                                 (c->base_url[strlen(c->base_url) - 1] == '/'));
    for (const char *p = port; p && *p && *p != ' ' && *p != ','; p++)
        if (*p == ':')
            port = p;
    return arena_printf(mem, "https://localhost%.*s",
                        port ? (int)strcspn(port, " ,") : 0, port ? port : "");
}

void config_print_keys(void)
{
    for (size_t i = 0; i < COUNT(keys); i++)
        printf("  --%-21s %s%s%s%s%s\n", keys[i].name, keys[i].help,
               keys[i].fallback ? " (" : "",
               keys[i].fallback ? keys[i].fallback : "",
               keys[i].fallback ? ")" : "", keys[i].is_live ? "; SIGHUP" : "");
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

void config_tell_changes(const struct config *old, const struct config *now)
{
    struct config a = *old, b = *now;

    for (size_t i = 0; i < COUNT(keys); i++)
        if (!keys[i].is_live &&
            !is_same(*slot(&a, &keys[i]), *slot(&b, &keys[i])))
            log_warn("configuration: %s changed, which takes a restart",
                     keys[i].name);
}

static bool names_somebody(const char *key)
{
    static const char *const keys_of_names[] = {
        "operator_host", "base_url",  "tenant_listen", "trusted_proxies",
        "smtp_host",     "smtp_user", "smtp_from",     "smtp_from_name"};

    for (size_t i = 0; i < COUNT(keys_of_names); i++)
        if (strcmp(key, keys_of_names[i]) == 0)
            return true;
    return false;
}

static void show(const struct config *c, bool is_discreet)
{
    struct config copy = *c;

    for (size_t i = 0; i < COUNT(keys); i++) {
        const char *value = *slot(&copy, &keys[i]);
        if (value && is_discreet && names_somebody(keys[i].name))
            value = "(set)";
        printf("%s%s = %s\n", value ? "" : "# ", keys[i].name,
               value ? value : "");
    }
}

void config_show(const struct config *c)
{
    show(c, false);
}

void config_show_discreetly(const struct config *c)
{
    show(c, true);
}

int cli_config(int argc, char **argv)
{
    struct arena *mem = arena_open(0);
    struct config config;
    enum err e = config_load(mem, &argc, argv, &config);
    int code = 1;

    if (e) {
        /* said already */
    } else if (argc == 1 && strcmp(argv[0], "--help") == 0) {
        printf("usage: yagura config check|show|sockets [--config FILE]\n");
        code = 0;
    } else if (argc == 1 && strcmp(argv[0], "show") == 0) {
        config_show(&config);
        code = 0;
    } else if (argc == 1 && strcmp(argv[0], "check") == 0) {
        code = config_check(&config) && server_process_check_place(&config) ? 0
                                                                            : 1;
        if (code == 0) {
            config_say_listeners(mem, &config);
            printf("ok\n");
        }
    } else if (argc == 1 && strcmp(argv[0], "sockets") == 0) {
        const char *unit = config_socket_unit(mem, &config);
        printf("%s", unit);
        code = *unit ? 0 : 1;
    } else {
        fprintf(stderr,
                "usage: yagura config check|show|sockets [--config FILE]\n");
        code = 2;
    }
    arena_close(mem);
    return code;
}
