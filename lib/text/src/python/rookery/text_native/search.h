/* The search for entities in a text: how far it is, and what characters are to it. */
#ifndef ROOKERY_SEARCH_H
#define ROOKERY_SEARCH_H

#include "output.h"
#include "scan.h"

#define RK_HASHTAG 0
#define RK_MENTION 1
#define RK_LIST 2
#define RK_CASHTAG 3
#define RK_URL 4

typedef struct {
    const uint8_t *start, *end; /* with its sign */
    const uint8_t *value;       /* without it, or the host of a URL */
    const uint8_t *value_end;
    const uint8_t *rest; /* of a URL: what follows the host in it */
    int32_t kind;
} rk_entity;

typedef struct {
    const uint8_t *begin, *end;
    const uint8_t *hashtag_from, *mention_from, *url_from;
    const uint8_t *read; /* hosts before it have been looked for */
    const uint8_t *poor; /* before it, a host begins at a last underscore only */
    rk_entity *found;
    int64_t used, room;
    int sorted;
} rk_search;

static int rk_add(rk_search *search, int32_t kind, const uint8_t *start,
                  const uint8_t *end, const uint8_t *value, const uint8_t *value_end,
                  const uint8_t *rest)
{
    rk_entity *entity;
    if (search->used == search->room) {
        int64_t room = search->room ? search->room * 2 : 16;
        rk_entity *found = realloc(search->found, (size_t)room * sizeof(*found));
        if (!found)
            return RK_NO_MEMORY;
        search->found = found;
        search->room = room;
    }
    entity = search->found + search->used++;
    entity->start = start;
    entity->end = end;
    entity->value = value;
    entity->value_end = value_end;
    entity->rest = rest;
    entity->kind = kind;
    if (search->used > 1 && entity[-1].start > start)
        search->sorted = 0;
    return RK_OK;
}

/* ---- Characters. */

static inline int rk_is(uint32_t code, int classes)
{
    return code < 128 && rk_ascii[code] & classes;
}

/* The character that ends at p; begin < p. */
static inline uint32_t rk_before(const uint8_t *begin, const uint8_t *p, int *size)
{
    const uint8_t *start = p - 1;
    uint32_t code;
    if (*start >= 0x80)
        while (start > begin && p - start < 4 && (*start & 0xc0) == 0x80)
            start--;
    code = rk_decode(start, p, size);
    if (*size == p - start)
        return code;
    *size = 1;
    return 0xfffd;
}

static inline int rk_is_space(uint32_t code)
{
    if (code < 0x80)
        return code == ' ' || (code >= 9 && code <= 13);
    return code == 0x85 || code == 0xa0 || code == 0x1680 || code == 0x180e ||
           (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 ||
           code == 0x202f || code == 0x205f || code == 0x3000;
}

/* What \s is in JavaScript. */
static inline int rk_is_script_space(uint32_t code)
{
    return code == 0xfeff || (code != 0x85 && code != 0x180e && rk_is_space(code));
}

static inline int rk_is_directional(uint32_t code)
{
    return code == 0x61c || code == 0x200e || code == 0x200f ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static inline int rk_is_invalid(uint32_t code)
{
    return code == 0xfffe || code == 0xfeff || code == 0xffff;
}

static inline int rk_is_accented(uint32_t code)
{
    if (code < 0x250)
        return code >= 0xc0 && code != 0xd7 && code != 0xf7;
    switch (code) {
    case 0x253: case 0x254: case 0x256: case 0x257: case 0x259: case 0x25b: case 0x263:
    case 0x268: case 0x26f: case 0x272: case 0x289: case 0x28b: case 0x2bb:
        return 1;
    default:
        return (code >= 0x300 && code <= 0x36f) || (code >= 0x1e00 && code <= 0x1eff);
    }
}

static inline int rk_in_host(uint32_t code)
{
    if (code < 0x80)
        return rk_ascii[code] & RK_HOST;
    return !rk_is_space(code) && !rk_is_directional(code) && !rk_is_invalid(code);
}

static inline int rk_in_path(uint32_t code, int classes)
{
    if (code < 0x80)
        return rk_ascii[code] & classes;
    return rk_is_accented(code) || (code >= 0x400 && code <= 0x4ff) ||
           (code == 0x2013 && classes == RK_PATH);
}

/* Letters and marks, and characters for private use that twitter-text counts as such. */
static inline int rk_is_hashtag_letter(uint32_t code)
{
    if (rk_class[rk_record(code)] & RK_LETTER_OR_MARK)
        return 1;
    return code >= 0xf870 && code <= 0xf8d6 &&
           (code <= 0xf87f || code == 0xf882 || (code >= 0xf884 && code <= 0xf89f) ||
            code == 0xf8b8 || code >= 0xf8c1);
}

static inline int rk_in_hashtag(uint32_t code)
{
    if (code < 0x80)
        return rk_ascii[code] & RK_NAME;
    switch (code) {
    case 0xb7: case 0x5be: case 0x5f3: case 0x5f4: case 0xf0b: case 0xf0c: case 0x200c:
    case 0x200d: case 0x3003: case 0x301c: case 0x309b: case 0x309c: case 0x30a0:
    case 0x30fb: case 0xa67e: case 0xff5e:
        return 1;
    default:
        return rk_class[rk_record(code)] & RK_DIGIT || rk_is_hashtag_letter(code);
    }
}

static inline int rk_is_scheme_end(const uint8_t *p, const uint8_t *end)
{
    return end - p >= 3 && p[0] == ':' && p[1] == '/' && p[2] == '/';
}

/* The size of a sign at p, of which `wide` is the last byte in full width; or 0. */
static inline int rk_sign_size(const uint8_t *p, const uint8_t *end, int sign, int wide)
{
    if (p < end && *p == sign)
        return 1;
    return end - p >= 3 && p[0] == 0xef && p[1] == 0xbc && p[2] == wide ? 3 : 0;
}

#endif
