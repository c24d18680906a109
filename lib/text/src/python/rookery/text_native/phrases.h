/* Phrases in texts: a vocabulary of words and a trie whose edges are words.

   Each word of a text is looked up once; one that begins no phrase (most do not) ends
   there. The others walk the trie, from every place where a phrase may begin, so that
   ten thousand phrases that begin with the same word cost what one does. Prefixes are
   edges too: the beginnings of a word, of each length that a prefix has, are looked up in
   a vocabulary of their own. Substrings have an automaton. */
#ifndef ROOKERY_PHRASES_H
#define ROOKERY_PHRASES_H

#include "automaton.h"

#define RK_WORDS 0
#define RK_PREFIX 1
#define RK_SUBSTRING 2
#define RK_KIND 3 /* these bits of a kind; the others are the sides it has to touch */
#define RK_AT_START 4
#define RK_AT_END 8

#define RK_HIT 6 /* integers: row, phrase, start, end, first word, last word */

/* A node as a walk needs it. */
typedef struct {
    uint64_t open; /* bits of the words that edges to its children have */
    int32_t node;  /* -1: there is none */
    int32_t end;   /* the first of its ends; or RK_NO_END; or, where that is all there is
                      to know, less: RK_PLAIN_END less the phrase */
} rk_branch;

#define RK_NO_END (-1)
#define RK_PLAIN_END (-2)

/* A word of a text, read before those before it are looked up: so memory has time. */
typedef struct {
    rk_word word;
    rk_key key;
    int32_t number; /* among the words of its text */
    int known;      /* whether it may be a word of phrases */
} rk_token;

#define RK_AHEAD 16

typedef struct {
    rk_vocabulary words, stems;
    rk_keys keys;
    uint64_t *begins; /* the bitmap of `words`, of those that begin a phrase */
    uint64_t *edges;  /* that of edges, as large: most words do not go on with a phrase */
    int64_t *stem_sizes;
    int64_t stem_size_count;
    int64_t longest_key;
    rk_trie trie;
    int32_t *root;     /* word or stem -> the child of the root, while it is built */
    rk_branch *branch; /* node -> itself */
    int32_t longest;   /* words of the longest phrase */
    rk_automaton automaton;
    rk_end *ends;
    int32_t phrases;
    int has_words, has_substrings;
    int has_last; /* some words have to be the last of a text */
} rk_table;

typedef struct {
    uint64_t open;
    int32_t node, first_word;
    int64_t start_char;
    const uint8_t *start;
} rk_state;

typedef struct {
    rk_ints *hits;
    const uint8_t *base;
    rk_state *states;
    uint8_t *scratch; /* for the keys of tokens */
    int64_t scratch_size; /* of one */
    rk_token tokens[RK_AHEAD];
    int32_t next_word;
    int32_t active;
    int32_t row;
} rk_walk;

static void rk_free(rk_table *table)
{
    free(table->words.slots);
    free(table->words.bits);
    free(table->stems.slots);
    free(table->stems.bits);
    free(table->keys.pieces);
    free(table->begins);
    free(table->edges);
    free(table->stem_sizes);
    free(table->trie.edges);
    free(table->trie.node_end);
    free(table->root);
    free(table->branch);
    rk_free_automaton(&table->automaton);
    free(table->ends);
    memset(table, 0, sizeof(*table));
}

/* ---- Building. */

typedef struct {
    int64_t words, stems, bytes; /* words and prefixes of words; bytes of substrings */
    int64_t pieces, longest;     /* of keys */
} rk_sizes;

