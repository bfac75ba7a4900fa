/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the measures, as they stand in control.db and in replies. */
#include "core/health/measure.h"

#include <stddef.h>

const char *const measure_words[] = {
    "cpu",      "memory",  "disk",     "files", "threads", "queue",
    "requests", "latency", "failures", "mail",  "jobs",    "log",
    "tenant",   "clock",   "unsynced", NULL};
