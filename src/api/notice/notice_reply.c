/* SPDX-License-Identifier: Apache-2.0 */
#include "api/notice/notice_reply.h"

static const struct field direct_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("tenant", REQUIRED)},
    {OUT_TEXT("tenant_name", REQUIRED)},
    {OUT_TEXT("person", REQUIRED)},
    {OUT_CHOICE("means", contact_means_words, REQUIRED)},
    {OUT_TEXT("at", REQUIRED)},
    {OUT_TEXT("answer", REQUIRED)},
    {OUT_TEXT("recorded_by", REQUIRED)},
    {OUT_TEXT("recorded_at", REQUIRED)},
};
const struct form direct_contact_reply_form = {"DirectContact", direct_fields,
                                               COUNT(direct_fields)};

void notice_put_facts(struct call *k, const struct notice *n)
{
    struct json_out *o = &k->out;

    json_id(o, "id", n->id);
    json_text(o, "kind", notice_kind_words[n->kind]);
    json_text(o, "state", notice_state_words[n->state]);
    json_text(o, "title_ja", n->title_ja);
    json_text(o, "title_en", n->title_en);
    json_moment(o, "starts_at", n->starts_at);
    json_moment(o, "ends_at", n->ends_at);
    json_moment(o, "published_at", n->published_at);
    json_moment(o, "corrected_at", n->corrected_at);
    json_moment(o, "withdrawn_at", n->withdrawn_at);
    json_bool(o, "is_emergency", n->is_emergency);
    json_id(o, "incident", n->incident_id);
    json_id(o, "follows", n->follows_id);
}

void notice_put_texts(struct call *k, const struct notice *n)
{
    struct json_out *o = &k->out;

    json_text(o, "body_ja", n->body_ja);
    json_text(o, "body_en", n->body_en);
    json_text(o, "reason_ja", n->reason_ja);
    json_text(o, "reason_en", n->reason_en);
}

void notice_put_contact(struct call *k, const struct direct_contact *d)
{
    struct json_out *o = &k->out;

    json_open(o, NULL, '{');
    json_id(o, "id", d->id);
    json_text(o, "tenant", d->tenant);
    json_text(o, "tenant_name", d->tenant_name);
    json_text(o, "person", d->person);
    json_text(o, "means", contact_means_words[d->means]);
    json_moment(o, "at", d->at);
    json_text(o, "answer", d->answer);
    json_text(o, "recorded_by", d->recorded_by);
    json_moment(o, "recorded_at", d->recorded_at);
    json_close(o, '}');
}

void notice_put_contacts(struct call *k, const struct direct_contact *list,
                         size_t count)
{
    json_open(&k->out, "direct_contacts", '[');
    for (size_t i = 0; i < count; i++)
        notice_put_contact(k, &list[i]);
    json_close(&k->out, ']');
}
