/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_DISPATCH_METRICS_H
#define API_DISPATCH_METRICS_H

#include "base/buf.h"
#include "core/app.h"

/* Everything the process is measured by, in Prometheus' text format. */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
void metrics_put(struct ctx *c, const struct app *app, struct buf *b);

#endif
