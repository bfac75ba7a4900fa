/* SPDX-License-Identifier: Apache-2.0 */
/* How SQLite is compiled: for one tenant file a connection, each used by one
 * thread at a time, encrypted, and nothing that untrusted SQL could use. */
#define SQLITE_THREADSAFE              2
#define SQLITE_DQS                     0
#define SQLITE_DEFAULT_MEMSTATUS       0
#define SQLITE_DEFAULT_FOREIGN_KEYS    1
#define SQLITE_DEFAULT_SYNCHRONOUS     2
#define SQLITE_DEFAULT_WAL_SYNCHRONOUS 2
#define SQLITE_TRUSTED_SCHEMA          0
#define SQLITE_MAX_MMAP_SIZE           0
#define SQLITE_TEMP_STORE              3 /* nothing unencrypted on disk */
#define SQLITE_SECURE_DELETE           1
#define SQLITE_ENABLE_FTS5             1
#define SQLITE_LIKE_DOESNT_MATCH_BLOBS 1
#define SQLITE_OMIT_LOAD_EXTENSION     1
#define SQLITE_OMIT_SHARED_CACHE       1
#define SQLITE_USE_ALLOCA              1
#define SQLITE_API /* nothing is exported */
/* ATTACH stays compiled in, as VACUUM INTO needs it: forbidden at run time. */

/* Ciphers: aegis for the files, SQLCipher's for tools of others.  ChaCha20 is
 * here because without it the amalgamation does not link (its value level
 * encryption, always compiled in, calls it). */
#define HAVE_CIPHER_AES_128_CBC 0
#define HAVE_CIPHER_AES_256_CBC 1
#define HAVE_CIPHER_SQLCIPHER   1
#define HAVE_CIPHER_AEGIS       1
#define HAVE_CIPHER_CHACHA20    1
#define HAVE_CIPHER_RC4         0
#define HAVE_CIPHER_ASCON128    0
#define CODEC_TYPE              7 /* aegis unless said otherwise */

/* Its own argon2 shares this one name with libargon2. */
#define FLAG_clear_internal_memory sqlite_clear_internal_memory
