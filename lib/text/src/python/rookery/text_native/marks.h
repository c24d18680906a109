/* Which signs occur in a text: what tells that there is nothing to look for in it. */
#ifndef ROOKERY_MARKS_H
#define ROOKERY_MARKS_H

#include "scan.h"

#define RK_HASH 1
#define RK_AT 2
#define RK_DOLLAR 4
#define RK_SCHEME 8

static inline uint8_t rk_marks_of(const uint8_t *p, const uint8_t *end)
{
    uint8_t marks = 0;
    for (; p < end; p++) {
        switch (*p) {
        case '#':
            marks |= RK_HASH;
            break;
        case '@':
            marks |= RK_AT;
            break;
        case '$':
            marks |= RK_DOLLAR;
            break;
        case ':':
            if (end - p > 2 && p[1] == '/' && p[2] == '/')
                marks |= RK_SCHEME;
            break;
        case 0xef: /* full width */
            if (end - p > 2 && p[1] == 0xbc)
                marks |= p[2] == 0x83 ? RK_HASH : p[2] == 0xa0 ? RK_AT : 0;
            break;
        default:
            break;
        }
    }
    return marks;
}

static int rk_marks(const rk_texts *texts, uint8_t *marks)
{
    const uint8_t *begin = NULL, *end = NULL;
    int64_t row;
    for (row = 0; row < texts->length; row++) {
        int found = rk_text(texts, row, &begin, &end);
        if (found < 0)
            return -2;
        marks[row] = found ? rk_marks_of(begin, end) : 0;
    }
    return 0;
}

#endif
