/* Hashtags, mentions, lists, cashtags and URLs, as twitter-text defines them.

   A text is read once for the characters that an entity cannot be without: '#', '@', '$'
   and '.'. What stands around each decides; for URLs it does so in urls.h. Where
   twitter-text's patterns consume characters, so that the next match of the same kind can
   only begin behind them, `hashtag_from` and the like say how far they have. */
#ifndef ROOKERY_ENTITIES_H
#define ROOKERY_ENTITIES_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#ifdef RK_SELF_CHECK
#include "fault.h"
#endif
#include "search.h"
#include "urls.h"

#define RK_DOMAIN 5 /* a column only: the host of a URL */
#define RK_COLUMNS 6

#define RK_NAME_CHARS 20
#define RK_LIST_CHARS 25
#define RK_CASHTAG_CHARS 6
#define RK_STRIDE ((int64_t)16 << 20) /* bytes of texts in a row */

/* ---- Hashtags. */

static inline int rk_hashtag(rk_search *search, const uint8_t *sign, int size)
{
    const uint8_t *name = sign + size, *p = name, *end = search->end;
    uint32_t code;
    int letter = 0;
    if (sign > search->begin) {
        code = rk_before(search->begin, sign, &size);
        if (sign - size < search->hashtag_from)
            return RK_OK;
        if (code != 0xfe0e && code != 0xfe0f && (code == '&' || rk_in_hashtag(code)))
            return RK_OK;
    }
    for (; p < end; p += size) {
        code = rk_decode(p, end, &size);
        if (p == name && (code == 0xfe0f || code == 0x20e3))
            return RK_OK; /* a keycap */
        if (!rk_in_hashtag(code))
            break;
        letter = letter || rk_is_hashtag_letter(code);
    }
    if (!letter)
        return RK_OK;
    search->hashtag_from = p;
    if (rk_sign_size(p, end, '#', 0x83) || rk_is_scheme_end(p, end))
        return RK_OK;
    return rk_add(search, RK_HASHTAG, sign, p, name, p, p);
}

/* ---- Mentions and lists. */

static inline int rk_may_precede_mention(const rk_search *search, const uint8_t *sign)
{
    const uint8_t *p;
    uint32_t code;
    int size;
    if (sign == search->begin)
        return 1;
    code = rk_before(search->begin, sign, &size);
    if (sign - size < search->mention_from)
        return 0;
    if (!rk_is(code, RK_NAME) && code != '!' && code != '#' && code != '$' &&
        code != '%' && code != '&' && code != '*' && code != '@' && code != 0xff20)
        return 1;
    if (sign - search->mention_from < 2)
        return 0;
    p = sign - 2; /* RT@name */
    if ((p[0] | 0x20) != 'r' || (p[1] | 0x20) != 't')
        return 0;
    if (p == search->begin)
        return 1;
    code = rk_before(search->begin, p, &size);
    return p - size >= search->mention_from && !rk_is(code, RK_NAME) && code != '+' &&
           code != '~' && code != '.' && code != '-';
}

static inline int rk_mention(rk_search *search, const uint8_t *sign, int size)
{
    const uint8_t *name = sign + size, *p = name, *end = search->end;
    int32_t kind = RK_MENTION;
    uint32_t code;
    while (p < end && p - name < RK_NAME_CHARS && rk_is(*p, RK_NAME))
        p++;
    if (p == name || !rk_may_precede_mention(search, sign))
        return RK_OK;
    if (end - p >= 2 && p[0] == '/' && rk_is(p[1], RK_LETTER)) {
        const uint8_t *list = p + 1;
        for (p = list; p < end && p - list < RK_LIST_CHARS; p++)
            if (!rk_is(*p, RK_NAME) && *p != '-')
                break;
        kind = RK_LIST;
    }
    search->mention_from = p;
    if (p < end) {
        code = rk_decode(p, end, &size);
        if (code == '@' || code == 0xff20 || rk_is_accented(code) ||
            rk_is_scheme_end(p, end))
            return RK_OK;
    }
    return rk_add(search, kind, sign, p, name, p, p);
}

/* ---- Cashtags. */