/* How much the phrases need at most. */
static int rk_measure(const rk_texts *phrases, const uint8_t *kinds, rk_sizes *sizes)
{
    const uint8_t *begin = NULL, *end = NULL;
    const uint8_t *limit = phrases->data + phrases->data_size;
    int64_t row;
    uint8_t folded[4];
    int size;
    rk_cursor cursor;
    rk_word word;
    memset(sizes, 0, sizeof(*sizes));
    for (row = 0; row < phrases->length; row++) {
        int found = rk_text(phrases, row, &begin, &end);
        if (found < 0)
            return RK_BAD_OFFSETS;
        if (!found)
            continue;
        if ((kinds[row] & RK_KIND) == RK_SUBSTRING) {
            for (; begin < end; begin += size)
                sizes->bytes += rk_fold_bytes(begin, end, folded, &size);
            continue;
        }
        sizes->stems += (kinds[row] & RK_KIND) == RK_PREFIX;
        rk_start(&cursor, begin, end, limit);
        while (rk_next_word(&cursor, &word)) {
            /* Folding makes two bytes three at most, a broken one three. */
            int64_t bytes = (word.end - word.start) * (word.ascii ? 1 : 3);
            sizes->words++;
            sizes->pieces += bytes / 8 + 2;
            if (bytes > sizes->longest)
                sizes->longest = bytes;
        }
    }
    return sizes->words + sizes->bytes < INT32_MAX - 1 &&
           sizes->pieces < (int64_t)UINT32_MAX ? RK_OK : RK_NO_MEMORY;
}

static int rk_allocate(rk_table *table, const rk_sizes *sizes)
{
    size_t ids = (size_t)sizes->words + 1;
    table->ends = malloc(((size_t)table->phrases + 1) * sizeof(rk_end));
    table->keys.pieces = malloc((size_t)(sizes->pieces + 1) * sizeof(uint64_t));
    table->root = malloc(ids * sizeof(int32_t));
    table->branch = calloc(ids, sizeof(rk_branch));
    table->stem_sizes = malloc(((size_t)sizes->stems + 1) * sizeof(int64_t));
    if (!table->ends || !table->keys.pieces || !table->root || !table->branch ||
        !table->stem_sizes)
        return RK_NO_MEMORY;
    table->keys.used = 1; /* no key is at 0 */
    memset(table->root, -1, ids * sizeof(int32_t));
    if (rk_make_vocabulary(&table->words, sizes->words) ||
        rk_make_vocabulary(&table->stems, sizes->stems) ||
        rk_make_trie(&table->trie, sizes->words) ||
        rk_make_trie(&table->automaton.trie, sizes->bytes))
        return RK_NO_MEMORY;
    table->begins = calloc(table->words.bit_mask / 64 + 1, sizeof(uint64_t));
    table->edges = calloc(table->words.bit_mask / 64 + 1, sizeof(uint64_t));
    return table->begins && table->edges ? RK_OK : RK_NO_MEMORY;
}

/* A key of an edge, for a bitmap. */
static inline rk_key rk_edge_key(int32_t node, int32_t symbol)
{
    rk_key key;
    memset(&key, 0, sizeof(key));
    key.hash = rk_mix((uint32_t)node, (uint32_t)symbol);
    return key;
}

/* Where an edge leads; -1: there is none. */
static inline int32_t rk_follow(const rk_table *table, const rk_state *from, int32_t symbol)
{
    rk_key key;
    if (!(from->open >> (symbol & 63) & 1))
        return -1;
    key = rk_edge_key(from->node, symbol);
    if (!rk_may_have(table->edges, table->words.bit_mask, &key))
        return -1;
    return rk_child(&table->trie, from->node, symbol);
}

static int32_t rk_edge_to(rk_table *table, int32_t node, int32_t symbol)
{
    if (node) {
        rk_key key = rk_edge_key(node, symbol);
        rk_set_bits(table->edges, table->words.bit_mask, &key);
        table->branch[node].open |= UINT64_C(1) << (symbol & 63);
        return rk_grow(&table->trie, node, symbol);
    }
    if (table->root[symbol] < 0)
        table->root[symbol] = rk_new_node(&table->trie);
    return table->root[symbol];
}

/* Writes down with words what is known of the nodes they lead to from the root. */
static void rk_root(const rk_table *table, rk_vocabulary *vocabulary)
{
    uint64_t at;
    for (at = 0; at <= vocabulary->slot_mask; at++) {
        rk_slot *slot = vocabulary->slots + at;
        int32_t node = slot->id < 0 ? -1 : table->root[slot->id];
        slot->node = node;
        slot->open = node < 0 ? 0 : table->branch[node].open;
        slot->end = node < 0 ? RK_NO_END : table->branch[node].end;
    }
}

