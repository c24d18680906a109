/* Folded words and what is known of them: a hash table behind a bitmap.

   A key is folded UTF-8 in pieces of eight bytes, zeros at the end, in which ASCII bytes
   have 0x20 set. That folds A-Z, keeps 0-9 and a-z, and makes '_' 0x7f, which is in no
   word: so it is one-to-one on folded words, and costs one OR. */
#ifndef ROOKERY_VOCABULARY_H
#define ROOKERY_VOCABULARY_H

#include "output.h"
#include "words.h"

#define RK_ASCII_FOLD UINT64_C(0x2020202020202020)

typedef struct {
    const uint8_t *bytes; /* of a text, or folded ones */
    const uint8_t *limit; /* the end of what may be read */
    int64_t size;
    int fold;  /* whether ASCII is still to be folded */
    int whole; /* or is it the beginning of a word longer than any key */
    uint64_t first, hash;
} rk_key;

/* All that most words need to be known of, in half a cache line. */
typedef struct {
    uint64_t first; /* the first piece of the key */
    uint64_t open;  /* where phrases go on from this word: see rk_branch */
    int32_t id;     /* -1: free */
    int32_t node, end;
    uint32_t piece; /* of a key of more than one piece: the place of its size in bytes,
                       behind which the others stand; else 0 */
} rk_slot;

typedef struct {
    rk_slot *slots;
    uint64_t slot_mask;
    uint64_t *bits; /* of the hashes of its keys */
    uint64_t bit_mask;
} rk_vocabulary;

/* The keys of all vocabularies of a table. */
typedef struct {
    uint64_t *pieces;
    int64_t used;
    int32_t count;
} rk_keys;

static inline uint64_t rk_power(uint64_t least)
{
    uint64_t power = 64;
    while (power < least)
        power *= 2;
    return power;
}

static inline uint64_t rk_low_bytes(int64_t size)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return ~(~UINT64_C(0) >> (8 * size));
#else
    return (UINT64_C(1) << (8 * size)) - 1;
#endif
}

/* Eight bytes of a key from `at` on, which are less at its end. */
static inline uint64_t rk_piece(const rk_key *key, int64_t at, int64_t size)
{
    const uint8_t *p = key->bytes + at;
    uint64_t piece = 0, mask;
    if (size - at >= 8) {
        memcpy(&piece, p, 8);
        return key->fold ? piece | RK_ASCII_FOLD : piece;
    }
    mask = rk_low_bytes(size - at);
    if (key->limit - p >= 8) /* what lies behind is read, and masked */
        memcpy(&piece, p, 8);
    else
        memcpy(&piece, p, (size_t)(size - at));
    if (key->fold)
        piece |= RK_ASCII_FOLD;
    return piece & mask;
}

static inline uint64_t rk_mix(uint64_t hash, uint64_t piece)
{
    hash = (hash ^ piece) * UINT64_C(0x9fb21c651e98df25);
    return hash ^ hash >> 32;
}

/* Hashes the first bytes of a key. */
static inline void rk_hash(rk_key *key, int64_t size)
{
    int64_t at;
    key->first = rk_piece(key, 0, size);
    key->hash = rk_mix((uint64_t)size, key->first);
    for (at = 8; at < size; at += 8)
        key->hash = rk_mix(key->hash, rk_piece(key, at, size));
}

/* Makes the key of a word, or of as much of it as a key may have. */
static inline void rk_key_of(const rk_word *word, rk_key *key, uint8_t *scratch,
                             int64_t longest, const uint8_t *limit)
{
    key->whole = 1;
    if (word->ascii) {
        key->bytes = word->start;
        key->limit = limit;
        key->fold = 1;
        key->size = word->end - word->start;
        if (key->size > longest) {
            key->whole = 0;
            key->size = longest;
        }
    } else {
        const uint8_t *p = word->start;
        int size;
        key->bytes = scratch;
        key->limit = scratch + longest + 16;
        key->fold = 0;
        key->size = 0;
        while (p < word->end) {
            uint32_t code = rk_folded(rk_decode(p, word->end, &size));
            if (key->size >= longest) {
                key->whole = 0;
                break;
            }
            key->size += rk_encode(code < 0x80 ? code | 0x20 : code, scratch + key->size);
            p += size;
        }
        if (key->size > longest)
            key->whole = 0;
    }
}

