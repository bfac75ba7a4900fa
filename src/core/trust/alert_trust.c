/* SPDX-License-Identifier: Apache-2.0 */
/* Row 23 of the trust page: whether alerts are looked for, addressed to
 * somebody, and reach them. */
#include "core/alert/alert.h"

#include "core/core.h"
#include "core/trust/trust.h"
#include "db/query.h"

#define US_PER_HOUR INT64_C(3600000000)
enum {
    ROWS_BEHIND = 2000, /* a round leaves some for the next */
    SPAN_DAYS = 30
};

enum { ALERT_RULES, ALERT_MAILS };
static const char *const measure_text[] = {
    /* switched on, but told to nobody; or rows of an hour ago unread */
    [ALERT_RULES] =
        "SELECT count(*), coalesce(sum(is_on), 0), coalesce(sum(is_on AND NOT"
        " EXISTS (SELECT 1 FROM alert_reader a JOIN user u ON u.id = a.user_id"
        " AND u.state = 1 WHERE a.rule_id = alert_rule.id)), 0),"
        " coalesce(sum(is_on AND source = 0 AND EXISTS (SELECT 1 FROM"
        " operation o WHERE o.seq = seen_seq + ?2 AND o.at < ?1)), 0)"
        " FROM alert_rule",
    [ALERT_MAILS] = "SELECT coalesce(sum(state = 1), 0),"
                    " coalesce(sum(state = 0 AND created_at < ?2), 0) FROM mail"
                    " INDEXED BY mail_alert WHERE alert_id IS NOT NULL"
                    " AND created_at >= ?1",
};
const struct query_set alert_trust_queries = {"alert_trust", measure_text,
                                              COUNT(measure_text)};

static enum err measure_rules(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, measure_text[ALERT_RULES]);

    bind_int(q, 1, c->now_us - US_PER_HOUR);
    bind_int(q, 2, ROWS_BEHIND);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t unheard = col_int(q, 2), behind = col_int(q, 3);
    trust_show(c, out, 23, unheard == 0 && behind == 0,
               "通知の決まり %lld 件、うち有効 %lld 件（宛先のないもの %lld "
               "件、遅れているもの %lld 件）",
               "Alert rules: %lld, switched on: %lld (told to nobody: %lld, "
               "behind: %lld)",
               (long long)col_int(q, 0), (long long)col_int(q, 1),
               (long long)unheard, (long long)behind);
    query_done(q);
    return OK;
}

/* What the relay has taken is no row any more. */
static enum err measure_mails(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, measure_text[ALERT_MAILS]);

    bind_int(q, 1, c->now_us - SPAN_DAYS * 24 * US_PER_HOUR);
    bind_int(q, 2, c->now_us - US_PER_HOUR);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t failed = col_int(q, 0), late = col_int(q, 1);
    trust_show(c, out, 23, failed == 0 && late == 0,
               "%d 日間に届けられなかった通知メール %lld 件、1時間を超えて"
               "送れずにいるもの %lld 件",
               "Alert mails of %d days that could not be delivered: %lld; "
               "waiting for more than an hour: %lld",
               SPAN_DAYS, (long long)failed, (long long)late);
    query_done(q);
    return OK;
}

enum err alert_measure(struct ctx *c, struct trust_list *out)
{
    enum err e = measure_rules(c, out);

    return e ? e : measure_mails(c, out);
}
