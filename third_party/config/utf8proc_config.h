/* SPDX-License-Identifier: Apache-2.0 */
#define UTF8PROC_STATIC
