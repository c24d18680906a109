/* Words of UTF-8 text: where they are, and what they are under simple case folding. */
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

/* ---- Words. */

#define RK_OTHER 0
#define RK_WORD 1
#define RK_HIGH 2 /* a byte of a code point beyond ASCII */

#define RK_16(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x
static const uint8_t rk_bytes[256] = {
    RK_16(0), RK_16(0), RK_16(0),
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, /* 0-9 */
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* A-O */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, /* P-Z _ */
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* a-o */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, /* p-z */
    RK_16(2), RK_16(2), RK_16(2), RK_16(2), RK_16(2), RK_16(2), RK_16(2), RK_16(2),
};

typedef struct {
    const uint8_t *base, *end, *p;
    int64_t extra; /* bytes before p that begin no code point */
} rk_cursor;

typedef struct {
    const uint8_t *start, *end;
    int64_t start_char, end_char;
    int ascii;
} rk_word;

static inline void rk_start(rk_cursor *cursor, const uint8_t *begin, const uint8_t *end)
{
    cursor->base = cursor->p = begin;
    cursor->end = end;
    cursor->extra = 0;
}

/* Goes to the next word; 0 where there is none. */
static inline int rk_next_word(rk_cursor *cursor, rk_word *word)
{
    const uint8_t *p = cursor->p, *end = cursor->end;
    int size;
    for (;; p++) {
        if (p == end)
            return 0;
        if (rk_bytes[*p] == RK_WORD)
            break;
        if (rk_bytes[*p] == RK_HIGH) {
            uint32_t code = rk_decode(p, end, &size);
            if (rk_class[rk_record(code)] & RK_BEGINS_WORD)
                break;
            cursor->extra += size - 1;
            p += size - 1;
        }
    }
    word->start = p;
    word->start_char = (p - cursor->base) - cursor->extra;
    word->ascii = 1;
    for (; p != end; p++) {
        if (rk_bytes[*p] == RK_WORD)
            continue;
        if (rk_bytes[*p] == RK_OTHER)
            break;
        if (!(rk_class[rk_record(rk_decode(p, end, &size))] & RK_CONTINUES_WORD))
            break;
        word->ascii = 0;
        cursor->extra += size - 1;
        p += size - 1;
    }
    word->end = cursor->p = p;
    word->end_char = (p - cursor->base) - cursor->extra;
    return 1;
}

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

/* ---- Folded words, as keys: folded UTF-8 in pieces of eight bytes, zeros at the end,
   in which ASCII bytes have 0x20 set. That folds A-Z, keeps 0-9 and a-z, and makes '_'
   0x7f, which is no word: so it is one-to-one on folded words, and costs one OR. */

#define RK_ASCII_FOLD UINT64_C(0x2020202020202020)

static inline uint64_t rk_piece(const uint8_t *p, int64_t size, const uint8_t *limit)
{
    uint64_t piece = 0;
    if (size >= 8) {
        memcpy(&piece, p, 8);
        return piece;
    }
    if (limit - p >= 8) { /* what lies behind is read, and masked */
        memcpy(&piece, p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        return piece & ~(~UINT64_C(0) >> (8 * size));
#else
        return piece & ((UINT64_C(1) << (8 * size)) - 1);
#endif
    }
    memcpy(&piece, p, (size_t)size);
    return piece;
}

static inline uint64_t rk_mask(int64_t size)
{
    if (size >= 8)
        return RK_ASCII_FOLD;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return RK_ASCII_FOLD & ~(~UINT64_C(0) >> (8 * size));
#else
    return RK_ASCII_FOLD & ((UINT64_C(1) << (8 * size)) - 1);
#endif
}

static inline uint64_t rk_mix(uint64_t hash, uint64_t piece)
{
    hash = (hash ^ piece) * UINT64_C(0x9fb21c651e98df25);
    return hash ^ hash >> 32;
}

/* Folds a word that is not ASCII into key bytes; -1 where they don't fit. */
static inline int64_t rk_fold_word(const rk_word *word, uint8_t *key, int64_t room)
{
    const uint8_t *p = word->start;
    int64_t used = 0;
    int size;
    while (p < word->end) {
        uint32_t code = rk_folded(rk_decode(p, word->end, &size));
        if (room - used < 4)
            return -1;
        used += rk_encode(code < 0x80 ? code | 0x20 : code, key + used);
        p += size;
    }
    return used;
}

#endif
