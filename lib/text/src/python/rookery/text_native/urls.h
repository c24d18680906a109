/* URLs, with a scheme and without one. */
#ifndef ROOKERY_URLS_H
#define ROOKERY_URLS_H

#include "search.h"
#include "tlds.h"

#define RK_SLUG_CHARS 40
#define RK_LABEL_CHARS 63
#define RK_URL_CHARS 4096

/* ---- Hosts. */

static inline int rk_is_tld(uint32_t hash, const uint8_t *bytes, int size)
{
    uint32_t slot;
    for (slot = hash % RK_TLD_SLOTS; rk_tld_size[slot]; slot = (slot + 1) % RK_TLD_SLOTS)
        if (rk_tld_size[slot] == size &&
            !memcmp(rk_tld_bytes + rk_tld_place[slot], bytes, (size_t)size))
            return 1;
    return 0;
}

/* How many bytes at p are the longest valid top-level domain that stands there, or 0. */
static int64_t rk_tld(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *start = p;
    uint8_t lower[RK_TLD_LONGEST + 4];
    uint32_t hash = 2166136261u;
    int64_t longest = 0;
    int used = 0, size, i;
    if (end - p > 4 && (p[0] | 0x20) == 'x' && (p[1] | 0x20) == 'n' && p[2] == '-' &&
        p[3] == '-') {
        for (p += 4; p < end && (rk_is(*p, RK_ALPHANUMERIC) || *p == '-'); p++)
            ;
        if (p - start > 4)
            return p - start;
        p = start;
    }
    while (p < end) {
        uint32_t code = *p;
        if (code < 0x80) {
            if (!rk_is(code, RK_LETTER))
                break;
            size = 1;
            lower[used] = (uint8_t)(code | 0x20);
            hash = (hash ^ lower[used++]) * 16777619u;
        } else {
            uint32_t small;
            int from = used;
            code = rk_decode(p, end, &size);
            small = code + (uint32_t)rk_lower[rk_record(code)];
            used += rk_encode(small < 0x80 ? code : small, lower + used);
            for (i = from; i < used; i++)
                hash = (hash ^ lower[i]) * 16777619u;
        }
        p += size;
        if (used > RK_TLD_LONGEST)
            break;
        if (p < end && (rk_is(*p, RK_ALPHANUMERIC) || *p == '@' || *p == '+' || *p == '-'))
            continue;
        if (rk_is_tld(hash, lower, used))
            longest = p - start;
    }
    return longest;
}

typedef struct {
    const uint8_t *start, *end; /* the host; end is NULL where there is none */
    const uint8_t *next;        /* where there is none: where to look on */
} rk_host;

/* Reads labels from `start` on, which is no dot: the host is the longest run of labels
   that begins there and ends with a valid top-level domain. The label before that has no
   underscore; so where there is no such host, one that begins behind the last underscore
   of a label may be the first there is. Of what has been read, that is all that can
   follow, so that no label is read again for each host. */
static void rk_read_host(rk_search *search, const uint8_t *start, rk_host *host)
{
    const uint8_t *end = search->end;
    const uint8_t *p = start, *underscore = NULL, *other = NULL, *other_end = NULL;
    int first = 1, inner = 0, size; /* of a label; and may the last one end it */
    host->start = start;
    host->end = NULL;
    for (;;) {
        uint32_t code;
        if (p == end) {
            host->next = p;
            break;
        }
        code = rk_decode(p, end, &size);
        if (rk_in_host(code)) {
            first = 0;
            inner = 1;
        } else if (code == '.') {
            int64_t tld;
            if (!inner) {
                host->next = p + 1;
                break;
            }
            tld = rk_tld(p + 1, end);
            if (tld && !underscore) {
                host->end = p + 1 + tld;
            } else if (tld && !other) {
                other = underscore + 1;
                other_end = p + 1 + tld;
            }
            if (tld && start < search->poor)
                break;
            underscore = NULL;
            first = 1;
            inner = 0;
        } else if (code == '-' || code == '_') {
            if (first) {
                host->next = p + 1;
                break;
            }
            inner = 0;
            if (code == '_')
                underscore = p;
        } else {
            host->next = p;
            break;
        }
        p += size;
    }
    if (p > search->poor)
        search->poor = p;
    if (!host->end && other) {
        while (*other == '-')
            other++;
        host->start = other;
        host->end = other_end;
    }
}

