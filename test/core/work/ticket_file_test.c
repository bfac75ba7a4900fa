/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a ticket's files: what one is, how many and how much fit, who
 * takes one away, and that nothing of it stays when the change fails. */
#include "core/core_fixture.h"

#include "core/scheduler.h"
#include "core/work/ticket_file.h"

#define ADMIN     1
#define PNG_MAGIC "\x89PNG\r\n\x1a\n"
/* One transparent point. */
static const char png[] =
    PNG_MAGIC "\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89"
              "\0\0\0\rIDATx\xda\x63\x64\xf8\xcf\x50\x0f\0\x03\x86\x01\x80"
              "\x5a\x34\x7d\x6b\0\0\0\0IEND\xae\x42\x60\x82";

static int64_t make_ticket(struct world *w)
{
    assert_int_equal(world_edit(w, ADMIN,
                                "{\"op\":\"create\",\"subject\":\"x\","
                                "\"classification\":\"task\"}"),
                     OK);
    return world_number(w, "SELECT max(id) FROM ticket", 0);
}

/* One request, as the API makes it: prepared first, then written. */
static enum err add(struct world *w, int64_t user, int64_t ticket,
                    const char *name, const char *data, size_t len,
                    struct ticket_file *out)
{
    struct ticket_upload up;
    struct buf b = {0};

    world_begin(w, user, TX_WRITE);
    b = buf_in(w->c.mem);
    struct json_out o = {.b = &b};
    json_open(&o, NULL, '{');
    json_text(&o, "name", name);
    json_close(&o, '}');
    const struct values *v = world_values(w, &ticket_file_upload_form, b.data);
    enum err e =
        v ? ticket_file_prepare(&w->c, v, data, len, &up) : ERR_INVALID;
    if (!e)
        e = ticket_file_add(&w->c, ticket, &up, out);
    return world_end(w, e);
}

static void refused(struct world *w, enum err want, const char *rule,
                    int64_t ticket, const char *name, const char *data,
                    size_t len)
{
    struct ticket_file f;

    assert_int_equal(add(w, ADMIN, ticket, name, data, len, &f), want);
    assert_non_null(w->c.fail);
    assert_string_equal(w->c.fail->rule, rule);
}

static void a_file_is_what_its_name_and_its_bytes_say(void **state)
{
    static const struct {
        const char *name, *data;
        size_t len;
        const char *type;
        bool is_picture;
    } good[] = {
        {"a.PNG", png, sizeof png - 1, "image/png", true},
        {"a.txt", png, sizeof png - 1, "application/octet-stream", false},
        {"png", "x", 1, "application/octet-stream", false},
        {".png", "x", 1, "application/octet-stream", false},
        {"a.svg", "<svg/>", 6, "application/octet-stream", false},
        {"a.html", "<script>", 8, "application/octet-stream", false},
        {"a.gif", "GIF89a\1\0\1\0\0\0\0;", 14, "image/gif", true},
        {"a.pdf", "%PDF-1.7", 8, "application/pdf", false},
        {"b.a.xlsx", "PK\3\4", 4, "application/zip", false},
    };
    struct world *w = *state;
    struct ticket_file f;
    int64_t ticket = make_ticket(w);

    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(
            add(w, ADMIN, ticket, good[i].name, good[i].data, good[i].len, &f),
            OK);
        assert_string_equal(f.type, good[i].type);
        assert_int_equal(f.is_picture, good[i].is_picture);
    }
    refused(w, ERR_INVALID, "type", ticket, "a.jpg", png, sizeof png - 1);
    refused(w, ERR_INVALID, "type", ticket, "a.png", "<svg/>", 6);
    refused(w, ERR_INVALID, "type", ticket, "a.png", PNG_MAGIC, 7);
    refused(w, ERR_INVALID, "damaged", ticket, "a.png", png, sizeof png - 9);
    refused(w, ERR_INVALID, "empty", ticket, "a.txt", "", 0);
    refused(w, ERR_INVALID, "name_path", ticket, "../a.txt", "x", 1);
    refused(w, ERR_INVALID, "name_path", ticket, "C:\\a.txt", "x", 1);
    assert_int_equal(world_number(w, "SELECT count(*) FROM ticket_file", 0),
                     COUNT(good));
}

