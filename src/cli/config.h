/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* The one configuration file: "key = value" lines, # begins a comment.  Every
 * key but secrets can also be a flag (--data-dir) or an environment variable
 * (YAGURA_DATA_DIR); flag beats environment beats file beats default. */
struct config {
    const char *path;      /* of the file all this was read from; NULL: none */
    const char *user;      /* whom root becomes */
    const char *log_level; /* debug info warn error */
    const char *data_dir;
    const char *master_key;      /* file, 0400; default DATA.key beside it */
    const char *listen;          /* "0.0.0.0:8443 [::]:8443", TLS */
    const char *listen_plain;    /* behind a proxy: "127.0.0.1:8080" */
    const char *operator_listen; /* "127.0.0.1:9464": /metrics, the operator's
                                    console; plain */
    const char *operator_host;   /* "ops.example.jp": the console, over TLS */
    const char *cert, *cert_key; /* PEM; default: self-signed, in data_dir */
    const char *base_url;        /* "https://pm.example.jp" */
    const char *tenant_listen;   /* "acme=0.0.0.0:9443": own listeners */
    const char *domain_is_own;   /* yes, no: hosts below base_url's */
    const char *trusted_proxies; /* CIDRs, blanks between */
    const char *smtp_host, *smtp_port, *smtp_security, *smtp_user;
    const char *smtp_password_file, *smtp_ca, *smtp_from, *smtp_from_name;
    const char *mail_spool; /* folder: mails are written here instead */
    const char *threads;
    /* "jp": where the paths are, as the trust page compares them */
    const char *operator_name;
    const char *data_region, *backup_region, *log_region;
    /* copies of each backup: a second folder, and a bucket */
    const char *backup_copy_dir;
    const char *backup_s3_endpoint; /* "https://s3.example.jp" */
    const char *backup_s3_bucket, *backup_s3_prefix;
    const char *backup_s3_style;  /* "path", "host" */
    const char *backup_s3_region; /* as signed: "ap-northeast-1" */
    const char *backup_s3_key_id;
    const char *backup_s3_secret_file; /* 0400; or a systemd credential */
    const char *backup_s3_ca;
    /* the weakest password policy a tenant may have */
    const char *password_profile, *password_min, *password_days;
};

/* Takes --config FILE and one flag a key out of argv; says on stderr what is
 * wrong, with file and line. */
MUST_USE enum err config_load(struct arena *mem, int *argc, char **argv,
                              struct config *out);
/* From the log_level that was checked. */
void config_set_log_level(const struct config *config);
/* Every problem found, one line each on stderr; false when there is any. */
bool config_check(const struct config *config);
/* The one line of a file that nobody else may read: others, of its mode, must
 * be clear.  Says on stderr what is wrong. */
MUST_USE enum err config_read_secret(struct arena *mem, const char *path,
                                     unsigned others, const char **out);
/* base_url, or localhost at the port of the first listener. */
const char *config_base_url(struct arena *mem, const struct config *c);
/* Logs each key that differs and that a running server cannot take over. */
void config_tell_changes(const struct config *old, const struct config *now);
void config_print_keys(void);                  /* for --help */
void config_show(const struct config *config); /* no secrets are in it */
/* The same without names of people, companies and hosts. */
void config_show_discreetly(const struct config *config);

#endif
