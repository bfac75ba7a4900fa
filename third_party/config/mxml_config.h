/* SPDX-License-Identifier: Apache-2.0 */
/* Only what its configure would find: third_party/config/mxml/config.h. */