/* How many characters a label has in Punycode (RFC 3492), or more than are allowed. */
static int64_t rk_label_size(const uint8_t *p, const uint8_t *end)
{
    uint32_t codes[RK_LABEL_CHARS], n = 128, delta = 0, bias = 72;
    int64_t count = 0, basic = 0, done, length, i;
    int size;
    for (; p < end; p += size) {
        if (count == RK_LABEL_CHARS)
            return RK_LABEL_CHARS + 1;
        codes[count] = rk_decode(p, end, &size);
        basic += codes[count++] < 128;
    }
    if (basic == count)
        return count;
    length = 4 + basic + (basic > 0);
    for (done = basic; done < count; delta++, n++) {
        uint32_t least = UINT32_MAX;
        for (i = 0; i < count; i++)
            if (codes[i] >= n && codes[i] < least)
                least = codes[i];
        delta += (least - n) * (uint32_t)(done + 1);
        n = least;
        for (i = 0; i < count; i++) {
            uint32_t q = delta, k = 36, part;
            if (codes[i] < n)
                delta++;
            if (codes[i] != n)
                continue;
            for (;; k += 36) {
                part = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
                length++;
                if (q < part)
                    break;
                q = (q - part) / (36 - part);
            }
            q = done == basic ? delta / 700 : delta / 2;
            q += q / (uint32_t)(done + 1);
            for (k = 0; q > 455; k += 36)
                q /= 35;
            bias = k + 36 * q / (q + 38);
            delta = 0;
            done++;
        }
    }
    return length;
}

/* How many characters a host has in Punycode, or -1 if a label has too many. What
   separates labels in other scripts does so here, but not in the patterns. */
static int64_t rk_host_size(const uint8_t *p, const uint8_t *end)
{
    int64_t length = 0, label = 0;
    const uint8_t *start = p;
    int size = 1;
    for (;; p += size) {
        uint32_t code = p < end ? rk_decode(p, end, &size) : '.';
        if (code == '.' || code == 0x3002 || code == 0xff0e || code == 0xff61) {
            label += rk_label_size(start, p);
            if (label > RK_LABEL_CHARS)
                return -1;
            if (p == end)
                return length + label;
            start = p + size;
            label++;
            if (code == '.') {
                length += label;
                label = 0;
            }
        }
    }
}

/* Whether a host has no label that is too long, and the URL with it, which has `others`
   characters beside it, is not too long either. */
static int rk_is_short(const uint8_t *host, const uint8_t *host_end, int64_t others)
{
    int64_t length = rk_host_size(host, host_end);
    return length >= 0 && length + others <= RK_URL_CHARS;
}

/* ---- What follows a host. */

static inline const uint8_t *rk_path_run(const uint8_t *p, const uint8_t *end)
{
    int size;
    for (; p < end; p += size)
        if (!rk_in_path(rk_decode(p, end, &size), RK_PATH))
            break;
    return p;
}

/* Parentheses at p that are closed, with at most one pair within; or NULL. */
static const uint8_t *rk_parentheses(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *open = p + 1;
    p = rk_path_run(open, end);
    if (p < end && *p == '(') {
        open = p + 1;
        p = rk_path_run(open, end);
        if (p == open || p == end || *p != ')')
            return NULL;
        p = rk_path_run(p + 1, end);
    } else if (p == open) {
        return NULL;
    }
    return p < end && *p == ')' ? p + 1 : NULL;
}

