/* Phrases in texts: a vocabulary of words, and a trie whose edges are words.

   Each word of a text is looked up once; one that occurs in no phrase (most do not) ends
   there. The others walk the trie, from every place where a phrase may begin, so that
   ten thousand phrases that begin with the same word cost what one does. Without word
   boundaries the edges are folded code points, and the rest is the same. */
#ifndef ROOKERY_PHRASES_H
#define ROOKERY_PHRASES_H

#include "output.h"
#include "scan.h"

typedef struct {
    uint64_t first; /* the first piece of the key */
    uint32_t size;  /* bytes of the key */
    int32_t id;     /* -1: free */
} rk_slot;

typedef struct {
    uint64_t key; /* node and symbol */
    int32_t child; /* -1: free */
} rk_edge;

typedef struct {
    int32_t phrase, next; /* the next phrase that ends at the node, or -1 */
    int32_t sign;         /* what has to stand before its first word, or 0 */
} rk_end;

typedef struct {
    int boundaries;
    /* vocabulary: open addressing, and a bitmap of hashes before it */
    rk_slot *slots;
    uint64_t slot_mask;
    uint64_t *bits;
    uint64_t bit_mask;
    uint64_t *pieces; /* keys */
    int64_t *piece_at; /* word -> its first piece */
    int64_t longest_key;
    int32_t words;
    /* trie: node 0 is the root */
    int32_t *root; /* word -> child of the root, or -1 (ASCII code point, without boundaries) */
    rk_edge *edges;
    uint64_t edge_mask;
    int32_t *node_end; /* node -> first of its ends, or -1 */
    uint8_t *node_open; /* node -> has it children */
    int32_t nodes;
    rk_end *ends;
    int32_t phrases;
    int32_t longest; /* symbols of the longest phrase */
} rk_table;

typedef struct {
    int32_t *data; /* row, phrase, start, end, row, ... */
    int64_t used, room;
} rk_hits;

typedef struct {
    int32_t node;
    int64_t start_char;
    const uint8_t *start;
} rk_state;

typedef struct {
    rk_hits *hits;
    const uint8_t *base;
    rk_state *states;
    int32_t active;
    int32_t row;
} rk_walk;

static inline int rk_push(rk_hits *hits, int32_t a, int32_t b, int32_t c, int32_t d)
{
    int32_t *to;
    if (hits->used == hits->room) {
        int64_t room = hits->room ? hits->room * 2 : 256;
        int32_t *data = realloc(hits->data, (size_t)room * 4 * sizeof(int32_t));
        if (!data)
            return RK_NO_MEMORY;
        hits->data = data;
        hits->room = room;
    }
    to = hits->data + hits->used++ * 4;
    to[0] = a;
    to[1] = b;
    to[2] = c;
    to[3] = d;
    return RK_OK;
}

/* ---- The trie. */

static inline uint64_t rk_edge_hash(uint64_t key)
{
    return rk_mix(key >> 32, key << 32 | (key & 0xffffffff));
}

static inline int32_t rk_child(const rk_table *table, int32_t node, int32_t symbol)
{
    uint64_t key = (uint64_t)(uint32_t)node << 32 | (uint32_t)symbol;
    uint64_t at = rk_edge_hash(key) & table->edge_mask;
    while (table->edges[at].child >= 0) {
        if (table->edges[at].key == key)
            return table->edges[at].child;
        at = (at + 1) & table->edge_mask;
    }
    return -1;
}

static inline int rk_emit(const rk_table *table, rk_walk *walk, const rk_state *from,
                          int32_t node, int64_t end_char)
{
    int32_t at;
    for (at = table->node_end[node]; at >= 0; at = table->ends[at].next) {
        const rk_end *end = &table->ends[at];
        int64_t start = from->start_char;
        if (end->sign) {
            if (rk_sign_before(walk->base, from->start) != end->sign)
                continue;
            start--;
        }
        if (rk_push(walk->hits, walk->row, end->phrase, (int32_t)start,
                    (int32_t)end_char))
            return RK_NO_MEMORY;
    }
    return RK_OK;
}

/* Takes one symbol: ends what does not go on with it, and begins what starts with it. */
static inline int rk_step(const rk_table *table, rk_walk *walk, int32_t symbol,
                          int32_t root, const uint8_t *start, int64_t start_char,
                          int64_t end_char)
{
    int32_t i, kept = 0;
    for (i = 0; i < walk->active; i++) {
        rk_state state = walk->states[i];
        int32_t child = rk_child(table, state.node, symbol);
        if (child < 0)
            continue;
        if (rk_emit(table, walk, &state, child, end_char))
            return RK_NO_MEMORY;
        if (table->node_open[child]) {
            state.node = child;
            walk->states[kept++] = state;
        }
    }
    if (root >= 0) {
        rk_state state;
        state.node = root;
        state.start_char = start_char;
        state.start = start;
        if (rk_emit(table, walk, &state, root, end_char))
            return RK_NO_MEMORY;
        if (table->node_open[root])
            walk->states[kept++] = state;
    }
    walk->active = kept;
    return RK_OK;
}

