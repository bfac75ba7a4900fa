/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONTRACT_TERMINATION_H
#define CORE_CONTRACT_TERMINATION_H

#include <stdbool.h>
#include <stdint.h>

/* The end of a contract as it is written down (contract.h says what follows
 * from it). */
struct termination {
    int32_t end_on, delete_on; /* end_on DAY_NONE: none */
    bool is_customers;         /* asked for by the customer */
    const char *asked_by;
    int64_t asked_at;
    const char *operator_by, *customer_by; /* NULL: not confirmed */
    int64_t operator_at, customer_at;
    unsigned told;
    int64_t version;
};

#endif