static const uint8_t *rk_path(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *last = p + 1;
    int size;
    for (p = last; p < end;) {
        uint32_t code = rk_decode(p, end, &size);
        if (code == '(') {
            p = rk_parentheses(p, end);
            if (!p)
                break;
            last = p;
        } else if (rk_in_path(code, RK_PATH)) {
            p += size;
            if (rk_in_path(code, RK_PATH_END))
                last = p;
        } else {
            break;
        }
    }
    return last;
}

/* The end of a query whose '?' would be at p. */
static const uint8_t *rk_query(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *last = p;
    if (p == end || *p != '?')
        return p;
    for (p++; p < end && rk_is(*p, RK_QUERY); p++)
        if (rk_is(*p, RK_QUERY_END))
            last = p + 1;
    return last;
}

static const uint8_t *rk_after_host(const uint8_t *p, const uint8_t *end, int *has_path)
{
    if (end - p >= 2 && *p == ':' && p[1] >= '0' && p[1] <= '9')
        for (p++; p < end && *p >= '0' && *p <= '9'; p++)
            ;
    *has_path = p < end && *p == '/';
    if (*has_path)
        p = rk_path(p, end);
    return rk_query(p, end);
}

/* ---- URLs. */

static inline int rk_may_precede_url(const rk_search *search, const uint8_t *p)
{
    uint32_t code;
    int size;
    if (p == search->begin)
        return 1;
    code = rk_before(search->begin, p, &size);
    return p - size >= search->url_from && !rk_is(code, RK_ALPHANUMERIC) &&
           code != '@' && code != 0xff20 && code != '$' && code != '#' &&
           code != 0xff03 && !rk_is_invalid(code);
}

/* Where http:// or https:// begins that ends at p; or NULL. */
static const uint8_t *rk_scheme(const rk_search *search, const uint8_t *p)
{
    int64_t size = 7;
    const uint8_t *start;
    if (p - search->begin < size || !rk_is_scheme_end(p - 3, p))
        return NULL;
    size += (p[-4] | 0x20) == 's';
    if (p - search->begin < size)
        return NULL;
    start = p - size;
    if ((start[0] | 0x20) != 'h' || (start[1] | 0x20) != 't' ||
        (start[2] | 0x20) != 't' || (start[3] | 0x20) != 'p')
        return NULL;
    return rk_may_precede_url(search, start) ? start : NULL;
}

static inline int rk_in_latin_label(uint32_t code)
{
    return rk_is(code, RK_NAME) || code == '-' || rk_is_accented(code);
}

/* The end of the first Latin host in p..end, which begins at `start`; or NULL. */
static const uint8_t *rk_latin_host(const uint8_t *p, const uint8_t *end,
                                    const uint8_t **start)
{
    int size = 0;
    for (; p < end; p += size) {
        const uint8_t *last = NULL, *label;
        *start = p;
        for (;;) {
            int64_t tld;
            for (label = p; p < end; p += size)
                if (!rk_in_latin_label(rk_decode(p, end, &size)))
                    break;
            if (p == label || p == end || *p != '.')
                break;
            tld = rk_tld(++p, end);
            if (tld)
                last = p + tld;
        }
        if (last)
            return last;
        if (p == end)
            break;
        rk_decode(p, end, &size);
    }
    return NULL;
}

static int rk_with_scheme(rk_search *search, const uint8_t *start, const rk_host *host)
{
    int has_path;
    const uint8_t *end = rk_after_host(host->end, search->end, &has_path), *p;
    search->url_from = end;
    /* A link of t.co has letters and digits behind the slash, and nothing more. */
    if (host->end - host->start == 4 && (host->start[0] | 0x20) == 't' &&
        (host->start[2] | 0x20) == 'c' && (host->start[3] | 0x20) == 'o' &&
        end - host->end > 1 && *host->end == '/' &&
        rk_is(host->end[1], RK_ALPHANUMERIC)) {
        for (p = host->end + 1; p < end && rk_is(*p, RK_ALPHANUMERIC); p++)
            ;
        if (p - host->end - 1 > RK_SLUG_CHARS)
            return RK_OK;
        end = rk_query(p, search->end);
    }
    if (host->end - host->start > 4 && !memcmp(host->start, "xn--", 4) &&
        !rk_latin_host(host->start, host->end, &p))
        return RK_OK;
    if (!rk_is_short(host->start, host->end,
                     (host->start - start) + rk_characters(host->end, end)))
        return RK_OK;
    return rk_add(search, RK_URL, start, end, host->start, host->end, host->end);
}

