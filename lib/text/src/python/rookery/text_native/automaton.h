/* Substrings: an Aho-Corasick automaton over the bytes of folded UTF-8.

   After Aho and Corasick, Efficient string matching (1975). The nodes nearest to the root,
   where nearly all of a text is read, have a table of all transitions, one for each byte
   that occurs in a substring and one for all others; the other nodes have their edges and
   a failure link. One pass finds all substrings, however many. */
#ifndef ROOKERY_AUTOMATON_H
#define ROOKERY_AUTOMATON_H

#include "edges.h"

#define RK_CELLS 131072 /* of the tables */

typedef struct {
    rk_trie trie;
    int32_t *fail;   /* node -> its longest proper suffix that is a node */
    int32_t *out;    /* node -> the longest suffix of it, or itself, that has ends; or 0 */
    int32_t *row;    /* node -> its table in `cells`, or -1 */
    int32_t *cells;
    int32_t width;         /* of a table */
    uint8_t column[256];   /* byte -> where in a table; 0: it occurs in no substring */
    uint8_t byte_of[256];  /* and back */
    uint8_t leaves_root[256];
} rk_automaton;

static void rk_free_automaton(rk_automaton *automaton)
{
    free(automaton->trie.edges);
    free(automaton->trie.node_end);
    free(automaton->fail);
    free(automaton->out);
    free(automaton->row);
    free(automaton->cells);
}

static inline int32_t rk_next_node(const rk_automaton *automaton, int32_t node, int byte)
{
    uint8_t column = automaton->column[byte];
    if (!column)
        return 0;
    for (;;) {
        int32_t child = automaton->row[node];
        if (child >= 0)
            return automaton->cells[child + column];
        child = rk_child(&automaton->trie, node, byte);
        if (child >= 0)
            return child;
        node = automaton->fail[node];
    }
}

/* The folded bytes of the code point at p. */
static inline int rk_fold_bytes(const uint8_t *p, const uint8_t *end, uint8_t *folded,
                                int *size)
{
    if (*p < 0x80) {
        *size = 1;
        folded[0] = (uint8_t)(*p - 'A') < 26 ? *p | 0x20 : *p;
        return 1;
    }
    return rk_encode(rk_folded(rk_decode(p, end, size)), folded);
}

/* Adds a substring; its last node, or 0 where it is empty. */
static int32_t rk_add_substring(rk_automaton *automaton, const uint8_t *p,
                                const uint8_t *end, int32_t *characters)
{
    int32_t node = 0;
    uint8_t folded[4];
    int size, i, count;
    for (*characters = 0; p < end; p += size, ++*characters) {
        count = rk_fold_bytes(p, end, folded, &size);
        for (i = 0; i < count; i++)
            node = rk_grow(&automaton->trie, node, folded[i]);
    }
    return node;
}

/* Sorts nodes by depth: a counting sort over edges, each of which has its parent. */
static int rk_by_depth(const rk_trie *trie, int32_t *order, int32_t *parent, uint8_t *byte)
{
    int32_t *depth = calloc((size_t)trie->nodes + 2, sizeof(int32_t));
    int32_t *count = calloc((size_t)trie->nodes + 2, sizeof(int32_t));
    uint64_t at;
    int32_t node;
    if (!depth || !count) {
        free(depth);
        free(count);
        return RK_NO_MEMORY;
    }
    for (at = 0; at <= trie->mask; at++)
        if (trie->edges[at].child >= 0) {
            node = trie->edges[at].child;
            parent[node] = (int32_t)(trie->edges[at].key >> 32);
            byte[node] = (uint8_t)trie->edges[at].key;
        }
    for (node = 1; node < trie->nodes; node++) { /* a parent is older than its child */
        depth[node] = depth[parent[node]] + 1;
        count[depth[node] + 1]++;
    }
    count[1] = 1; /* the root */
    for (node = 1; node < trie->nodes; node++)
        count[node + 1] += count[node];
    for (node = 0; node < trie->nodes; node++)
        order[count[depth[node]]++] = node;
    free(depth);
    free(count);
    return RK_OK;
}

/* Gives each byte of a substring a column; no UTF-8 has all 256, so they fit. */
static void rk_number_bytes(rk_automaton *automaton)
{
    uint64_t at;
    automaton->width = 1;
    for (at = 0; at <= automaton->trie.mask; at++) {
        const rk_edge *edge = automaton->trie.edges + at;
        uint8_t byte = (uint8_t)edge->key;
        if (edge->child < 0 || automaton->column[byte])
            continue;
        automaton->byte_of[automaton->width] = byte;
        automaton->column[byte] = (uint8_t)automaton->width++;
    }
}

/* Links the nodes, when all substrings are there. */
static int rk_link(rk_automaton *automaton)
{
    const rk_trie *trie = &automaton->trie;
    size_t nodes = (size_t)trie->nodes;
    int32_t full, i;
    int32_t *order = malloc(nodes * sizeof(int32_t));
    int32_t *parent = calloc(nodes, sizeof(int32_t));
    uint8_t *bytes = calloc(nodes, 1);
    int status = RK_OK, byte, column;
    rk_number_bytes(automaton);
    full = RK_CELLS / automaton->width;
    if (full > trie->nodes)
        full = trie->nodes;
    automaton->fail = calloc(nodes, sizeof(int32_t));
    automaton->out = calloc(nodes, sizeof(int32_t));
    automaton->row = malloc(nodes * sizeof(int32_t));
    automaton->cells = malloc((size_t)(full * automaton->width) * sizeof(int32_t));
    if (!order || !parent || !bytes || !automaton->fail || !automaton->out ||
        !automaton->row || !automaton->cells || rk_by_depth(trie, order, parent, bytes))
        status = RK_NO_MEMORY;
    for (i = 0; !status && i < trie->nodes; i++) {
        int32_t node = order[i], above = parent[node], fail = 0;
        if (above)
            fail = rk_next_node(automaton, automaton->fail[above], bytes[node]);
        automaton->fail[node] = fail;
        automaton->out[node] = trie->node_end[node] >= 0 ? node : automaton->out[fail];
        automaton->row[node] = -1;
        if (i >= full)
            continue;
        for (column = 1; column < automaton->width; column++) {
            int32_t next = rk_child(trie, node, automaton->byte_of[column]);
            if (next < 0)
                next = node ? rk_next_node(automaton, fail, automaton->byte_of[column]) : 0;
            automaton->cells[i * automaton->width + column] = next;
        }
        automaton->row[node] = i * automaton->width;
    }
    for (byte = 0; !status && byte < 256; byte++)
        automaton->leaves_root[byte] = rk_next_node(automaton, 0, byte) != 0;
    free(order);
    free(parent);
    free(bytes);
    return status;
}

#endif
