/* Texts of an Arrow array, and the code points and signs in them. */
#ifndef ROOKERY_SCAN_H
#define ROOKERY_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tables.h"

/* ---- Text that lies in the buffers of an Arrow string array. */

typedef struct {
    const uint8_t *validity; /* a bit for each string, or NULL: all are valid */
    const uint8_t *offsets;
    const uint8_t *data;
    int64_t data_size;
    int64_t first; /* a slice begins here */
    int64_t length;
    int wide; /* offsets are int64 (large_string), not int32 */
} rk_texts;

static inline int64_t rk_offset(const rk_texts *texts, int64_t index)
{
    /* Buffers that came from elsewhere need not be aligned. */
    if (texts->wide) {
        int64_t offset;
        memcpy(&offset, texts->offsets + index * 8, 8);
        return offset;
    } else {
        int32_t offset;
        memcpy(&offset, texts->offsets + index * 4, 4);
        return offset;
    }
}

/* 1: there is a text; 0: it is null; -1: its offsets lie outside of the buffer. */
static inline int rk_text(const rk_texts *texts, int64_t row, const uint8_t **begin,
                          const uint8_t **end)
{
    int64_t index = texts->first + row, from, to;
    if (texts->validity && !(texts->validity[index >> 3] >> (index & 7) & 1))
        return 0;
    from = rk_offset(texts, index);
    to = rk_offset(texts, index + 1);
    if (from < 0 || from > to || to > texts->data_size)
        return -1;
    *begin = texts->data + from;
    *end = texts->data + to;
    return 1;
}

/* Whether a text has more bytes than its characters could be counted in 32 bits. */
static int rk_has_long_text(const rk_texts *texts)
{
    const uint8_t *begin = NULL, *end = NULL;
    int64_t row;
    for (row = 0; texts->data_size > INT32_MAX && row < texts->length; row++)
        if (rk_text(texts, row, &begin, &end) > 0 && end - begin > INT32_MAX)
            return 1;
    return 0;
}

/* ---- Code points. */

static inline int rk_record(uint32_t code)
{
    return rk_blocks[rk_pages[code / RK_BLOCK] * RK_BLOCK + code % RK_BLOCK];
}

static inline uint32_t rk_folded(uint32_t code)
{
    return code + (uint32_t)rk_fold[rk_record(code)];
}

/* Decodes the code point at p < end. A byte that belongs to none is U+FFFD on its own:
   Arrow promises valid UTF-8, and where that is broken nothing is read past the end. */
static inline uint32_t rk_decode(const uint8_t *p, const uint8_t *end, int *size)
{
    uint32_t code;
    int rest, i;
    *size = 1;
    if (p[0] < 0x80)
        return p[0];
    if (p[0] < 0xc2)
        return 0xfffd;
    if (p[0] < 0xe0)
        code = p[0] & 0x1f, rest = 1;
    else if (p[0] < 0xf0)
        code = p[0] & 0x0f, rest = 2;
    else if (p[0] < 0xf5)
        code = p[0] & 0x07, rest = 3;
    else
        return 0xfffd;
    if (end - p <= rest)
        return 0xfffd;
    for (i = 1; i <= rest; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0xfffd;
        code = code << 6 | (p[i] & 0x3f);
    }
    if (code > 0x10ffff)
        return 0xfffd;
    *size = rest + 1;
    return code;
}

static inline int rk_encode(uint32_t code, uint8_t *p)
{
    if (code < 0x80) {
        p[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        p[0] = (uint8_t)(0xc0 | code >> 6);
        p[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        p[0] = (uint8_t)(0xe0 | code >> 12);
        p[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        p[2] = (uint8_t)(0x80 | (code & 0x3f));
        return 3;
    }
    p[0] = (uint8_t)(0xf0 | code >> 18);
    p[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    p[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    p[3] = (uint8_t)(0x80 | (code & 0x3f));
    return 4;
}

/* ---- Signs. */

/* The sign that stands directly before a place: '#', '@', '$', or 0. The first two are
   also written in full width. */
static inline int rk_sign_before(const uint8_t *base, const uint8_t *p)
{
    if (p == base)
        return 0;
    if (p[-1] == '#' || p[-1] == '@' || p[-1] == '$')
        return p[-1];
    if (p - base >= 3 && p[-3] == 0xef && p[-2] == 0xbc) {
        if (p[-1] == 0x83)
            return '#';
        if (p[-1] == 0xa0)
            return '@';
    }
    return 0;
}

#endif
