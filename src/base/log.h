/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/* The server's own log: one line an event on stderr, "time level word key=…".
 * Where stderr is systemd's journal (JOURNAL_STREAM), each line begins with
 * its priority as sd-daemon(3) says, "<3>" for an error.  A failure is an
 * error, or a warning while it is tried again, and gives its reason as err=;
 * an info has none.
 * Control and bidi characters are escaped, lines are capped at 2 KB.  Secrets
 * have no way in: nobody formats a struct secret. */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level);
void log_write(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line on stderr for whoever started the program, without time and word;
 * in the journal an error. */
void log_complain(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

#endif