static void fill(struct world *w, int64_t ticket, int64_t size)
{
    world_begin(w, ADMIN, TX_WRITE);
    struct query *q =
        query(&w->c, "INSERT INTO ticket_file (ticket_id, user_id, name, kind,"
                     " size, sha256, created_at)"
                     " VALUES (?1, 1, 'f', 0, ?2, x'00', 0)");
    bind_int(q, 1, ticket);
    bind_int(q, 2, size);
    assert_int_equal(world_end(w, query_run(&w->c, q)), OK);
}

static void count_and_bytes_of_a_ticket_have_an_end(void **state)
{
    struct world *w = *state;
    struct ticket_file f;
    int64_t many = make_ticket(w), much = make_ticket(w);

    for (int i = 0; i < TICKET_FILES_MAX - 1; i++)
        fill(w, many, 1);
    assert_int_equal(add(w, ADMIN, many, "last.txt", "x", 1, &f), OK);
    refused(w, ERR_CONFLICT, "files", many, "more.txt", "x", 1);
    fill(w, much, TICKET_FILES_BYTES - 2);
    refused(w, ERR_CONFLICT, "files_size", much, "three.txt", "xyz", 3);
    assert_int_equal(add(w, ADMIN, much, "two.txt", "xy", 2, &f), OK);
    refused(w, ERR_CONFLICT, "files_size", much, "one.txt", "x", 1);
}

static void bytes_come_back_in_order_and_only_by_their_ticket(void **state)
{
    struct world *w = *state;
    struct ticket_file f;
    int64_t ticket = make_ticket(w), other = make_ticket(w);
    size_t len = 600 << 10;
    char *data = malloc(len);

    must(data);
    for (size_t i = 0; i < len; i++)
        data[i] = (char)(i * 7 + (i >> 10));
    assert_int_equal(add(w, ADMIN, ticket, "big.bin", data, len, &f), OK);
    int64_t id = f.id;
    assert_int_equal(world_number(w,
                                  "SELECT count(*) FROM ticket_chunk"
                                  " WHERE file_id = ?1",
                                  id),
                     3);
    world_begin(w, ADMIN, TX_READ);
    struct buf b = buf_in(w->c.mem);
    assert_int_equal(ticket_file_read(&w->c, ticket, id, &f, &b), OK);
    assert_int_equal(b.len, len);
    assert_memory_equal(b.data, data, len);
    assert_int_equal(ticket_file_read(&w->c, other, id, &f, &b), ERR_NOT_FOUND);
    assert_int_equal(world_end(w, OK), OK);
    world_begin(w, ADMIN, TX_WRITE);
    assert_int_equal(world_end(w, ticket_file_delete(&w->c, other, id)),
                     ERR_NOT_FOUND);
    free(data);
}

static enum err take_away(struct world *w, int64_t user, int64_t ticket,
                          int64_t id)
{
    world_begin(w, user, TX_WRITE);
    return world_end(w, ticket_file_delete(&w->c, ticket, id));
}