/* ---- The vocabulary. */

static inline int rk_same(const rk_table *table, const rk_slot *slot, const uint8_t *key,
                          int64_t size, uint64_t fold, const uint8_t *limit)
{
    const uint64_t *pieces = table->pieces + table->piece_at[slot->id];
    int64_t at;
    for (at = 8; at < size; at += 8) {
        uint64_t piece = rk_piece(key + at, size - at, limit);
        if (fold)
            piece |= rk_mask(size - at);
        if (piece != pieces[at / 8])
            return 0;
    }
    return 1;
}

typedef struct {
    const uint8_t *key, *limit;
    int64_t size;
    uint64_t fold, first, hash;
} rk_key;

/* Makes the key of a word; 0 where it is longer than any word there is. */
static inline int rk_key_of(const rk_word *word, rk_key *key, uint8_t *scratch,
                            int64_t longest, const uint8_t *limit)
{
    int64_t at;
    if (word->ascii) {
        key->key = word->start;
        key->size = word->end - word->start;
        key->fold = 1;
        key->limit = limit;
        if (key->size > longest)
            return 0;
    } else {
        key->key = scratch;
        key->size = rk_fold_word(word, scratch, longest + 8);
        key->fold = 0;
        key->limit = scratch + longest + 16;
        if (key->size < 0 || key->size > longest)
            return 0;
    }
    key->first = rk_piece(key->key, key->size, key->limit);
    if (key->fold)
        key->first |= rk_mask(key->size);
    key->hash = rk_mix((uint64_t)key->size, key->first);
    for (at = 8; at < key->size; at += 8) {
        uint64_t piece = rk_piece(key->key + at, key->size - at, key->limit);
        if (key->fold)
            piece |= rk_mask(key->size - at);
        key->hash = rk_mix(key->hash, piece);
    }
    return 1;
}

static inline int32_t rk_lookup(const rk_table *table, const rk_key *key)
{
    uint64_t bit = key->hash >> 40 & table->bit_mask, at;
    if (!(table->bits[bit >> 6] >> (bit & 63) & 1))
        return -1;
    at = key->hash & table->slot_mask;
    while (table->slots[at].id >= 0) {
        const rk_slot *slot = &table->slots[at];
        if (slot->first == key->first && slot->size == (uint64_t)key->size &&
            (key->size <= 8 ||
             rk_same(table, slot, key->key, key->size, key->fold, key->limit)))
            return slot->id;
        at = (at + 1) & table->slot_mask;
    }
    return -1;
}

/* ---- Building. */

static inline uint64_t rk_power(uint64_t least)
{
    uint64_t power = 64;
    while (power < least)
        power *= 2;
    return power;
}

static void rk_free(rk_table *table)
{
    free(table->slots);
    free(table->bits);
    free(table->pieces);
    free(table->piece_at);
    free(table->root);
    free(table->edges);
    free(table->node_end);
    free(table->node_open);
    free(table->ends);
    memset(table, 0, sizeof(*table));
}

static inline int32_t rk_intern(rk_table *table, const rk_key *key, int64_t *pieces)
{
    int32_t id = rk_lookup(table, key);
    uint64_t at, bit;
    int64_t i;
    if (id >= 0)
        return id;
    id = table->words++;
    table->piece_at[id] = *pieces;
    for (i = 0; i < key->size; i += 8) {
        uint64_t piece = rk_piece(key->key + i, key->size - i, key->limit);
        if (key->fold)
            piece |= rk_mask(key->size - i);
        table->pieces[(*pieces)++] = piece;
    }
    at = key->hash & table->slot_mask;
    while (table->slots[at].id >= 0)
        at = (at + 1) & table->slot_mask;
    table->slots[at].first = key->first;
    table->slots[at].size = (uint32_t)key->size;
    table->slots[at].id = id;
    bit = key->hash >> 40 & table->bit_mask;
    table->bits[bit >> 6] |= UINT64_C(1) << (bit & 63);
    return id;
}

