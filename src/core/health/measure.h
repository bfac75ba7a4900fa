/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_HEALTH_MEASURE_H
#define CORE_HEALTH_MEASURE_H

/* What is measured of how full the installation is (capacity.h), and what may
 * be a warning from some value on (threshold.h). */
enum measure {
    MEASURE_CPU,      /* percent of all processors */
    MEASURE_MEMORY,   /* percent of what the process may have */
    MEASURE_DISK,     /* percent in use */
    MEASURE_FILES,    /* percent of the open files allowed */
    MEASURE_THREADS,  /* percent of the most there may be */
    MEASURE_QUEUE,    /* connections that wait for a thread */
    MEASURE_REQUESTS, /* a minute */
    MEASURE_LATENCY,  /* ms that 95 of 100 requests stay below */
    MEASURE_FAILURES, /* 5xx a minute */
    MEASURE_MAIL,     /* tenants with mail waiting */
    MEASURE_JOBS,
    MEASURE_LOG,      /* accesses not yet written */
    MEASURE_TENANT,   /* the fullest tenant, percent of its quota */
    MEASURE_CLOCK,    /* estimated error in ms */
    MEASURE_UNSYNCED, /* 1: the kernel's clock is not synchronised */
    MEASURE_COUNT
};
extern const char *const measure_words[]; /* "cpu", … and NULL */

#endif