/* Gathers what is known of each node, when all phrases are there. */
static void rk_gather(rk_table *table)
{
    int32_t i;
    for (i = 1; i < table->trie.nodes; i++) {
        int32_t end = table->trie.node_end[i];
        table->branch[i].node = i;
        if (end >= 0 && table->ends[end].next < 0 && !table->ends[end].sign &&
            !table->ends[end].sides)
            end = RK_PLAIN_END - end;
        table->branch[i].end = end;
    }
    rk_root(table, &table->words);
    rk_root(table, &table->stems);
    free(table->root);
    table->root = NULL;
}

static void rk_note_stem_size(rk_table *table, int64_t size)
{
    int64_t at = table->stem_size_count;
    while (at > 0 && table->stem_sizes[at - 1] > size)
        at--;
    if (at > 0 && table->stem_sizes[at - 1] == size)
        return;
    memmove(table->stem_sizes + at + 1, table->stem_sizes + at,
            (size_t)(table->stem_size_count++ - at) * sizeof(int64_t));
    table->stem_sizes[at] = size;
}

/* Adds a phrase of words; its last node, or 0 where there are none. */
static int32_t rk_add_words(rk_table *table, const uint8_t *begin, const uint8_t *end,
                            int is_prefix, const uint8_t *limit, uint8_t *scratch,
                            int32_t *sign)
{
    int32_t node = 0, depth = 0;
    rk_cursor cursor;
    rk_word word, next;
    rk_key key;
    int more;
    rk_start(&cursor, begin, end, limit);
    more = rk_next_word(&cursor, &next);
    while (more) {
        int is_stem;
        word = next;
        more = rk_next_word(&cursor, &next);
        is_stem = is_prefix && !more;
        if (!depth++)
            *sign = rk_sign_before(begin, word.start);
        rk_key_of(&word, &key, scratch, table->longest_key, limit);
        if (is_stem)
            rk_note_stem_size(table, key.size);
        node = rk_edge_to(table, node,
                          rk_intern(is_stem ? &table->stems : &table->words,
                                    &table->keys, &key));
        if (depth == 1 && !is_stem)
            rk_set_bits(table->begins, table->words.bit_mask, &key);
    }
    if (depth > table->longest)
        table->longest = depth;
    return node;
}

/* Builds a table over phrases; *bad is the first that has nothing to look for. */
static int rk_build(rk_table *table, const rk_texts *phrases, const uint8_t *kinds,
                    int64_t *bad)
{
    const uint8_t *begin = NULL, *end = NULL;
    const uint8_t *limit = phrases->data + phrases->data_size;
    uint8_t *scratch = NULL;
    rk_sizes sizes;
    int64_t row;
    int status = rk_measure(phrases, kinds, &sizes);
    memset(table, 0, sizeof(*table));
    table->phrases = (int32_t)phrases->length;
    table->longest_key = sizes.longest;
    if (!status)
        status = rk_allocate(table, &sizes);
    if (!status && !(scratch = malloc((size_t)table->longest_key + 32)))
        status = RK_NO_MEMORY;
    for (row = 0; !status && row < phrases->length; row++) {
        int32_t node = 0;
        rk_end *at = table->ends + row;
        rk_trie *trie = &table->trie;
        int found = rk_text(phrases, row, &begin, &end), kind = kinds[row] & RK_KIND;
        at->sign = at->characters = 0;
        at->sides = kinds[row] & ~RK_KIND;
        if (found > 0 && kind == RK_SUBSTRING) {
            trie = &table->automaton.trie;
            node = rk_add_substring(&table->automaton, begin, end, &at->characters);
            table->has_substrings = 1;
        } else if (found > 0) {
            node = rk_add_words(table, begin, end, kind == RK_PREFIX, limit, scratch,
                                &at->sign);
            table->has_words = 1;
            table->has_last |= at->sides & RK_AT_END;
        }
        if (!node) {
            *bad = row;
            status = RK_EMPTY_PHRASE;
            break;
        }
        at->phrase = (int32_t)row;
        at->next = trie->node_end[node];
        trie->node_end[node] = (int32_t)row;
    }
    if (!status)
        rk_gather(table);
    if (!status && table->has_substrings)
        status = rk_link(&table->automaton);
    free(scratch);
    if (status)
        rk_free(table);
    return status;
}

/* ---- Finding words. */