static void ones_own_goes_others_by_who_edits_the_ticket(void **state)
{
    struct world *w = *state;
    struct ticket_file mine, theirs;
    int64_t ticket = make_ticket(w);

    world_begin(w, ADMIN, TX_WRITE);
    assert_int_equal(world_end(w, member_put(&w->c,
                                             (struct member_place){
                                                 MEMBER_OF_PROJECT, w->project},
                                             w->mari, "commenter")),
                     OK);
    assert_int_equal(add(w, w->mari, ticket, "a.txt", "a", 1, &mine), OK);
    assert_int_equal(add(w, ADMIN, ticket, "b.txt", "b", 1, &theirs), OK);
    int64_t own = mine.id, other = theirs.id;
    assert_int_equal(take_away(w, w->mari, ticket, other), ERR_DENIED);
    assert_int_equal(take_away(w, w->mari, ticket, own), OK);
    assert_int_equal(take_away(w, w->mari, ticket, own), ERR_NOT_FOUND);
    assert_int_equal(add(w, w->mari, ticket, "c.txt", "c", 1, &mine), OK);
    own = mine.id;
    assert_int_equal(take_away(w, ADMIN, ticket, own), OK);
    assert_int_equal(take_away(w, ADMIN, ticket, other), OK);
    assert_int_equal(world_number(w, "SELECT count(*) FROM ticket_chunk", 0),
                     0);
    assert_int_equal(world_number(w,
                                  "SELECT count(*) FROM change"
                                  " WHERE field = 'file' AND before IS NULL",
                                  0),
                     3);
    assert_int_equal(world_number(w,
                                  "SELECT count(*) FROM operation WHERE"
                                  " kind = 'ticket_file'"
                                  " AND action = 'delete'",
                                  0),
                     3);
}

static void a_change_that_fails_leaves_nothing(void **state)
{
    struct world *w = *state;
    struct ticket_upload up;
    struct ticket_file f;
    int64_t ticket = make_ticket(w);
    int64_t logged = world_number(w, "SELECT count(*) FROM operation", 0);

    world_begin(w, ADMIN, TX_WRITE);
    const struct values *v =
        world_values(w, &ticket_file_upload_form, "{\"name\":\"a.txt\"}");
    assert_int_equal(ticket_file_prepare(&w->c, v, "x", 1, &up), OK);
    assert_int_equal(ticket_file_add(&w->c, ticket, &up, &f), OK);
    assert_int_equal(world_end(w, ERR_FULL), ERR_FULL);
    assert_int_equal(world_number(w,
                                  "SELECT (SELECT count(*) FROM ticket_file)"
                                  " + (SELECT count(*) FROM ticket_chunk)"
                                  " + (SELECT count(*) FROM change"
                                  " WHERE field = 'file')",
                                  0),
                     0);
    assert_int_equal(world_number(w, "SELECT count(*) FROM operation", 0),
                     logged);
}

static void what_is_erased_from_the_bin_takes_its_files_along(void **state)
{
    static const uint8_t log_key[32];
    struct world *w = *state;
    struct ticket_file f;
    int64_t ticket = make_ticket(w);

    assert_int_equal(add(w, ADMIN, ticket, "a.txt", "a", 1, &f), OK);
    assert_int_equal(world_edit(w, ADMIN,
                                "{\"op\":\"delete\",\"id\":\"1\","
                                "\"version\":1}"),
                     OK);
    for (int days = 29; days <= 31; days += 2) {
        world_begin(w, ADMIN, TX_WRITE);
        w->c.now_us += (int64_t)days * 86400 * 1000000;
        assert_int_equal(world_end(w, scheduler_tidy(&w->c, log_key)), OK);
        assert_int_equal(world_number(w,
                                      "SELECT (SELECT count(*) FROM ticket_file"
                                      ") + (SELECT count(*) FROM ticket_chunk)",
                                      0),
                         days < 30 ? 2 : 0);
    }
}

int main(void)
{
#define RULE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        RULE(a_file_is_what_its_name_and_its_bytes_say),
        RULE(count_and_bytes_of_a_ticket_have_an_end),
        RULE(bytes_come_back_in_order_and_only_by_their_ticket),
        RULE(ones_own_goes_others_by_who_edits_the_ticket),
        RULE(a_change_that_fails_leaves_nothing),
        RULE(what_is_erased_from_the_bin_takes_its_files_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