static inline int32_t rk_grow(rk_table *table, int32_t node, int32_t symbol)
{
    int direct = node == 0 && (table->boundaries || symbol < 128);
    int32_t child = direct ? table->root[symbol] : rk_child(table, node, symbol);
    if (child >= 0)
        return child;
    child = table->nodes++;
    table->node_end[child] = -1;
    table->node_open[node] = 1;
    if (direct) {
        table->root[symbol] = child;
    } else {
        uint64_t key = (uint64_t)(uint32_t)node << 32 | (uint32_t)symbol;
        uint64_t at = rk_edge_hash(key) & table->edge_mask;
        while (table->edges[at].child >= 0)
            at = (at + 1) & table->edge_mask;
        table->edges[at].key = key;
        table->edges[at].child = child;
    }
    return child;
}

/* How many symbols, key pieces and key bytes the phrases have at most. */
static int rk_measure(const rk_texts *phrases, int boundaries, int64_t *symbols,
                      int64_t *pieces, int64_t *longest)
{
    const uint8_t *begin = NULL, *end = NULL;
    int64_t row;
    rk_cursor cursor;
    rk_word word;
    *symbols = *pieces = *longest = 0;
    for (row = 0; row < phrases->length; row++) {
        int found = rk_text(phrases, row, &begin, &end);
        if (found < 0)
            return RK_BAD_OFFSETS;
        if (!found)
            continue;
        if (!boundaries) {
            *symbols += end - begin;
            continue;
        }
        rk_start(&cursor, begin, end);
        while (rk_next_word(&cursor, &word)) {
            /* Folding makes two bytes three at most. */
            int64_t size = (word.end - word.start) * (word.ascii ? 2 : 4) / 2;
            ++*symbols;
            *pieces += size / 8 + 1;
            if (size > *longest)
                *longest = size;
        }
    }
    return RK_OK;
}

static int rk_allocate(rk_table *table, int64_t symbols, int64_t pieces)
{
    uint64_t slots = rk_power(2 * (uint64_t)symbols);
    uint64_t bits = rk_power(16 * (uint64_t)symbols), i;
    int64_t roots = table->boundaries ? symbols : 128;
    if (symbols >= INT32_MAX - 1)
        return RK_NO_MEMORY;
    table->slots = malloc(slots * sizeof(rk_slot));
    table->bits = calloc(bits / 64, sizeof(uint64_t));
    table->pieces = malloc((size_t)(pieces + 1) * sizeof(uint64_t));
    table->piece_at = malloc((size_t)(symbols + 1) * sizeof(int64_t));
    table->root = malloc((size_t)(roots + 1) * sizeof(int32_t));
    table->edges = malloc(slots * sizeof(rk_edge));
    table->node_end = malloc((size_t)(symbols + 1) * sizeof(int32_t));
    table->node_open = calloc((size_t)(symbols + 1), 1);
    table->ends = malloc((size_t)(table->phrases + 1) * sizeof(rk_end));
    if (!table->slots || !table->bits || !table->pieces || !table->piece_at ||
        !table->root || !table->edges || !table->node_end || !table->node_open ||
        !table->ends)
        return RK_NO_MEMORY;
    table->slot_mask = table->edge_mask = slots - 1;
    table->bit_mask = bits - 1;
    for (i = 0; i < slots; i++) {
        table->slots[i].id = -1;
        table->edges[i].child = -1;
    }
    for (i = 0; i <= (uint64_t)roots; i++)
        table->root[i] = -1;
    table->node_end[0] = -1;
    table->nodes = 1;
    return RK_OK;
}

/* Builds a table over phrases; *bad is the first that has nothing to look for. */
static int rk_build(rk_table *table, const rk_texts *phrases, int boundaries,
                    int64_t *bad)
{
    const uint8_t *begin = NULL, *end = NULL;
    const uint8_t *limit = phrases->data + phrases->data_size;
    int64_t symbols, pieces, row, used = 0;
    uint8_t *scratch = NULL;
    rk_cursor cursor;
    rk_word word;
    rk_key key;
    int status;
    memset(table, 0, sizeof(*table));
    table->boundaries = boundaries;
    if (phrases->length >= INT32_MAX - 1)
        return RK_NO_MEMORY;
    table->phrases = (int32_t)phrases->length;
    status = rk_measure(phrases, boundaries, &symbols, &pieces, &table->longest_key);
    if (!status)
        status = rk_allocate(table, symbols, pieces);
    if (!status && !(scratch = malloc((size_t)table->longest_key + 32)))
        status = RK_NO_MEMORY;
    for (row = 0; !status && row < phrases->length; row++) {
        int32_t node = 0, depth = 0, sign = 0;
        int found = rk_text(phrases, row, &begin, &end);
        rk_start(&cursor, begin, end);
        if (found > 0 && boundaries) {
            while (rk_next_word(&cursor, &word)) {
                if (!depth++)
                    sign = rk_sign_before(begin, word.start);
                rk_key_of(&word, &key, scratch, table->longest_key, limit);
                node = rk_grow(table, node, rk_intern(table, &key, &used));
            }
        } else if (found > 0) {
            int size;
            for (; begin < end; begin += size, depth++)
                node = rk_grow(table, node,
                               (int32_t)rk_folded(rk_decode(begin, end, &size)));
        }
        if (!depth) {
            *bad = row;
            status = RK_EMPTY_PHRASE;
            break;
        }
        table->ends[row].phrase = (int32_t)row;
        table->ends[row].sign = sign;
        table->ends[row].next = table->node_end[node];
        table->node_end[node] = (int32_t)row;
        if (depth > table->longest)
            table->longest = depth;
    }
    free(scratch);
    if (status)
        rk_free(table);
    return status;
}