static inline int rk_ends_cashtag(const uint8_t *p, const uint8_t *end)
{
    uint32_t code;
    int size;
    if (p == end)
        return 1;
    code = rk_decode(p, end, &size);
    return rk_is(code, RK_PUNCTUATION) || rk_is_script_space(code);
}

static inline int rk_cashtag(rk_search *search, const uint8_t *sign)
{
    const uint8_t *name = sign + 1, *p = name, *end = search->end;
    int size;
    if (sign > search->begin) {
        uint32_t code = rk_before(search->begin, sign, &size);
        if (!rk_is_space(code) && !rk_is_directional(code))
            return RK_OK;
    }
    while (p < end && p - name < RK_CASHTAG_CHARS && rk_is(*p, RK_LETTER))
        p++;
    if (p == name || !rk_ends_cashtag(p, end))
        return RK_OK;
    if (end - p >= 2 && (*p == '.' || *p == '_') && rk_is(p[1], RK_LETTER)) {
        if (end - p >= 3 && rk_is(p[2], RK_LETTER) && rk_ends_cashtag(p + 3, end))
            p += 3;
        else if (rk_ends_cashtag(p + 2, end))
            p += 2;
    }
    return rk_add(search, RK_CASHTAG, sign, p, name, p, p);
}

/* ---- All of a text. */

static const uint8_t rk_triggers[256] = {['#'] = 1, ['$'] = 1, ['.'] = 1, ['@'] = 1, [0xef] = 1};

static inline const uint8_t *rk_next_trigger(const uint8_t *p, const uint8_t *end)
{
#ifdef __SSE2__
    const __m128i hash = _mm_set1_epi8('#'), dollar = _mm_set1_epi8('$');
    const __m128i dot = _mm_set1_epi8('.'), at = _mm_set1_epi8('@');
    const __m128i wide = _mm_set1_epi8((char)0xef);
    for (; end - p >= 16; p += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i found = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(x, hash), _mm_cmpeq_epi8(x, dollar)),
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, dot), _mm_cmpeq_epi8(x, at)),
                         _mm_cmpeq_epi8(x, wide)));
        int mask = _mm_movemask_epi8(found);
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
    }
#endif
    while (p < end && !rk_triggers[*p])
        p++;
    return p;
}

static inline int rk_at_dot(rk_search *search, const uint8_t *dot)
{
    const uint8_t *end = search->end;
    if (dot < search->read || dot == search->begin || end - dot < 2 ||
        !(dot[1] >= 0x80 || rk_is(dot[1], RK_LETTER)) ||
        !(dot[-1] >= 0x80 || rk_is(dot[-1], RK_HOST)) || !rk_tld(dot + 1, end))
        return RK_OK;
    return rk_url(search, dot);
}

