/* SPDX-License-Identifier: Apache-2.0 */
/* An older file is led to the present, with a snapshot beside it; what fails
 * leaves it as it was. */
#include "db_fixture.h"

#include "base/crypto.h"
#include "db/migrate.h"

static const char old_schema[] =
    "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"
    "INSERT INTO note (text) VALUES ('first'), ('second');"
    "PRAGMA user_version = 1";

static const struct migrate_step good_steps[] = {
    {1, "ALTER TABLE note ADD COLUMN author TEXT NOT NULL DEFAULT 'nobody'"},
    {2, "CREATE TABLE tag (note_id INTEGER NOT NULL REFERENCES note(id),"
        " name TEXT NOT NULL) STRICT;"
        "INSERT INTO tag SELECT id, 'old' FROM note"},
};
static const struct migrate_step wrong_steps[] = {
    {1, "ALTER TABLE note ADD COLUMN author TEXT"},
    {2, "INSERT INTO nowhere VALUES (1)"},
};
static const struct migrate_step dangling_steps[] = {
    {1, "CREATE TABLE tag (note_id INTEGER REFERENCES note(id)) STRICT;"
        "INSERT INTO tag VALUES (99)"},
};

struct old_file {
    char dir[64], path[96];
    uint8_t key[32];
    struct conn_place place;
};