static inline int rk_write_hit(const rk_walk *walk, const rk_state *from, int32_t phrase,
                               int64_t start, int64_t end_char, int32_t last_word)
{
    int32_t *hit = rk_more(walk->hits, RK_HIT);
    if (!hit)
        return RK_NO_MEMORY;
    hit[0] = walk->row;
    hit[1] = phrase;
    hit[2] = (int32_t)start;
    hit[3] = (int32_t)end_char;
    hit[4] = from->first_word;
    hit[5] = last_word;
    return RK_OK;
}

static inline int rk_emit(const rk_table *table, rk_walk *walk, const rk_state *from,
                          int32_t at, int64_t end_char, int32_t last_word)
{
    if (at <= RK_PLAIN_END)
        return rk_write_hit(walk, from, RK_PLAIN_END - at, from->start_char, end_char,
                            last_word);
    for (; at >= 0; at = table->ends[at].next) {
        const rk_end *end = &table->ends[at];
        int64_t start = from->start_char;
        if (end->sides & RK_AT_START && from->first_word)
            continue;
        if (end->sign) {
            if (rk_sign_before(walk->base, from->start) != end->sign)
                continue;
            start--;
        }
        if (rk_write_hit(walk, from, end->phrase, start, end_char, last_word))
            return RK_NO_MEMORY;
    }
    return RK_OK;
}

/* Ends the phrases whose last word is a prefix of this one. */
static int rk_end_with_stems(const rk_table *table, rk_walk *walk, const rk_key *whole,
                             const rk_state *here, int64_t end_char)
{
    int64_t i;
    int32_t s, child;
    rk_key key = *whole;
    for (i = 0; i < table->stem_size_count && table->stem_sizes[i] <= key.size; i++) {
        const rk_slot *slot;
        rk_hash(&key, table->stem_sizes[i]);
        if (!rk_may_have(table->stems.bits, table->stems.bit_mask, &key))
            continue;
        slot = rk_lookup(&table->stems, &table->keys, &key, table->stem_sizes[i]);
        if (!slot)
            continue;
        for (s = 0; s < walk->active; s++) {
            child = rk_follow(table, walk->states + s, slot->id);
            if (child >= 0 &&
                rk_emit(table, walk, &walk->states[s], table->branch[child].end, end_char,
                        here->first_word))
                return RK_NO_MEMORY;
        }
        if (rk_emit(table, walk, here, slot->end, end_char, here->first_word))
            return RK_NO_MEMORY;
    }
    return RK_OK;
}

/* Takes a word: ends what does not go on with it, and begins what starts with it. */
static inline int rk_step(const rk_table *table, rk_walk *walk, const rk_slot *slot,
                          rk_state *here, int64_t end_char)
{
    const rk_branch *branch;
    int32_t i, kept = 0, child;
    for (i = 0; i < walk->active; i++) {
        rk_state state = walk->states[i];
        child = rk_follow(table, &state, slot->id);
        if (child < 0)
            continue;
        branch = table->branch + child;
        if (rk_emit(table, walk, &state, branch->end, end_char, here->first_word))
            return RK_NO_MEMORY;
        if (branch->open) {
            state.node = child;
            state.open = branch->open;
            walk->states[kept++] = state;
        }
    }
    if (rk_emit(table, walk, here, slot->end, end_char, here->first_word))
        return RK_NO_MEMORY;
    if (slot->open) {
        here->node = slot->node;
        here->open = slot->open;
        walk->states[kept++] = *here;
    }
    walk->active = kept;
    return RK_OK;
}

/* Drops the hits that have to end with the last word and do not. */
static void rk_keep_last(const rk_table *table, rk_ints *hits, int64_t first,
                         int32_t last_word)
{
    int64_t at, to = first;
    for (at = first; at < hits->used; at += RK_HIT) {
        const int32_t *hit = hits->data + at;
        if (table->ends[hit[1]].sides & RK_AT_END && hit[5] != last_word)
            continue;
        if (to < at)
            memcpy(hits->data + to, hit, RK_HIT * sizeof(int32_t));
        to += RK_HIT;
    }
    hits->used = to;
}

