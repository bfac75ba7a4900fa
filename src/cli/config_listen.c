/* SPDX-License-Identifier: Apache-2.0 */
/* "0.0.0.0:8443 [::]:8443", and of tenants "acme=0.0.0.0:9443". */
#include "cli/config_listen.h"

#include "base/buf.h"
#include "base/ip_address.h"
#include "base/log.h"
#include "base/str.h"
#include "db/store.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 64 };

const char *const *config_split(struct arena *mem, const char *text)
{
    const char **words = arena_array(mem, const char *, WORDS_MAX + 1);
    char *rest;
    size_t n = 0;

    if (!text)
        return NULL;
    for (char *w = strtok_r(arena_strdup(mem, text), " ,", &rest);
         w && n < WORDS_MAX; w = strtok_r(NULL, " ,", &rest))
        words[n++] = w;
    return words;
}

bool config_is_loopback(const char *host)
{
    struct ip_address a;

    return strcmp(host, "localhost") == 0 ||
           (ip_address_parse(host, &a) && ip_address_is_loopback(&a));
}

static bool complain(const char *key, const char *word, const char *text)
{
    log_complain("config: %s: %s %s", key, word, text);
    return false;
}

/* "[::]:8443" */
static bool read_one(struct arena *mem, const char *word, struct listener *out)
{
    char *host = arena_strdup(mem, word), *colon = strrchr(host, ':');
    size_t len = colon ? (size_t)(colon - host) : 0;
    struct ip_address a;
    int64_t port;

    if (!colon || !str_parse_int(colon + 1, 0, 65535, &port))
        return false;
    *colon = 0;
    if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = 0;
        host++;
    }
    out->address = host;
    out->port = (int)port;
    return ip_address_parse(host, &a);
}

/* Whether trusted_proxies names a machine besides this one: what is plain may
 * leave it for such a proxy alone. */
static bool has_far_proxy(struct arena *mem, const struct config *c)
{
    const char *const *ranges = config_split(mem, c->trusted_proxies);
    struct ip_address_range r;

    for (; ranges && *ranges; ranges++)
        if (ip_address_parse_range(*ranges, &r) &&
            !ip_address_is_loopback(&r.base))
            return true;
    return false;
}

enum door { DOOR_TLS, DOOR_PLAIN, DOOR_OPERATOR, DOOR_TENANT };

static bool add_word(struct arena *mem, const struct config *c, const char *key,
                     const char *word, enum door door, struct listen_plan *out)
{
    struct listener l = {.is_tls = door == DOOR_TLS || door == DOOR_TENANT};
    bool is_plain_base = c->base_url && str_starts(c->base_url, "http://");
    const char *place = word, *tenant = NULL;

    if (door == DOOR_TENANT) {
        const char *equals = strchr(word, '=');
        tenant =
            equals ? arena_strndup(mem, word, (size_t)(equals - word)) : "";
        place = equals ? equals + 1 : "";
        if (!tenant_is_id(tenant))
            return complain(key, word, "is not TENANT=ADDRESS:PORT");
    }
    if (!read_one(mem, place, &l))
        return complain(key, word,
                        "is no address and port, such as 0.0.0.0:8443 or "
                        "[::]:8443");
    if (door == DOOR_OPERATOR && !config_is_loopback(l.address))
        return complain(key, word,
                        "is plain HTTP: 127.0.0.1 or [::1] alone; over a "
                        "network the console answers under operator_host");
    if (door == DOOR_PLAIN && !config_is_loopback(l.address) &&
        !has_far_proxy(mem, c))
        return complain(key, word,
                        "is plain HTTP: on another address than 127.0.0.1 "
                        "or [::1] name the proxy in trusted_proxies; it "
                        "alone is answered there");
    l.is_https = l.is_tls || (door == DOOR_PLAIN && !is_plain_base);
    if (door == DOOR_OPERATOR && out->operator_listener >= 0)
        return complain(key, word, "is one too many: this key takes one");
    if (out->count == LISTENERS_MAX)
        return complain(key, word, "is one too many: 16 in all");
    if (door == DOOR_OPERATOR)
        out->operator_listener = (int)out->count;
    out->tenants[out->count] = tenant;
    out->list[out->count++] = l;
    return true;
}