static int set_up(void **state)
{
    struct old_file *f = calloc(1, sizeof(*f));
    struct db *db;

    must(f);
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/yagura-test-XXXXXX");
    must(mkdtemp(f->dir));
    (void)snprintf(f->path, sizeof(f->path), "%s/old.db", f->dir);
    crypto_random(f->key, sizeof(f->key));
    f->place = (struct conn_place){.path = f->path, .key = f->key};
    must(conn_open(&f->place, CONN_OWN, &db) == OK);
    must(conn_run(db, old_schema) == OK);
    conn_close(db);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct old_file *f = *state;

    (void)nftw(f->dir, fixture_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static int64_t number(const struct conn_place *place, const char *sql)
{
    struct db *db;
    int64_t out = -1;

    must(conn_open(place, CONN_WRITER, &db) == OK);
    if (conn_number(db, sql, &out))
        out = -1;
    conn_close(db);
    return out;
}

static void leads_an_old_file_to_the_present(void **state)
{
    struct old_file *f = *state;
    const struct migrate_plan plan = {"note", 3, good_steps, COUNT(good_steps)};
    char before[128];

    assert_int_equal(migrate_file(&f->place, &plan), OK);
    assert_int_equal(number(&f->place, "PRAGMA user_version"), 3);
    assert_int_equal(number(&f->place, "SELECT count(author) FROM note"), 2);
    assert_int_equal(number(&f->place, "SELECT count(*) FROM tag"), 2);
    assert_int_equal(migrate_file(&f->place, &plan), OK); /* nothing to do */

    (void)snprintf(before, sizeof(before), "%s.before-1", f->path);
    struct conn_place copy = f->place;
    copy.path = before;
    assert_false(fixture_file_has(before, "CREATE TABLE"));
    assert_int_equal(number(&copy, "PRAGMA user_version"), 1);
    assert_int_equal(number(&copy, "SELECT count(*) FROM note"), 2);
}

static void leaves_a_file_as_it_was(void **state)
{
    struct old_file *f = *state;
    const struct migrate_plan plans[] = {
        {"note", 3, wrong_steps, COUNT(wrong_steps)},
        {"note", 2, dangling_steps, COUNT(dangling_steps)},
        {"note", 9, good_steps, COUNT(good_steps)}, /* a gap */
    };

    for (size_t i = 0; i < COUNT(plans); i++) {
        assert_int_equal(migrate_file(&f->place, &plans[i]), ERR_BUSY);
        assert_int_equal(number(&f->place, "PRAGMA user_version"), 1);
        assert_int_equal(
            number(&f->place, "SELECT count(*) FROM pragma_table_info('note')"),
            2);
        assert_int_equal(
            number(&f->place, "SELECT count(*) FROM sqlite_schema"), 1);
    }
}

static void refuses_a_file_of_the_future(void **state)
{
    struct old_file *f = *state;
    const struct migrate_plan now = {"note", 3, good_steps, 2};
    const struct migrate_plan past = {"note", 2, good_steps, 1};

    assert_int_equal(migrate_file(&f->place, &now), OK);
    assert_int_equal(migrate_file(&f->place, &past), ERR_BUSY);
    assert_int_equal(number(&f->place, "PRAGMA user_version"), 3);
}

/* One tenant that cannot be migrated does not stop the others. */
static void sets_one_tenant_aside(void **state)
{
    struct fixture *f;
    struct tenant *t;
    char path[128];

    (void)state;
    (void)fixture_set_up((void **)&f);
    assert_int_equal(tenant_create(f->store, "good"), OK);
    assert_int_equal(tenant_create(f->store, "future"), OK);
    assert_int_equal(tenant_open(f->store, "future", &t), OK);
    uint8_t root[32], key[32], wrapping[32], master[32];
    tenant_close(t);
    store_close(f->store);
    /* the same steps from master key to file key as the store takes */
    FILE *file = fopen(f->key_path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(master, 1, 32, file), 32);
    assert_int_equal(fclose(file), 0);
    crypto_derive(master, "wrap", wrapping);
    uint8_t wrapped[CRYPTO_WRAPPED_BYTES];
    (void)snprintf(path, sizeof(path), "%s/keys/future.key", f->dir);
    file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(wrapped, 1, sizeof(wrapped), file), sizeof(wrapped));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(crypto_unwrap(wrapping, "tenant:future", wrapped, root),
                     OK);
    crypto_derive(root, "file:tenant", key);
    (void)snprintf(path, sizeof(path), "%s/tenants/future/tenant.db", f->dir);
    struct conn_place place = {.path = path, .key = key};
    struct db *db;
    assert_int_equal(conn_open(&place, CONN_OWN, &db), OK);
    assert_int_equal(conn_run(db, "PRAGMA user_version = 99"), OK);
    conn_close(db);

    assert_int_equal(store_open(&f->config, &f->store), OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(tenant_open(f->store, "future", &t), ERR_BUSY);
    assert_int_equal(tenant_open(f->store, "good", &t), OK);
    tenant_close(t);
    (void)fixture_tear_down((void **)&f);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void knows_a_file_of_another_build(void **state)
{
    struct old_file *f = *state;
    struct db *db;
    char path[96];

    (void)snprintf(path, sizeof(path), "%s/fresh.db", f->dir);
    f->place.path = path;
    must(conn_open(&f->place, CONN_OWN, &db) == OK);
    assert_int_equal(migrate_create(db, &migrate_control), OK);
    conn_close(db);
    must(conn_open(&f->place, CONN_OWN, &db) == OK);
    assert_int_equal(migrate_check(db, &migrate_control), OK);
    must(conn_run(db, "PRAGMA application_id = 7") == OK);
    assert_int_equal(migrate_check(db, &migrate_control), ERR_BUSY);
    conn_close(db);
}

/* ---- every released schema becomes today's ---- */

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *out = calloc(1, 1 << 20);

    must(file && out);
    must(fread(out, 1, (1 << 20) - 1, file) > 0);
    (void)fclose(file);
    return out;
}

/* One text for all that can be asked about tables, whatever way they were
 * made: columns, references, and the words of indexes, triggers and views. */
static const char shape[] =
    "SELECT group_concat(line, char(10)) FROM (SELECT line FROM ("
    "SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\""
    " || ' ' || coalesce(c.dflt_value, '-') || ' ' || c.pk || c.hidden AS line"
    " FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c"
    " WHERE t.type <> 'shadow' AND t.name NOT LIKE 'sqlite_%'"
    " UNION ALL SELECT t.name || '.' || f.\"from\" || ' -> ' || f.\"table\""
    " || ' ' || f.on_delete FROM pragma_table_list t"
    " JOIN pragma_foreign_key_list(t.name) f"
    " UNION ALL SELECT type || ' ' || replace(replace(sql, char(10), ' '),"
    " ' ', '') FROM sqlite_schema WHERE type <> 'table' AND sql NOT NULL)"
    " ORDER BY line)";

static char *shape_of(const struct conn_place *place)
{
    struct db *db;
    sqlite3_stmt *stmt;
    char *out;

    must(conn_open(place, CONN_OWN, &db) == OK);
    must(sqlite3_prepare_v2(db->sqlite, shape, -1, &stmt, NULL) == SQLITE_OK);
    must(sqlite3_step(stmt) == SQLITE_ROW);
    out = strdup((const char *)sqlite3_column_text(stmt, 0));
    must(out);
    must(sqlite3_finalize(stmt) == SQLITE_OK);
    conn_close(db);
    return out;
}

static void leads_each_released_schema_to_this_one(void **state)
{
    static const struct migrate_plan *const plans[] = {
        &migrate_tenant, &migrate_access, &migrate_control, &migrate_retained};
    struct old_file *f = *state;
    char *released = read_text("test/db/schema_1.sql"), path[96];
    struct db *db;

    f->place.path = path;
    for (size_t i = 0; i < COUNT(plans); i++) {
        char *sql = migrate_sections(released, plans[i]->section);
        (void)snprintf(path, sizeof(path), "%s/%s.db", f->dir,
                       plans[i]->section);
        must(conn_open(&f->place, CONN_OWN, &db) == OK);
        must(conn_run(db, sql) == OK);
        must(conn_run(db, "PRAGMA user_version = 1") == OK);
        conn_close(db);
        free(sql);
        assert_int_equal(migrate_file(&f->place, plans[i]), OK);
        char *led = shape_of(&f->place);
        (void)snprintf(path, sizeof(path), "%s/fresh.%s.db", f->dir,
                       plans[i]->section);
        must(conn_open(&f->place, CONN_OWN, &db) == OK);
        assert_int_equal(migrate_create(db, plans[i]), OK);
        conn_close(db);
        char *fresh = shape_of(&f->place);
        assert_string_equal(led, fresh);
        free(led);
        free(fresh);
    }
    free(released);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(leads_each_released_schema_to_this_one),
        CASE(leads_an_old_file_to_the_present),
        CASE(leaves_a_file_as_it_was),
        CASE(refuses_a_file_of_the_future),
        CASE(knows_a_file_of_another_build),
        cmocka_unit_test(sets_one_tenant_aside),
    };

    must(crypto_init() == OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