/* A Bloom filter, small enough to stay in the nearest cache: two bits for each key, in one
   word of 64 of them. */
static inline int rk_may_have(const uint64_t *bits, uint64_t mask, const rk_key *key)
{
    uint64_t bit = key->hash >> 40 & mask, word = bits[bit >> 6];
    return (int)(word >> (bit & 63) & word >> (key->hash >> 34 & 63) & 1);
}

static inline void rk_set_bits(uint64_t *bits, uint64_t mask, const rk_key *key)
{
    uint64_t bit = key->hash >> 40 & mask;
    bits[bit >> 6] |= UINT64_C(1) << (bit & 63) | UINT64_C(1) << (key->hash >> 34 & 63);
}

/* The slot of the first bytes of a key, which are hashed; or NULL. */
static inline const rk_slot *rk_lookup(const rk_vocabulary *vocabulary,
                                       const rk_keys *keys, const rk_key *key,
                                       int64_t size)
{
    uint64_t at = key->hash & vocabulary->slot_mask;
    for (; vocabulary->slots[at].id >= 0; at = (at + 1) & vocabulary->slot_mask) {
        const rk_slot *slot = &vocabulary->slots[at];
        const uint64_t *pieces;
        int64_t i;
        if (slot->first != key->first || !slot->piece != (size <= 8))
            continue;
        if (size <= 8) /* no byte of a word is 0, so its only piece says its size */
            return slot;
        pieces = keys->pieces + slot->piece;
        if (pieces[0] != (uint64_t)size)
            continue;
        for (i = 8; i < size; i += 8)
            if (rk_piece(key, i, size) != pieces[i / 8])
                break;
        if (i >= size)
            return slot;
    }
    return NULL;
}

/* Has the slot of a hashed key, if it may have one, ready when it is looked up. */
static inline void rk_expect(const rk_vocabulary *vocabulary, const rk_key *key)
{
#if defined(__GNUC__)
    __builtin_prefetch(vocabulary->slots + (key->hash & vocabulary->slot_mask));
#endif
}

static int rk_make_vocabulary(rk_vocabulary *vocabulary, int64_t most)
{
    uint64_t slots = rk_power(2 * (uint64_t)most), bits = rk_power(8 * (uint64_t)most), i;
    vocabulary->slots = malloc(slots * sizeof(rk_slot));
    vocabulary->bits = calloc(bits / 64, sizeof(uint64_t));
    if (!vocabulary->slots || !vocabulary->bits)
        return RK_NO_MEMORY;
    vocabulary->slot_mask = slots - 1;
    vocabulary->bit_mask = bits - 1;
    for (i = 0; i < slots; i++)
        vocabulary->slots[i].id = -1;
    return RK_OK;
}

/* The id of a key, which it gets where it has none. */
static int32_t rk_intern(rk_vocabulary *vocabulary, rk_keys *keys, rk_key *key)
{
    uint64_t at;
    int64_t i;
    const rk_slot *slot;
    rk_slot *free_slot;
    rk_hash(key, key->size);
    slot = rk_lookup(vocabulary, keys, key, key->size);
    if (slot)
        return slot->id;
    at = key->hash & vocabulary->slot_mask;
    while (vocabulary->slots[at].id >= 0)
        at = (at + 1) & vocabulary->slot_mask;
    free_slot = vocabulary->slots + at;
    free_slot->first = key->first;
    free_slot->id = keys->count++;
    free_slot->piece = 0;
    if (key->size > 8) {
        free_slot->piece = (uint32_t)keys->used;
        keys->pieces[keys->used++] = (uint64_t)key->size;
        for (i = 8; i < key->size; i += 8)
            keys->pieces[keys->used++] = rk_piece(key, i, key->size);
    }
    rk_set_bits(vocabulary->bits, vocabulary->bit_mask, key);
    return free_slot->id;
}

#endif
