/* Boolean expressions over what is true of a text, text by text.

   What an expression asks for are atoms, numbered: first the phrases of a table, then
   words near each other, then what is known from elsewhere, and last the open ones, which
   nobody knows yet. An expression is looked at only where one of its anchors is true, of
   which each match has one; an anchor has a guard where every match has a second atom, so
   that most expressions are put aside by one bit. The others are evaluated left to right,
   from leaf to leaf: each leaf says where to go on if its atom is true and if it is not.

   A leaf that is open is taken for true, then for false. Where that makes a difference,
   the expression is open too, and settled when all is known. */
#ifndef ROOKERY_EXPRESSIONS_H
#define ROOKERY_EXPRESSIONS_H

#include "phrases.h"

#define RK_BAD_EXPRESSION (-6)

#define RK_TRUE (-1)  /* where evaluation ends */
#define RK_FALSE (-2)
#define RK_CODE 3    /* integers of a leaf: go on if true, if not, whether it is negated */
#define RK_POSTING 2 /* integers: expression * 2 + whether this proves it, guard or -1 */
#define RK_PLACE 4   /* integers: row, atom, start, end */
#define RK_PAIR 3    /* integers: row, expression, whether it is open */

/* Lists of numbers, end to end: list i is values[first[i]] to values[first[i + 1]]. */
typedef struct {
    const int32_t *first, *values;
    int64_t lists, size; /* how many lists, and values of all */
} rk_lists;

typedef struct {
    int32_t atoms, open;   /* how many there are; the first that is open */
    int32_t expressions;
    rk_lists leaves;       /* expression -> its atoms, from left to right */
    rk_lists code;         /* shape -> RK_CODE for each leaf */
    const int32_t *shape;  /* expression -> its shape */
    rk_lists anchored;     /* atom -> RK_POSTING of each expression that it anchors */
    rk_lists triggers;     /* open atom -> those of which one is true where it is; or none */
    int32_t first_near;    /* the atom of the first */
    rk_lists near;         /* atom and how often it is wanted, of each of the words */
    const int32_t *others; /* near -> how many other words there may be */
    rk_lists near_of;      /* atom -> the nears that are looked at where it is true */
} rk_expressions;

/* How much is told of a text. */
typedef struct {
    int64_t expressions; /* that have places */
    int64_t of_leaf, of_text;
} rk_limits;

typedef struct {
    rk_ints hits, known, found, near;
    uint64_t *atoms, *expressions; /* bits */
} rk_scene;

/* ---- Checking what comes from outside. */

static int rk_check_lists(const rk_lists *lists, int64_t count, int64_t step)
{
    int64_t i;
    if (lists->lists != count || (count && lists->first[0] != 0))
        return RK_BAD_EXPRESSION;
    for (i = 0; i < count; i++)
        if (lists->first[i + 1] < lists->first[i] || lists->first[i + 1] % step)
            return RK_BAD_EXPRESSION;
    return count && lists->first[count] != lists->size ? RK_BAD_EXPRESSION : RK_OK;
}

static int rk_check_values(const int32_t *values, int64_t count, int64_t step,
                           int32_t least, int32_t limit)
{
    int64_t i;
    for (i = 0; i < count; i += step)
        if (values[i] < least || values[i] >= limit)
            return RK_BAD_EXPRESSION;
    return RK_OK;
}