/* Takes a word that may be of phrases. */
static inline int rk_take(const rk_table *table, rk_walk *walk, const rk_token *token)
{
    const rk_slot *slot = NULL;
    rk_state here;
    here.start = token->word.start;
    here.start_char = token->word.start_char;
    here.first_word = token->number;
    /* A word in between is in no phrase. */
    if (token->number != walk->next_word)
        walk->active = 0;
    walk->next_word = token->number + 1;
    if (table->stem_size_count &&
        rk_end_with_stems(table, walk, &token->key, &here, token->word.end_char))
        return RK_NO_MEMORY;
    /* Where no phrase has begun, only what begins one matters. */
    if (token->known && (walk->active || rk_may_have(table->begins, table->words.bit_mask,
                                                     &token->key)))
        slot = rk_lookup(&table->words, &table->keys, &token->key, token->key.size);
    if (slot)
        return rk_step(table, walk, slot, &here, token->word.end_char);
    walk->active = 0;
    return RK_OK;
}

static inline int rk_find_words(const rk_table *table, rk_walk *walk,
                                const uint8_t *begin, const uint8_t *end,
                                const uint8_t *limit)
{
    int64_t first = walk->hits->used;
    rk_cursor cursor;
    int32_t count = 0;
    int more = 1;
    walk->active = 0;
    walk->next_word = 0;
    rk_start(&cursor, begin, end, limit);
    while (more) {
        rk_word word;
        rk_key key;
        int i, ahead = 0;
        for (; ahead < RK_AHEAD && (more = rk_next_word(&cursor, &word)); count++) {
            int found = 0;
            rk_key_of(&word, &key, walk->scratch + ahead * walk->scratch_size,
                      table->longest_key, limit);
            if (key.whole) {
                rk_hash(&key, key.size);
                found = rk_may_have(table->words.bits, table->words.bit_mask, &key);
            }
            /* What is in no phrase is forgotten, unless a prefix may begin it. */
            if (!found && !table->stem_size_count)
                continue;
            if (found)
                rk_expect(&table->words, &key);
            walk->tokens[ahead].word = word;
            walk->tokens[ahead].key = key;
            walk->tokens[ahead].known = found;
            walk->tokens[ahead++].number = count;
        }
        for (i = 0; i < ahead; i++)
            if (rk_take(table, walk, walk->tokens + i))
                return RK_NO_MEMORY;
    }
    if (table->has_last)
        rk_keep_last(table, walk->hits, first, count - 1);
    return RK_OK;
}

/* ---- Finding substrings. */

static int rk_find_substrings(const rk_table *table, rk_walk *walk, const uint8_t *p,
                              const uint8_t *end)
{
    const rk_automaton *automaton = &table->automaton;
    int32_t node = 0, at, out;
    int64_t place = 0;
    uint8_t folded[4];
    int size, count, i;
    for (; p < end; p += size) {
        count = rk_fold_bytes(p, end, folded, &size);
        place++;
        if (!node && !automaton->leaves_root[folded[0]])
            continue;
        for (i = 0; i < count; i++)
            node = rk_next_node(automaton, node, folded[i]);
        for (out = automaton->out[node]; out; out = automaton->out[automaton->fail[out]])
            for (at = automaton->trie.node_end[out]; at >= 0; at = table->ends[at].next) {
                const rk_end *found = table->ends + at;
                int32_t *hit;
                if (found->sides && ((found->sides & RK_AT_START &&
                                      place > found->characters) ||
                                     (found->sides & RK_AT_END && p + size < end)))
                    continue;
                hit = rk_more(walk->hits, RK_HIT);
                if (!hit)
                    return RK_NO_MEMORY;
                hit[0] = walk->row;
                hit[1] = found->phrase;
                hit[2] = (int32_t)(place - found->characters);
                hit[3] = (int32_t)place;
                hit[4] = hit[5] = 0;
            }
    }
    return RK_OK;
}

/* How many of sorted numbers, which are two apart, are less than a limit. */
static inline int32_t rk_count_below(const int32_t *numbers, int64_t count, int32_t limit)
{
    int64_t low = 0;
    while (low < count) {
        int64_t middle = low + (count - low) / 2;
        if (numbers[middle * 2] < limit)
            low = middle + 1;
        else
            count = middle;
    }
    return (int32_t)low;
}

