/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ZIP_FORM_H
#define BASE_ZIP_FORM_H

/* What zip.c writes and zip_read.c accepts, after PKWARE's APPNOTE 6.3.
 * Inside base/ only. */
enum {
    ZIP_HEAD_BYTES = 30,
    ZIP_ROW_BYTES = 46,
    ZIP_END_BYTES = 22,
    ZIP_END64_BYTES = 56,
    ZIP_LOCATOR_BYTES = 20,
    ZIP_MARK_BYTES = 16,   /* after the data; */
    ZIP_MARK64_BYTES = 24, /* with sizes of 64 bits */
    ZIP_NAME_MAX = 255,
    ZIP_VERSION = 20,
    ZIP_VERSION64 = 45,
    ZIP_MADE_BY = 3 << 8 | 45,    /* file modes are those of Unix */
    ZIP_FLAGS = 1 << 3 | 1 << 11, /* sizes follow the data; UTF-8 */
    ZIP_DEFLATED = 8,
    ZIP_EXTRA64 = 1,
    ZIP_WORD_MAX = 0xffff,
};
#define ZIP_HEAD     0x04034b50u
#define ZIP_MARK     0x08074b50u
#define ZIP_ROW      0x02014b50u
#define ZIP_END      0x06054b50u
#define ZIP_END64    0x06064b50u
#define ZIP_LOCATOR  0x07064b50u
#define ZIP_LONG_MAX 0xffffffffu
#define ZIP_MODE     ((uint32_t)0100600 << 16)

#endif
