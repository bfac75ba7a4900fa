/* SPDX-License-Identifier: Apache-2.0 */
#define ARGON2_NO_THREADS /* p = 1: no threads inside a request */