/* Every number leads somewhere, and evaluation always ends, as it only goes forward. */
static int rk_check_expressions(const rk_expressions *all, int32_t phrases)
{
    int64_t nears = all->near.lists, i, at;
    if (all->atoms < 0 || all->open < 0 || all->open > all->atoms ||
        phrases > all->first_near || all->first_near + nears > all->open ||
        all->expressions < 0 || all->expressions >= 1 << 30 ||
        rk_check_lists(&all->leaves, all->expressions, 1) ||
        rk_check_lists(&all->code, all->code.lists, RK_CODE) ||
        rk_check_lists(&all->anchored, all->atoms, RK_POSTING) ||
        rk_check_lists(&all->triggers, all->atoms - all->open, 1) ||
        rk_check_lists(&all->near, nears, 2) ||
        rk_check_lists(&all->near_of, nears ? all->first_near : 0, 1) ||
        rk_check_values(all->leaves.values, all->leaves.size, 1, 0, all->atoms) ||
        rk_check_values(all->shape, all->expressions, 1, 0, (int32_t)all->code.lists) ||
        rk_check_values(all->anchored.values, all->anchored.size, RK_POSTING, 0,
                        2 * all->expressions) ||
        rk_check_values(all->anchored.values + 1, all->anchored.size, RK_POSTING, -1,
                        all->open) ||
        rk_check_values(all->triggers.values, all->triggers.size, 1, 0, all->open) ||
        rk_check_values(all->near.values, all->near.size, 2, 0, phrases) ||
        rk_check_values(all->near.values + 1, all->near.size, 2, 1, INT32_MAX) ||
        rk_check_values(all->near_of.values, all->near_of.size, 1, 0, (int32_t)nears))
        return RK_BAD_EXPRESSION;
    for (i = 0; i < all->code.lists; i++) {
        int32_t first = all->code.first[i];
        int32_t count = (all->code.first[i + 1] - first) / RK_CODE;
        for (at = 0; at < count; at++) {
            const int32_t *leaf = all->code.values + first + at * RK_CODE;
            int side;
            for (side = 0; side < 2; side++)
                if (leaf[side] != RK_TRUE && leaf[side] != RK_FALSE &&
                    (leaf[side] <= at || leaf[side] >= count))
                    return RK_BAD_EXPRESSION;
        }
    }
    for (i = 0; i < all->expressions; i++) {
        const int32_t *code = all->code.first + all->shape[i];
        int32_t count = all->leaves.first[i + 1] - all->leaves.first[i];
        if (!count || (code[1] - code[0]) != count * RK_CODE)
            return RK_BAD_EXPRESSION;
    }
    return RK_OK;
}

/* ---- What is true of a text. */

static inline int rk_has(const uint64_t *bits, int32_t number)
{
    return (int)(bits[number >> 6] >> (number & 63) & 1);
}

static inline void rk_clear(uint64_t *bits, int32_t number)
{
    bits[number >> 6] = 0; /* its neighbours are cleared too: all of them are */
}

static inline int rk_learn(rk_scene *scene, int32_t atom)
{
    int32_t *to;
    if (rk_has(scene->atoms, atom))
        return RK_OK;
    if (!(to = rk_more(&scene->known, 1)))
        return RK_NO_MEMORY;
    *to = atom;
    scene->atoms[atom >> 6] |= UINT64_C(1) << (atom & 63);
    return RK_OK;
}

static int rk_make_scene(const rk_expressions *all, rk_scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    scene->atoms = calloc((size_t)all->atoms / 64 + 1, sizeof(uint64_t));
    scene->expressions = calloc((size_t)all->expressions / 64 + 1, sizeof(uint64_t));
    return scene->atoms && scene->expressions ? RK_OK : RK_NO_MEMORY;
}

static void rk_free_scene(rk_scene *scene)
{
    free(scene->hits.data);
    free(scene->known.data);
    free(scene->found.data);
    free(scene->near.data);
    free(scene->atoms);
    free(scene->expressions);
}

static void rk_forget(rk_scene *scene)
{
    int64_t i;
    for (i = 0; i < scene->known.used; i++)
        rk_clear(scene->atoms, scene->known.data[i]);
    for (i = 0; i < scene->found.used; i++)
        rk_clear(scene->expressions, scene->found.data[i] >> 1);
    scene->hits.used = scene->known.used = scene->found.used = 0;
}

/* ---- Evaluation. */

/* Whether an open atom may be true. */
static inline int rk_may_be(const rk_expressions *all, const uint64_t *atoms, int32_t atom)
{
    const int32_t *at = all->triggers.first + (atom - all->open);
    int32_t i;
    for (i = at[0]; i < at[1]; i++)
        if (rk_has(atoms, all->triggers.values[i]))
            return 1;
    return at[0] == at[1];
}

