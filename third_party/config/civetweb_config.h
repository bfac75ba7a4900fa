/* SPDX-License-Identifier: Apache-2.0 */
/* civetweb as a connection and HTTP engine only: no files, no programs, no
 * languages, no websockets, no compression; TLS by third_party/glue. */
#define USE_MBEDTLS
#define USE_IPV6
#define NO_FILES
#define NO_CGI
#define NO_CACHING
#define NO_POPEN
#define MG_MAX_HEADERS 64
#define NDEBUG
