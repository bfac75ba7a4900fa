/* SPDX-License-Identifier: Apache-2.0 */
/* A stranger's text must not forge, reorder or flood lines. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char line[8192];
static int pipe_ends[2], kept_stderr;

static int set_up(void **state)
{
    (void)state;
    kept_stderr = dup(STDERR_FILENO);
    return pipe(pipe_ends) || dup2(pipe_ends[1], STDERR_FILENO) < 0;
}

static int tear_down(void **state)
{
    (void)state;
    log_set_level(LOG_INFO);
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    return 0;
}

/* The text after "time level ". */
static const char *last_line(void)
{
    ssize_t n = read(pipe_ends[0], line, sizeof line - 1);
    assert_true(n > 27);
    line[n] = '\0';
    const char *level = strchr(line, ' ');
    assert_int_equal(level - line, 25);
    return strchr(level + 1, ' ') + 1;
}

static void test_escapes_what_deceives(void **state)
{
    (void)state;
    log_info("name=%s", "a\nb\r\x1b[0m\xe2\x80\xae\xe2\x80\x8b\xff\\設計");
    assert_string_equal(last_line(), "name=a\\u000ab\\u000d\\u001b[0m\\u202e"
                                     "\\u200b\\xff\\u005c設計\n");
}

/* stderr is the stream that systemd names, then another. */
static void test_gives_the_journal_its_priority(void **state)
{
    struct stat st;
    char name[48];

    (void)state;
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    (void)snprintf(name, sizeof name, "%llu:%llu",
                   (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", name, 1);
    log_error("a");
    log_warn("b");
    log_info("c");
    log_complain("d %d", 1);
    ssize_t n = read(pipe_ends[0], line, sizeof line - 1);
    assert_true(n > 0);
    line[n] = '\0';
    assert_memory_equal(line, "<3>", 3);
    assert_non_null(strstr(line, " error a\n<4>"));
    assert_non_null(strstr(line, " warn b\n<6>"));
    assert_non_null(strstr(line, " info c\n<3>d 1\n"));
    setenv("JOURNAL_STREAM", "1:1", 1);
    log_error("a");
    assert_string_equal(last_line(), "a\n");
    unsetenv("JOURNAL_STREAM");
}

static void test_caps_a_line(void **state)
{
    (void)state;
    char text[5001];
    memset(text, 'x', 5000);
    text[5000] = '\0';
    log_error("%s", text);
    (void)last_line();
    assert_int_equal(strlen(line), 2048);
    assert_int_equal(line[2047], '\n');
    memset(text, '\n', 5000);
    log_error("%s", text);
    (void)last_line();
    assert_true(strlen(line) <= 2048 && strlen(line) > 2030);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void test_keeps_quiet_below_the_level(void **state)
{
    (void)state;
    log_set_level(LOG_WARN);
    log_info("unheard");
    log_warn("heard");
    assert_string_equal(last_line(), "heard\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_escapes_what_deceives, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_gives_the_journal_its_priority,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_caps_a_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keeps_quiet_below_the_level,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