/* Whether an expression is true, if open leaves that may be are, or are not, or (settled)
   where nothing is open. */
static inline int rk_evaluate(const rk_expressions *all, const uint64_t *atoms,
                              int32_t expression, int settled, int open)
{
    const int32_t *leaf = all->leaves.values + all->leaves.first[expression];
    const int32_t *code = all->code.values + all->code.first[all->shape[expression]];
    int32_t at = 0;
    while (at >= 0) {
        int32_t atom = leaf[at];
        int is_true = rk_has(atoms, atom);
        if (!settled && atom >= all->open && rk_may_be(all, atoms, atom))
            is_true = open != code[at * RK_CODE + 2];
        at = code[at * RK_CODE + !is_true];
    }
    return at == RK_TRUE;
}

static inline int rk_add_found(rk_scene *scene, int32_t expression, int open)
{
    int32_t *to = rk_more(&scene->found, 1);
    if (!to)
        return RK_NO_MEMORY;
    *to = expression * 2 + open;
    scene->expressions[expression >> 6] |= UINT64_C(1) << (expression & 63);
    return RK_OK;
}

/* Looks at the expressions that an atom anchors. */
static inline int rk_look(const rk_expressions *all, rk_scene *scene, int32_t atom)
{
    const int32_t *posting = all->anchored.values + all->anchored.first[atom];
    const int32_t *end = all->anchored.values + all->anchored.first[atom + 1];
    for (; posting < end; posting += RK_POSTING) {
        int32_t expression = posting[0] >> 1;
        int open = 0;
        if (posting[1] >= 0 && !rk_has(scene->atoms, posting[1]))
            continue;
        if (rk_has(scene->expressions, expression))
            continue;
        if (!(posting[0] & 1)) {
            if (!rk_evaluate(all, scene->atoms, expression, 0, 1))
                continue;
            open = all->open < all->atoms &&
                   !rk_evaluate(all, scene->atoms, expression, 0, 0);
        }
        if (rk_add_found(scene, expression, open))
            return RK_NO_MEMORY;
    }
    return RK_OK;
}

/* ---- Order. */

static int rk_by_atom(const void *left, const void *right)
{
    const int32_t *a = left, *b = right;
    if (a[1] != b[1])
        return a[1] < b[1] ? -1 : 1;
    if (a[2] != b[2])
        return a[2] < b[2] ? -1 : 1;
    return a[3] < b[3] ? -1 : a[3] > b[3];
}

static int rk_by_number(const void *left, const void *right)
{
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return a < b ? -1 : a > b;
}

static int rk_by_word(const void *left, const void *right)
{
    const int32_t *a = left, *b = right;
    if (a[0] != b[0])
        return a[0] < b[0] ? -1 : 1;
    return a[1] < b[1] ? -1 : a[1] > b[1];
}

static void rk_sort_hits(int32_t *hits, int64_t count)
{
    int64_t i, at;
    if (count > 32) {
        qsort(hits, (size_t)count, RK_HIT * sizeof(int32_t), rk_by_atom);
        return;
    }
    for (i = 1; i < count; i++) {
        int32_t hit[RK_HIT];
        memcpy(hit, hits + i * RK_HIT, sizeof(hit));
        for (at = i; at > 0 && rk_by_atom(hits + (at - 1) * RK_HIT, hit) > 0; at--)
            memcpy(hits + at * RK_HIT, hits + (at - 1) * RK_HIT, sizeof(hit));
        memcpy(hits + at * RK_HIT, hit, sizeof(hit));
    }
}

static void rk_sort_numbers(int32_t *numbers, int64_t count)
{
    int64_t i, at;
    if (count > 32) {
        for (i = 1; i < count && numbers[i - 1] < numbers[i]; i++)
            ;
        if (i < count)
            qsort(numbers, (size_t)count, sizeof(int32_t), rk_by_number);
        return;
    }
    for (i = 1; i < count; i++) {
        int32_t number = numbers[i];
        for (at = i; at > 0 && numbers[at - 1] > number; at--)
            numbers[at] = numbers[at - 1];
        numbers[at] = number;
    }
}

