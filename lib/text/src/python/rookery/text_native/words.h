/* Words of UTF-8 text: where they are.

   Blocks of 64 bytes become a bit for each byte, so that the next word costs a few
   instructions however long it is. Where a byte beyond ASCII is part of it or stands
   before it, code points are read one by one. */
#ifndef ROOKERY_WORDS_H
#define ROOKERY_WORDS_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "scan.h"

#define RK_BITS 64

typedef struct {
    const uint8_t *base, *end, *p;
    const uint8_t *limit; /* the end of the buffer: bytes before it may be read */
    const uint8_t *block; /* what the bits are of */
    uint64_t word, high;  /* letters, digits and '_' of ASCII; bytes beyond ASCII */
    int64_t extra;        /* bytes before p that begin no code point */
} rk_cursor;

typedef struct {
    const uint8_t *start, *end;
    int64_t start_char, end_char;
    int ascii;
} rk_word;

static inline int rk_first_bit(uint64_t bits)
{
#if defined(__GNUC__)
    return __builtin_ctzll(bits);
#else
    int at = 0;
    for (; !(bits & 1); bits >>= 1)
        at++;
    return at;
#endif
}

static inline int rk_is_word_byte(uint8_t byte)
{
    return (uint8_t)((byte | 0x20) - 'a') < 26 || (uint8_t)(byte - '0') < 10 || byte == '_';
}

/* Makes the bits of 64 bytes. */
static inline void rk_classify(const uint8_t *p, uint64_t *word, uint64_t *high)
{
    int i;
    *word = *high = 0;
#ifdef __SSE2__
    for (i = 0; i < RK_BITS; i += 16) {
        /* x - first < count, unsigned, as a signed comparison: both less 128 */
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i letter = _mm_or_si128(x, _mm_set1_epi8(0x20));
        __m128i digit = _mm_add_epi8(x, _mm_set1_epi8(128 - '0'));
        letter = _mm_add_epi8(letter, _mm_set1_epi8(128 - 'a'));
        letter = _mm_cmplt_epi8(letter, _mm_set1_epi8(-128 + 26));
        digit = _mm_cmplt_epi8(digit, _mm_set1_epi8(-128 + 10));
        letter = _mm_or_si128(_mm_or_si128(letter, digit),
                              _mm_cmpeq_epi8(x, _mm_set1_epi8('_')));
        *word |= (uint64_t)(uint32_t)_mm_movemask_epi8(letter) << i;
        *high |= (uint64_t)(uint32_t)_mm_movemask_epi8(x) << i;
    }
#else
    for (i = 0; i < RK_BITS; i++) {
        *word |= (uint64_t)rk_is_word_byte(p[i]) << i;
        *high |= (uint64_t)(p[i] >> 7) << i;
    }
#endif
}

/* Makes the bits of the block, none of them for what lies behind the text. */
static inline void rk_load(rk_cursor *cursor)
{
    int64_t left = cursor->end - cursor->block;
    if (left <= 0) {
        cursor->word = cursor->high = 0;
        return;
    }
    if (cursor->limit - cursor->block >= RK_BITS) {
        rk_classify(cursor->block, &cursor->word, &cursor->high);
    } else {
        uint8_t copy[RK_BITS] = {0};
        memcpy(copy, cursor->block, (size_t)(cursor->limit - cursor->block));
        rk_classify(copy, &cursor->word, &cursor->high);
    }
    if (left < RK_BITS) {
        cursor->word &= (UINT64_C(1) << left) - 1;
        cursor->high &= (UINT64_C(1) << left) - 1;
    }
}

static inline void rk_start(rk_cursor *cursor, const uint8_t *begin, const uint8_t *end,
                            const uint8_t *limit)
{
    cursor->base = cursor->p = cursor->block = begin;
    cursor->end = end;
    cursor->limit = limit;
    cursor->extra = 0;
    rk_load(cursor);
}

/* Goes on code point by code point within a word. */
static void rk_end_word(rk_cursor *cursor, rk_word *word, const uint8_t *p)
{
    int size;
    for (; p < cursor->end; p += size) {
        size = 1;
        if (*p < 0x80) {
            if (!rk_is_word_byte(*p))
                break;
            continue;
        }
        if (!(rk_class[rk_record(rk_decode(p, cursor->end, &size))] & RK_CONTINUES_WORD))
            break;
        word->ascii = 0;
        cursor->extra += size - 1;
    }
    word->end = cursor->p = p;
}

/* Goes to the next word; 0 where there is none. */
static inline int rk_next_word(rk_cursor *cursor, rk_word *word)
{
    int64_t at;
    uint64_t bits;
    for (;;) {
        at = cursor->p - cursor->block;
        if (at >= RK_BITS) {
            if (cursor->p >= cursor->end)
                return 0;
            cursor->block += at & ~(int64_t)(RK_BITS - 1);
            at &= RK_BITS - 1;
            rk_load(cursor);
        }
        bits = (cursor->word | cursor->high) >> at;
        if (!bits) {
            cursor->p = cursor->block + RK_BITS;
            if (cursor->p >= cursor->end)
                return 0;
            continue;
        }
        at += rk_first_bit(bits);
        cursor->p = cursor->block + at;
        word->start = cursor->p;
        word->start_char = (cursor->p - cursor->base) - cursor->extra;
        word->ascii = 1;
        if (cursor->word >> at & 1) {
            while (!(bits = ~cursor->word >> at)) {
                cursor->block += RK_BITS;
                at = 0;
                rk_load(cursor);
            }
            at += rk_first_bit(bits);
            if (cursor->high >> at & 1)
                rk_end_word(cursor, word, cursor->block + at);
            else
                word->end = cursor->p = cursor->block + at;
        } else {
            int size;
            uint32_t code = rk_decode(cursor->p, cursor->end, &size);
            if (!(rk_class[rk_record(code)] & RK_BEGINS_WORD)) {
                cursor->extra += size - 1;
                cursor->p += size;
                continue;
            }
            rk_end_word(cursor, word, cursor->p);
        }
        word->end_char = (cursor->p - cursor->base) - cursor->extra;
        return 1;
    }
}

#endif
