/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_TX_H
#define DB_TX_H

#include "db/file.h"

/* Closes the readers nobody holds; the caller is alone or holds f->lock. */
void tx_close_readers(struct file *f);

#endif