/* The first of entries, sorted by their second number, that is not less than an atom. */
static int64_t rk_first_of(const int32_t *entries, int64_t count, int64_t width,
                           int32_t atom)
{
    int64_t low = 0;
    while (low < count) {
        int64_t middle = low + (count - low) / 2;
        if (entries[middle * width + 1] < atom)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

/* ---- Words near each other. */

/* Finds the smallest stretches of words that have all that are wanted; none of them
   contains another. `count` hits are sorted by atom; stretches are added to them. */
static int rk_find_near(const rk_expressions *all, rk_scene *scene, int32_t near,
                        int64_t count, int32_t row)
{
    const int32_t *words = all->near.values + all->near.first[near];
    int32_t kinds = (all->near.first[near + 1] - all->near.first[near]) / 2;
    int32_t lacking = kinds, total = 0, kind, *missing, *place;
    int64_t first = 0, last, places;
    scene->near.used = 0;
    if (!rk_more(&scene->near, kinds))
        return RK_NO_MEMORY;
    for (kind = 0; kind < kinds; kind++) {
        int32_t atom = words[2 * kind];
        int64_t at = rk_first_of(scene->hits.data, count, RK_HIT, atom);
        for (; at < count && scene->hits.data[at * RK_HIT + 1] == atom; at++) {
            if (!(place = rk_more(&scene->near, 3)))
                return RK_NO_MEMORY;
            place[0] = scene->hits.data[at * RK_HIT + 4];
            place[1] = kind;
            place[2] = (int32_t)at;
        }
        total += words[2 * kind + 1];
    }
    missing = scene->near.data;
    place = missing + kinds;
    places = (scene->near.used - kinds) / 3;
    qsort(place, (size_t)places, 3 * sizeof(int32_t), rk_by_word);
    for (kind = 0; kind < kinds; kind++)
        missing[kind] = words[2 * kind + 1];
    for (last = 0; last < places; last++) {
        const int32_t *from, *to = place + last * 3;
        lacking -= --missing[to[1]] == 0;
        while (missing[place[first * 3 + 1]] < 0)
            missing[place[first++ * 3 + 1]]++;
        if (lacking)
            continue;
        from = place + first * 3;
        if ((int64_t)to[0] - from[0] + 1 - total <= all->others[near]) {
            int32_t atom = all->first_near + near, *hit = rk_more(&scene->hits, RK_HIT);
            if (!hit || rk_learn(scene, atom))
                return RK_NO_MEMORY;
            hit[0] = row;
            hit[1] = atom;
            hit[2] = scene->hits.data[from[2] * (int64_t)RK_HIT + 2];
            hit[3] = scene->hits.data[to[2] * (int64_t)RK_HIT + 3];
            hit[4] = from[0];
            hit[5] = to[0];
        }
        /* What contains this stretch is no smallest one: go on without its first word. */
        missing[from[1]]++;
        lacking++;
        first++;
    }
    return RK_OK;
}

static int rk_find_all_near(const rk_expressions *all, rk_scene *scene, int32_t row)
{
    int64_t known = scene->known.used, count = scene->hits.used / RK_HIT, i;
    int sorted = 0;
    for (i = 0; i < known; i++) {
        int32_t atom = scene->known.data[i], at, word;
        if (atom >= all->first_near)
            continue;
        for (at = all->near_of.first[atom]; at < all->near_of.first[atom + 1]; at++) {
            int32_t near = all->near_of.values[at];
            for (word = all->near.first[near]; word < all->near.first[near + 1]; word += 2)
                if (!rk_has(scene->atoms, all->near.values[word]))
                    break;
            if (word < all->near.first[near + 1])
                continue;
            if (!sorted)
                rk_sort_hits(scene->hits.data, count);
            sorted = 1;
            if (rk_find_near(all, scene, near, count, row))
                return RK_NO_MEMORY;
        }
    }
    return RK_OK;
}

/* ---- Matching. */

/* Writes down what was found of a text, and what is to be found out. */
static int rk_tell(const rk_expressions *all, rk_scene *scene, int32_t row, rk_ints *pairs,
                   rk_ints *wanted, rk_ints *places)
{
    int32_t *to;
    int64_t i;
    rk_sort_numbers(scene->found.data, scene->found.used);
    for (i = 0; i < scene->found.used; i++) {
        int32_t expression = scene->found.data[i] >> 1, at;
        int open = scene->found.data[i] & 1;
        if (!(to = rk_more(pairs, RK_PAIR)))
            return RK_NO_MEMORY;
        to[0] = row;
        to[1] = expression;
        to[2] = open;
        at = open ? all->leaves.first[expression] : all->leaves.first[expression + 1];
        for (; at < all->leaves.first[expression + 1]; at++) {
            int32_t atom = all->leaves.values[at];
            if (atom < all->open || rk_has(scene->atoms, atom) ||
                !rk_may_be(all, scene->atoms, atom))
                continue;
            /* Nothing is evaluated any more: its bit says that it is asked for. */
            if (!(to = rk_more(wanted, 2)) || rk_learn(scene, atom))
                return RK_NO_MEMORY;
            to[0] = row;
            to[1] = atom;
        }
    }
    rk_sort_hits(scene->hits.data, scene->hits.used / RK_HIT);
    for (i = 0; i < scene->hits.used; i += RK_HIT) {
        if (!(to = rk_more(places, RK_PLACE)))
            return RK_NO_MEMORY;
        memcpy(to, scene->hits.data + i, RK_PLACE * sizeof(int32_t));
    }
    return RK_OK;
}

/* Finds pairs of a text and an expression that is true of it or open, sorted; the open
   atoms that decide on these, sorted by row; and all places in texts of such pairs,
   sorted. What else is true is row << 32 | atom each, sorted. */
static int rk_match(const rk_expressions *all, const rk_table *table,
                    const rk_texts *texts, const int64_t *others, int64_t other_count,
                    rk_ints *pairs, rk_ints *wanted, rk_ints *places)
{
    const uint8_t *begin = NULL, *end = NULL;
    const uint8_t *limit = texts->data + texts->data_size;
    rk_scene scene;
    rk_walk walk;
    int64_t row, i, other = 0, known;
    int status = rk_make_walk(table, &walk, &scene.hits);
    status |= rk_make_scene(all, &scene);
    for (row = 0; !status && row < texts->length; row++) {
        int found = rk_text(texts, row, &begin, &end);
        if (found < 0)
            status = RK_BAD_OFFSETS;
        walk.base = begin;
        walk.row = (int32_t)row;
        if (found > 0 && table->has_words)
            status = rk_find_words(table, &walk, begin, end, limit);
        if (found > 0 && !status && table->has_substrings)
            status = rk_find_substrings(table, &walk, begin, end);
        for (i = 1; !status && i < scene.hits.used; i += RK_HIT)
            status = rk_learn(&scene, scene.hits.data[i]);
        for (; !status && other < other_count && others[other] >> 32 <= row; other++) {
            int64_t atom = others[other] & 0xffffffff;
            if (others[other] >> 32 != row || atom < all->first_near || atom >= all->open)
                status = RK_BAD_EXPRESSION;
            else
                status = rk_learn(&scene, (int32_t)atom);
        }
        if (!status && all->near.lists && scene.hits.used)
            status = rk_find_all_near(all, &scene, (int32_t)row);
        known = scene.known.used;
        for (i = 0; !status && i < known; i++)
            status = rk_look(all, &scene, scene.known.data[i]);
        if (!status && scene.found.used)
            status = rk_tell(all, &scene, (int32_t)row, pairs, wanted, places);
        rk_forget(&scene);
    }
    if (!status && other < other_count)
        status = RK_BAD_EXPRESSION;
    rk_free_scene(&scene);
    rk_free_walk(&walk);
    return status;
}

/* ---- Settling. */

/* Says where the leaves of a true expression stand. */
static int rk_tell_places(const rk_expressions *all, int32_t expression,
                          const int32_t *places, int64_t count, int64_t of_leaf,
                          int64_t *room, rk_ints *spans)
{
    const int32_t *leaf = all->leaves.values + all->leaves.first[expression];
    const int32_t *code = all->code.values + all->code.first[all->shape[expression]];
    int32_t leaves = all->leaves.first[expression + 1] - all->leaves.first[expression];
    int32_t clause;
    for (clause = 0; clause < leaves && *room; clause++) {
        int64_t at, told = 0;
        if (code[clause * RK_CODE + 2])
            continue;
        at = rk_first_of(places, count, RK_PLACE, leaf[clause]);
        for (; at < count && *room && told < of_leaf; at++, told++) {
            const int32_t *place = places + at * RK_PLACE;
            int32_t *to;
            if (place[1] != leaf[clause])
                break;
            if (!(to = rk_more(spans, RK_PLACE)))
                return RK_NO_MEMORY;
            to[0] = expression;
            to[1] = clause;
            to[2] = place[2];
            to[3] = place[3];
            --*room;
        }
    }
    return RK_OK;
}

/* Evaluates what is open, now that all is known, and lists what is true: for each text,
   row, how many expressions, how many spans; the expressions; and the spans, each
   expression, clause, start, end. Pairs and places come as `rk_match` gives them; what
   is true and has no place as row << 32 | atom, sorted. */
static int rk_settle(const rk_expressions *all, const int32_t *pairs, int64_t pair_count,
                     const int32_t *places, int64_t place_count, const int64_t *others,
                     int64_t other_count, const rk_limits *limits, rk_ints *rows,
                     rk_ints *expressions, rk_ints *spans)
{
    int64_t pair, place = 0, other = 0, next, i;
    rk_scene scene;
    int status = rk_make_scene(all, &scene);
    for (pair = 0; !status && pair < pair_count; pair = next) {
        int32_t row = pairs[pair * RK_PAIR], *to;
        int64_t first_expression = expressions->used, first_span = spans->used;
        int64_t room = limits->of_text, first_place;
        int open = 0;
        for (next = pair; next < pair_count && pairs[next * RK_PAIR] == row; next++) {
            int32_t expression = pairs[next * RK_PAIR + 1];
            if (expression < 0 || expression >= all->expressions)
                status = RK_BAD_EXPRESSION;
            open |= pairs[next * RK_PAIR + 2];
        }
        while (place < place_count && places[place * RK_PLACE] < row)
            place++;
        first_place = place;
        for (; place < place_count && places[place * RK_PLACE] == row; place++) {
            int32_t atom = places[place * RK_PLACE + 1];
            if (atom < 0 || atom >= all->atoms)
                status = RK_BAD_EXPRESSION;
            else if (open && !status)
                status = rk_learn(&scene, atom);
        }
        while (other < other_count && others[other] >> 32 < row)
            other++;
        for (; open && !status && other < other_count && others[other] >> 32 == row; other++)
            if ((others[other] & 0xffffffff) >= all->atoms)
                status = RK_BAD_EXPRESSION;
            else
                status = rk_learn(&scene, (int32_t)(others[other] & 0xffffffff));
        for (i = pair; !status && i < next; i++) {
            int32_t expression = pairs[i * RK_PAIR + 1];
            if (pairs[i * RK_PAIR + 2] &&
                !rk_evaluate(all, scene.atoms, expression, 1, 0))
                continue;
            if (expressions->used - first_expression < limits->expressions && room)
                status = rk_tell_places(all, expression, places + first_place * RK_PLACE,
                                        place - first_place, limits->of_leaf, &room,
                                        spans);
            if (status || !(to = rk_more(expressions, 1)))
                status = RK_NO_MEMORY;
            else
                *to = expression;
        }
        rk_forget(&scene);
        if (status || expressions->used == first_expression)
            continue;
        if (!(to = rk_more(rows, 3))) {
            status = RK_NO_MEMORY;
            continue;
        }
        to[0] = row;
        to[1] = (int32_t)(expressions->used - first_expression);
        to[2] = (int32_t)((spans->used - first_span) / RK_PLACE);
    }
    rk_free_scene(&scene);
    return status;
}

#endif