static int rk_entity_order(const void *left, const void *right)
{
    const rk_entity *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

/* Finds the entities of a text, in order and without those within another. */
static int rk_search_text(rk_search *search, const uint8_t *begin, const uint8_t *end)
{
    const uint8_t *p = begin;
    int64_t i, kept = 0;
    int status = RK_OK;
    search->begin = begin;
    search->end = end;
    search->hashtag_from = search->mention_from = search->url_from = begin;
    search->read = search->poor = begin;
    search->used = 0;
    search->sorted = 1;
    for (; !status && (p = rk_next_trigger(p, end)) < end; p++) {
        switch (*p) {
        case '#':
            status = rk_hashtag(search, p, 1);
            break;
        case '@':
            status = rk_mention(search, p, 1);
            break;
        case '$':
            status = rk_cashtag(search, p);
            break;
        case '.':
            status = rk_at_dot(search, p);
            break;
        default: /* full width */
            if (end - p < 3 || p[1] != 0xbc)
                break;
            if (p[2] == 0x83)
                status = rk_hashtag(search, p, 3);
            else if (p[2] == 0xa0)
                status = rk_mention(search, p, 3);
        }
    }
    if (status || search->used < 2)
        return status;
    if (!search->sorted)
        qsort(search->found, (size_t)search->used, sizeof(rk_entity), rk_entity_order);
    for (i = 1; i < search->used; i++)
        if (search->found[i].start >= search->found[kept].end)
            search->found[++kept] = search->found[i];
    search->used = kept + 1;
    return RK_OK;
}

/* ---- Columns. */

typedef struct {
    rk_ints rows;   /* where the values of each text end, after a 0 */
    rk_ints values; /* where each value ends, after a 0 */
    rk_utf8 data;
} rk_column;

static inline int rk_append(rk_ints *ints, int64_t value)
{
    int32_t *to = rk_more(ints, 1);
    if (!to)
        return RK_NO_MEMORY;
    if (value > INT32_MAX)
        return RK_TOO_LARGE;
    *to = (int32_t)value;
    return RK_OK;
}

static int rk_copy(rk_column *column, const rk_entity *entity)
{
    const uint8_t *start = entity->kind == RK_URL ? entity->start : entity->value;
    int64_t first = entity->value_end - start, second = entity->end - entity->rest;
    uint8_t *to = rk_room(&column->data, first + second);
    if (!to)
        return RK_NO_MEMORY;
    memcpy(to, start, (size_t)first);
    memcpy(to + first, entity->rest, (size_t)second);
    column->data.used += first + second;
    return rk_append(&column->values, column->data.used);
}

/* A host in lower case, without the `www.` before another one. */
static int rk_copy_host(rk_column *column, const uint8_t *p, const uint8_t *end)
{
    uint8_t *to = rk_room(&column->data, 3 * (end - p));
    int size;
    if (!to)
        return RK_NO_MEMORY;
    if (end - p > 4 && p[3] == '.' && (p[0] | 0x20) == 'w' && (p[1] | 0x20) == 'w' &&
        (p[2] | 0x20) == 'w' && memchr(p + 4, '.', (size_t)(end - p - 4)))
        p += 4;
    for (; p < end; p += size) {
        uint32_t code = rk_decode(p, end, &size);
        to += rk_encode(code + (uint32_t)rk_lower[rk_record(code)], to);
    }
    column->data.used = to - column->data.data;
    return rk_append(&column->values, column->data.used);
}

static int rk_put(rk_search *search, int32_t row, rk_column *columns, rk_ints *places)
{
    const uint8_t *p = search->begin;
    int64_t at = 0, i;
    for (i = 0; i < search->used; i++) {
        const rk_entity *entity = search->found + i;
        int32_t *place = rk_more(places, 4);
        int status;
        if (!place)
            return RK_NO_MEMORY;
        at += rk_characters(p, entity->start);
        place[0] = row;
        place[1] = entity->kind;
        place[2] = (int32_t)at;
        at += rk_characters(entity->start, entity->end);
        place[3] = (int32_t)at;
        p = entity->end;
        status = rk_copy(columns + entity->kind, entity);
        if (!status && entity->kind == RK_URL)
            status = rk_copy_host(columns + RK_DOMAIN, entity->value, entity->value_end);
        if (status)
            return status;
    }
    return RK_OK;
}

/* Finds entities: as values in a column for each kind, and row, kind, start, end. Begins
   with a row and stops behind some more, so that a long call can be interrupted; `from`
   is then the next one. */
static int rk_entities(const rk_texts *texts, rk_column *columns, rk_ints *places,
                       int64_t *from)
{
    const uint8_t *begin = NULL, *end = NULL;
    rk_search search;
    int64_t row, bytes = 0;
    int i, status = RK_OK;
    memset(&search, 0, sizeof(search));
#ifdef RK_SELF_CHECK
    rk_fault(texts);
#endif
    for (i = 0; !status && *from == 0 && i < RK_COLUMNS; i++) {
        status = rk_append(&columns[i].rows, 0);
        if (!status)
            status = rk_append(&columns[i].values, 0);
    }
    for (row = *from; !status && row < texts->length && bytes < RK_STRIDE; row++) {
        int found = rk_text(texts, row, &begin, &end);
        search.used = 0;
        if (found < 0)
            status = RK_BAD_OFFSETS;
        else if (found && end > begin)
            status = rk_search_text(&search, begin, end);
        if (!status)
            status = rk_put(&search, (int32_t)row, columns, places);
        for (i = 0; !status && i < RK_COLUMNS; i++)
            status = rk_append(&columns[i].rows, columns[i].values.used - 1);
        bytes += 16 + (found > 0 ? end - begin : 0);
    }
    *from = row;
    free(search.found);
    return status;
}

#endif