/* Says which words substrings touch: from the first that ends behind their start to the
   last that begins before their end. */
static int rk_place_among_words(int32_t *hits, int64_t count, rk_ints *words,
                                const uint8_t *begin, const uint8_t *end,
                                const uint8_t *limit)
{
    rk_cursor cursor;
    rk_word word;
    int64_t i;
    words->used = 0;
    rk_start(&cursor, begin, end, limit);
    while (rk_next_word(&cursor, &word)) {
        int32_t *to = rk_more(words, 2);
        if (!to)
            return RK_NO_MEMORY;
        to[0] = (int32_t)word.start_char;
        to[1] = (int32_t)word.end_char;
    }
    for (i = 0; i < count; i++, hits += RK_HIT) {
        hits[4] = words->used ? rk_count_below(words->data + 1, words->used / 2,
                                               hits[2] + 1) : 0;
        hits[5] = words->used ? rk_count_below(words->data, words->used / 2, hits[3]) - 1
                              : -1;
    }
    return RK_OK;
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

static void rk_order(int32_t *hits, int64_t count)
{
    int64_t i;
    for (i = 1; i < count; i++)
        if (rk_by_start(hits + (i - 1) * RK_HIT, hits + i * RK_HIT) > 0) {
            qsort(hits, (size_t)count, RK_HIT * sizeof(int32_t), rk_by_start);
            return;
        }
}

/* What it takes to look for phrases in one text after the other. */
static int rk_make_walk(const rk_table *table, rk_walk *walk, rk_ints *hits)
{
    walk->hits = hits;
    walk->scratch_size = table->longest_key + 32;
    walk->scratch = malloc((size_t)walk->scratch_size * RK_AHEAD);
    walk->states = malloc(((size_t)table->longest + 1) * sizeof(rk_state));
    return walk->scratch && walk->states ? RK_OK : RK_NO_MEMORY;
}

static void rk_free_walk(rk_walk *walk)
{
    free(walk->scratch);
    free(walk->states);
}

/* Finds all phrases in all texts, sorted by row, start, phrase. */
static int rk_find(const rk_table *table, const rk_texts *texts, rk_ints *hits)
{
    const uint8_t *begin = NULL, *end = NULL;
    const uint8_t *limit = texts->data + texts->data_size;
    rk_ints words = {NULL, 0, 0};
    rk_walk walk;
    int64_t row;
    int status = rk_make_walk(table, &walk, hits);
    for (row = 0; !status && row < texts->length; row++) {
        int64_t first = hits->used, middle;
        int found = rk_text(texts, row, &begin, &end);
        if (found <= 0) {
            status = found ? RK_BAD_OFFSETS : RK_OK;
            continue;
        }
        walk.base = begin;
        walk.row = (int32_t)row;
        if (table->has_words)
            status = rk_find_words(table, &walk, begin, end, limit);
        middle = hits->used;
        if (!status && table->has_substrings)
            status = rk_find_substrings(table, &walk, begin, end);
        if (!status && hits->used > middle)
            status = rk_place_among_words(hits->data + middle,
                                          (hits->used - middle) / RK_HIT, &words, begin,
                                          end, limit);
        if (!status && hits->used - first > RK_HIT)
            rk_order(hits->data + first, (hits->used - first) / RK_HIT);
    }
    free(words.data);
    rk_free_walk(&walk);
    return status;
}

/* All words of all texts: row, start, end. */
static int rk_all_words(const rk_texts *texts, rk_ints *words)
{
    const uint8_t *begin = NULL, *end = NULL;
    const uint8_t *limit = texts->data + texts->data_size;
    rk_cursor cursor;
    rk_word word;
    int64_t row;
    for (row = 0; row < texts->length; row++) {
        int found = rk_text(texts, row, &begin, &end);
        if (found < 0)
            return RK_BAD_OFFSETS;
        if (!found)
            continue;
        rk_start(&cursor, begin, end, limit);
        while (rk_next_word(&cursor, &word)) {
            int32_t *to = rk_more(words, 3);
            if (!to)
                return RK_NO_MEMORY;
            to[0] = (int32_t)row;
            to[1] = (int32_t)word.start_char;
            to[2] = (int32_t)word.end_char;
        }
    }
    return RK_OK;
}

#endif
