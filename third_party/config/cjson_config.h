/* SPDX-License-Identifier: Apache-2.0 */
#define CJSON_NESTING_LIMIT 64 /* base/json.c stops at 32 */
#define CJSON_HIDE_SYMBOLS
