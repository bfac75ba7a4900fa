/* SPDX-License-Identifier: Apache-2.0 */
#include "api/desk/support_request_reply.h"

#include "base/str.h"

static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_CHOICE("category", support_request_category_words, REQUIRED)},
    {OUT_TEXT("subject", REQUIRED)},
    {OUT_CHOICE("state", support_request_state_words, REQUIRED)},
    {OUT_TEXT("user", REQUIRED)},
    {OUT_TEXT("opened_at", REQUIRED)},
    {OUT_TEXT("updated_at", REQUIRED)},
    {OUT_TEXT("due_at", NULLABLE)},
    {OUT_TEXT("answered_at", NULLABLE)},
    {OUT_TEXT("closed_at", NULLABLE)},
    {OUT_DAY("from", NULLABLE)},
    {OUT_DAY("to", NULLABLE)},
    {OUT_CHOICE("format", support_request_format_words, REQUIRED)},
    {OUT_CHOICE("decision", support_request_decision_words, REQUIRED)},
    {OUT_INT("version", REQUIRED)},
};
const struct form support_request_reply_form = {"Enquiry", reply_fields,
                                                COUNT(reply_fields)};
static const struct field upload_fields[] = {
    {ID("message", REQUIRED, "返信", "Message")},
    {TEXT("name", 1, SUPPORT_REQUEST_NAME_MAX, REQUIRED, "ファイル名",
          "File name")},
};
const struct form support_request_upload_form = {"EnquiryUpload", upload_fields,
                                                 COUNT(upload_fields)};
static const struct field file_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_INT("size", REQUIRED)},
    {OUT_TEXT("sha256", REQUIRED)},
};
const struct form support_request_file_form = {"EnquiryFile", file_fields,
                                               COUNT(file_fields)};

static void put_fields(struct json_out *o, const struct support_request *it)
{
    json_id(o, "id", it->id);
    json_text(o, "category", support_request_category_words[it->category]);
    json_text(o, "subject", it->subject);
    json_text(o, "state", support_request_state_words[it->state]);
    json_text(o, "user", it->user_name);
    json_moment(o, "opened_at", it->opened_at);
    json_moment(o, "updated_at", it->updated_at);
    json_moment(o, "due_at", it->due_at);
    json_moment(o, "answered_at", it->answered_at);
    json_moment(o, "closed_at", it->closed_at);
    json_day(o, "from", it->from_day);
    json_day(o, "to", it->to_day);
    json_text(o, "format", support_request_format_words[it->format]);
    json_text(o, "decision", support_request_decision_words[it->decision]);
    json_int(o, "version", it->version);
}

void support_request_put(struct call *k, const struct support_request *it)
{
    json_open(&k->out, NULL, '{');
    put_fields(&k->out, it);
    json_close(&k->out, '}');
}

void support_request_put_file(struct call *k,
                              const struct support_request_file *f)
{
    char hash[2 * CRYPTO_HASH_BYTES + 1];

    str_to_hex(f->sha256, sizeof f->sha256, hash);
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", f->id);
    json_text(&k->out, "name", f->name);
    json_int(&k->out, "size", f->size);
    json_text(&k->out, "sha256", hash);
    json_close(&k->out, '}');
}

static void put_message(struct call *k, const struct support_request_view *v,
                        const struct support_request_message *m)
{
    struct json_out *o = &k->out;

    json_open(o, NULL, '{');
    json_id(o, "id", m->id);
    json_moment(o, "at", m->at);
    json_bool(o, "is_desk", m->is_desk);
    json_id(o, "author_id", m->author_id);
    json_text(o, "author", m->author);
    json_text(o, "sender", m->sender);
    json_moment(o, "sent_at", m->sent_at);
    json_text(o, "body", m->body);
    json_open(o, "files", '[');
    for (size_t i = 0; i < v->file_count; i++)
        if (v->files[i].message_id == m->id)
            support_request_put_file(k, &v->files[i]);
    json_close(o, ']');
    json_close(o, '}');
}

void support_request_put_view(struct call *k,
                              const struct support_request_view *v)
{
    call_etag(k, v->it.version);
    json_open(&k->out, NULL, '{');
    put_fields(&k->out, &v->it);
    json_open(&k->out, "messages", '[');
    for (size_t i = 0; i < v->message_count; i++)
        put_message(k, v, &v->messages[i]);
    json_close(&k->out, ']');
    json_close(&k->out, '}');
}

enum err support_request_read_upload(struct call *k,
                                     struct support_request_file *out,
                                     const char **data)
{
    size_t len;
    enum err e = call_read_body(k, SUPPORT_REQUEST_FILE_BYTES, data, &len);

    if (e == ERR_LIMIT)
        return ctx_fail(k->c, e, "", "file_size",
                        "ファイルが大きすぎます（上限 10 MB）",
                        "The file is larger than 10 MB");
    if (e)
        return e;
    *out = (struct support_request_file){
        .message_id = values_int(k->query, "message", 0),
        .name = values_text(k->query, "name"),
        .size = (int64_t)len,
    };
    return OK;
}
