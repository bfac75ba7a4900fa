/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing to choose: UTF-8 is its default. */
