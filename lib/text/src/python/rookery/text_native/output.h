/* What the kernel gives back: arrays that grow. */
#ifndef ROOKERY_OUTPUT_H
#define ROOKERY_OUTPUT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RK_OK 0
#define RK_NO_MEMORY (-1)
#define RK_BAD_OFFSETS (-2)
#define RK_EMPTY_PHRASE (-3)
#define RK_TOO_LARGE (-4)

typedef struct {
    int32_t *data;
    int64_t used, room;
} rk_ints;

typedef struct {
    uint8_t *data;
    int64_t used, room;
} rk_utf8;

/* Room for some more integers, which count as used; NULL where there is no memory. */
static inline int32_t *rk_more(rk_ints *ints, int64_t count)
{
    int32_t *to;
    if (ints->room - ints->used < count) {
        int64_t room = ints->room ? ints->room * 2 : 1024;
        int32_t *data = realloc(ints->data, (size_t)room * sizeof(int32_t));
        if (!data)
            return NULL;
        ints->data = data;
        ints->room = room;
    }
    to = ints->data + ints->used;
    ints->used += count;
    return to;
}

/* Room for so many more bytes, which do not count as used yet. */
static inline uint8_t *rk_room(rk_utf8 *bytes, int64_t count)
{
    if (bytes->room - bytes->used < count) {
        int64_t room = bytes->room * 2 + count + 1024;
        uint8_t *data = realloc(bytes->data, (size_t)room);
        if (!data)
            return NULL;
        bytes->data = data;
        bytes->room = room;
    }
    return bytes->data + bytes->used;
}

static inline int64_t rk_characters(const uint8_t *p, const uint8_t *end)
{
    int64_t count = 0;
    for (; p < end; p++)
        count += (*p & 0xc0) != 0x80;
    return count;
}

#endif