bool config_read_listeners(struct arena *mem, const struct config *c,
                           struct listen_plan *out)
{
    const struct {
        const char *key, *text;
        enum door door;
    } keys[] = {
        {"listen", c->listen, DOOR_TLS},
        {"listen_plain", c->listen_plain, DOOR_PLAIN},
        {"tenant_listen", c->tenant_listen, DOOR_TENANT},
        {"operator_listen", c->operator_listen, DOOR_OPERATOR},
    };
    bool good = true;

    *out = (struct listen_plan){.operator_listener = -1};
    for (size_t i = 0; i < COUNT(keys); i++) {
        const char *const *words = config_split(mem, keys[i].text);
        for (; words && *words; words++)
            good &= add_word(mem, c, keys[i].key, *words, keys[i].door, out);
    }
    return good;
}

/* ---- what it comes to ---- */

static const char *name_place(struct arena *mem, const struct listener *l)
{
    char text[IP_ADDRESS_TEXT_BYTES];
    struct ip_address a;

    if (!ip_address_parse(l->address, &a))
        return l->address;
    ip_address_format(&a, text);
    return arena_printf(mem, ip_address_is_v4(&a) ? "%s:%d" : "[%s]:%d", text,
                        l->port);
}

const char *config_name_listener(struct arena *mem, const struct listener *l)
{
    const char *how = l->is_tls ? "TLS"
                      : config_is_loopback(l->address)
                          ? "plain, for this machine"
                          : "plain, for "
                            "trusted_proxies alone";

    return arena_printf(mem, "%s: %s", name_place(mem, l), how);
}

const char *config_socket_unit(struct arena *mem, const struct config *c)
{
    struct listen_plan *plan = arena_new(mem, struct listen_plan);
    struct buf b = buf_in(mem);

    if (!config_read_listeners(mem, c, plan))
        return "";
    for (size_t i = 0; i < plan->count; i++) {
        const struct listener *l = &plan->list[i];
        if ((int)i == plan->operator_listener || l->port == 0)
            continue;
        if (!b.len) /* the unit's own list is emptied first */
            buf_puts(&b, "# by yagura config sockets\n[Socket]\n"
                         "ListenStream=\n");
        /* a bare port is every address, also where IPv6 is switched off */
        if (strcmp(l->address, "::") == 0)
            buf_printf(&b, "ListenStream=%d\n", l->port);
        else
            buf_printf(&b, "ListenStream=%s\n", name_place(mem, l));
    }
    buf_puts(&b, "");
    return b.len ? b.data : "";
}

/* What the generator wrote at the last systemctl daemon-reload. */
#define IN_FORCE "/run/systemd/generator/yagura.socket.d/listen.conf"

static void say_unit(struct arena *mem, const struct config *c)
{
    const char *wanted = config_socket_unit(mem, c);
    char text[4096];
    FILE *f = fopen(IN_FORCE, "re");

    if (!f)
        return;
    size_t len = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[len] = 0;
    if (strcmp(text, wanted) != 0)
        printf("yagura.socket holds other ports, and the next start is refused "
               "until:\n  systemctl daemon-reload\n"
               "  systemctl restart yagura.socket yagura.service\n");
}

void config_say_listeners(struct arena *mem, const struct config *c)
{
    struct listen_plan *plan = arena_new(mem, struct listen_plan);

    if (!config_read_listeners(mem, c, plan))
        return;
    for (size_t i = 0; i < plan->count; i++) {
        const struct listener *l = &plan->list[i];
        const char *whom =
            plan->tenants[i]
                ? arena_printf(mem, ", tenant %s alone", plan->tenants[i])
            : (int)i == plan->operator_listener ? ", the operator's console"
                                                : "";
        printf("%s%s\n", config_name_listener(mem, l), whom);
    }
    say_unit(mem, c);
}