/* Without a scheme, a host is Latin: what else stands beside it is text. The path belongs
   to the last one, even if such text stands between them. */
static int rk_without_scheme(rk_search *search, const rk_host *host)
{
    int has_path;
    const uint8_t *end = rk_after_host(host->end, search->end, &has_path);
    const uint8_t *p = host->start, *start, *last, *url = NULL, *url_end = NULL;
    int64_t length;
    search->url_from = end;
    if (p > search->begin && (p[-1] == '-' || p[-1] == '_' || p[-1] == '.' || p[-1] == '/'))
        return RK_OK;
    length = rk_characters(p, end) + 8; /* https:// */
    for (; (last = rk_latin_host(p, host->end, &start)); p = last) {
        if (!rk_is_short(start, last, length - rk_characters(start, last)))
            continue;
        if (url && rk_add(search, RK_URL, url, url_end, url, url_end, url_end))
            return RK_NO_MEMORY;
        url = start;
        url_end = last;
    }
    if (!url)
        return RK_OK;
    return rk_add(search, RK_URL, url, has_path ? end : url_end, url, url_end,
                  has_path ? host->end : url_end);
}

/* Reads the host at p, which begins with `code`. At the beginning of a text, the first
   character may stand before a host that begins with the second one; if there is such a
   host, that is what it does, even where it may begin a host itself. */
static void rk_read_first(rk_search *search, const uint8_t *p, uint32_t code, rk_host *host)
{
    const uint8_t *poor = search->poor, *second;
    int size;
    if (p == search->begin && !rk_is(code, RK_ALPHANUMERIC) && code != 0xff20 &&
        code != 0xff03) {
        rk_decode(p, search->end, &size);
        second = p + size;
        if (second < search->end && *second != '.') {
            rk_read_host(search, second, host);
            if (host->end && host->start == second)
                return;
            search->poor = poor;
        }
    }
    rk_read_host(search, p, host);
}

/* Looks for URLs around a dot behind which a top-level domain stands. */
static int rk_url(rk_search *search, const uint8_t *dot)
{
    const uint8_t *p = dot, *scheme;
    rk_host host;
    int size;
    while (p > search->read) {
        uint32_t code = rk_before(search->read, p, &size);
        if (!rk_in_host(code) && code != '.' && code != '-' && code != '_')
            break;
        p -= size;
    }
    scheme = rk_in_host(rk_decode(p, search->end, &size)) ? rk_scheme(search, p) : NULL;
    if (scheme) {
        rk_read_host(search, p, &host);
        if (host.end && host.start == p) {
            if (rk_with_scheme(search, scheme, &host))
                return RK_NO_MEMORY;
            p = search->url_from;
        }
    }
    for (;;) {
        uint32_t code;
        if (p == search->end)
            break;
        code = rk_decode(p, search->end, &size);
        if (!rk_in_host(code)) {
            if (code != '.' && code != '-' && code != '_')
                break;
            p += size;
            continue;
        }
        if (!rk_may_precede_url(search, p)) {
            p += size;
            continue;
        }
        rk_read_first(search, p, code, &host);
        if (!host.end) {
            p = host.next;
            continue;
        }
        if (rk_without_scheme(search, &host))
            return RK_NO_MEMORY;
        p = search->url_from;
    }
    search->read = p;
    return RK_OK;
}

#endif
