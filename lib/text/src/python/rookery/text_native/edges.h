/* The edges of a trie, in one hash table, and what ends at its nodes. */
#ifndef ROOKERY_EDGES_H
#define ROOKERY_EDGES_H

#include "vocabulary.h"

typedef struct {
    uint64_t key;  /* node and symbol */
    int32_t child; /* -1: free */
} rk_edge;

typedef struct {
    int32_t phrase, next; /* the next phrase that ends at the node, or -1 */
    int32_t sign;         /* of words: what has to stand before the first, or 0 */
    int32_t sides;        /* of the text that it has to touch */
    int32_t characters;   /* of a substring */
} rk_end;

typedef struct {
    rk_edge *edges;
    uint64_t mask;
    int32_t *node_end; /* node -> first of its ends, or -1 */
    int32_t nodes;     /* node 0 is the root */
} rk_trie;

static inline uint64_t rk_edge_place(const rk_trie *trie, uint64_t key)
{
    return rk_mix(key >> 32, key << 32 | (key & 0xffffffff)) & trie->mask;
}

static inline int32_t rk_child(const rk_trie *trie, int32_t node, int32_t symbol)
{
    uint64_t key = (uint64_t)(uint32_t)node << 32 | (uint32_t)symbol;
    uint64_t at = rk_edge_place(trie, key);
    for (; trie->edges[at].child >= 0; at = (at + 1) & trie->mask)
        if (trie->edges[at].key == key)
            return trie->edges[at].child;
    return -1;
}

static int rk_make_trie(rk_trie *trie, int64_t edges)
{
    uint64_t places = rk_power(2 * (uint64_t)edges), i;
    trie->edges = malloc(places * sizeof(rk_edge));
    trie->node_end = malloc((size_t)(edges + 1) * sizeof(int32_t));
    if (!trie->edges || !trie->node_end)
        return RK_NO_MEMORY;
    trie->mask = places - 1;
    for (i = 0; i < places; i++)
        trie->edges[i].child = -1;
    trie->node_end[0] = -1;
    trie->nodes = 1;
    return RK_OK;
}

static inline int32_t rk_new_node(rk_trie *trie)
{
    trie->node_end[trie->nodes] = -1;
    return trie->nodes++;
}

static inline int32_t rk_grow(rk_trie *trie, int32_t node, int32_t symbol)
{
    uint64_t key = (uint64_t)(uint32_t)node << 32 | (uint32_t)symbol;
    uint64_t at = rk_edge_place(trie, key);
    for (; trie->edges[at].child >= 0; at = (at + 1) & trie->mask)
        if (trie->edges[at].key == key)
            return trie->edges[at].child;
    trie->edges[at].key = key;
    trie->edges[at].child = rk_new_node(trie);
    return trie->edges[at].child;
}

#endif