/* ---- Finding. */

static int rk_by_start(const void *left, const void *right)
{
    const int32_t *a = left, *b = right;
    if (a[2] != b[2])
        return a[2] < b[2] ? -1 : 1;
    if (a[1] != b[1])
        return a[1] < b[1] ? -1 : 1;
    return a[3] < b[3] ? -1 : a[3] > b[3];
}

static void rk_order(rk_hits *hits, int64_t from)
{
    int64_t i;
    int32_t *data = hits->data + from * 4;
    for (i = 1; i < hits->used - from; i++)
        if (rk_by_start(data + (i - 1) * 4, data + i * 4) > 0) {
            qsort(data, (size_t)(hits->used - from), 4 * sizeof(int32_t), rk_by_start);
            return;
        }
}

static inline int rk_find_words(const rk_table *table, rk_walk *walk,
                                const uint8_t *begin, const uint8_t *end,
                                const uint8_t *limit, uint8_t *scratch)
{
    rk_cursor cursor;
    rk_word word;
    rk_key key;
    rk_start(&cursor, begin, end);
    while (rk_next_word(&cursor, &word)) {
        int32_t id = -1;
        if (rk_key_of(&word, &key, scratch, table->longest_key, limit))
            id = rk_lookup(table, &key);
        if (id < 0)
            walk->active = 0;
        else if (rk_step(table, walk, id, table->root[id], word.start, word.start_char,
                         word.end_char))
            return RK_NO_MEMORY;
    }
    return RK_OK;
}

static inline int rk_find_characters(const rk_table *table, rk_walk *walk,
                                     const uint8_t *begin, const uint8_t *end)
{
    int64_t at = 0;
    int size;
    for (; begin < end; begin += size, at++) {
        int32_t code = (int32_t)rk_folded(rk_decode(begin, end, &size));
        int32_t root = code < 128 ? table->root[code] : rk_child(table, 0, code);
        if (root < 0 && !walk->active)
            continue;
        if (rk_step(table, walk, code, root, begin, at, at + 1))
            return RK_NO_MEMORY;
    }
    return RK_OK;
}

/* Finds all phrases in all texts, sorted by row, start, phrase. */
static int rk_find(const rk_table *table, const rk_texts *texts, rk_hits *hits)
{
    const uint8_t *begin = NULL, *end = NULL;
    const uint8_t *limit = texts->data + texts->data_size;
    uint8_t *scratch = malloc((size_t)table->longest_key + 32);
    rk_walk walk;
    int64_t row;
    int status = RK_OK;
    walk.hits = hits;
    walk.states = malloc(((size_t)table->longest + 1) * sizeof(rk_state));
    if (!scratch || !walk.states)
        status = RK_NO_MEMORY;
    for (row = 0; !status && row < texts->length; row++) {
        int64_t from = hits->used;
        int found = rk_text(texts, row, &begin, &end);
        if (found <= 0) {
            status = found ? RK_BAD_OFFSETS : RK_OK;
            continue;
        }
        walk.base = begin;
        walk.active = 0;
        walk.row = (int32_t)row;
        if (table->boundaries)
            status = rk_find_words(table, &walk, begin, end, limit, scratch);
        else
            status = rk_find_characters(table, &walk, begin, end);
        if (hits->used - from > 1)
            rk_order(hits, from);
    }
    free(scratch);
    free(walk.states);
    return status;
}

/* All words of all texts: row, start, end, 0. */
static int rk_all_words(const rk_texts *texts, rk_hits *words)
{
    const uint8_t *begin = NULL, *end = NULL;
    rk_cursor cursor;
    rk_word word;
    int64_t row;
    for (row = 0; row < texts->length; row++) {
        int found = rk_text(texts, row, &begin, &end);
        if (found < 0)
            return RK_BAD_OFFSETS;
        if (!found)
            continue;
        rk_start(&cursor, begin, end);
        while (rk_next_word(&cursor, &word))
            if (rk_push(words, (int32_t)row, (int32_t)word.start_char,
                        (int32_t)word.end_char, 0))
                return RK_NO_MEMORY;
    }
    return RK_OK;
}

#endif
