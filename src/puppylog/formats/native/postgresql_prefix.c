/* Reads a log_line_prefix that is known: see postgresql/prefix.py. */
#include "clock.h"
#include "postgresql.h"

enum { CODE_SIZE = 5, MAX_ID_LENGTH = 19 };

typedef struct {
    const PgPrefix *prefix;
    const uint8_t *end, *limit; /* limit: values of any form end before it */
    PgHead *head;
    int tries; /* ends of values that may still be tried, so that no line takes long */
} Match;

static bool match_from(Match *match, int place, const uint8_t *at);

static inline bool is_hex(uint8_t byte) {
    uint8_t lower = byte | 0x20;
    return is_digit(byte) || (lower >= 'a' && lower <= 'f');
}

static const uint8_t *skip_digits(const uint8_t *at, const uint8_t *end, int most) {
    for (int count = 0; count < most && at < end && is_digit(*at); count++) at++;
    return at;
}

/* Return the end of two numbers, or two runs of hexadecimal digits, with `mark` between them; `at` if there are none. */
static const uint8_t *skip_two(const uint8_t *at, const uint8_t *end, uint8_t mark, bool is_of_hex) {
    const uint8_t *first = at, *second;
    while (first < end && (is_of_hex ? is_hex(*first) : is_digit(*first))) first++;
    if (first == at || first == end || *first != mark) return at;
    for (second = first + 1; second < end && (is_of_hex ? is_hex(*second) : is_digit(*second));) second++;
    return second > first + 1 ? second : at;
}

/* Return the end of a value whose form is fixed; `at` for an empty value. */
static const uint8_t *skip_fixed(Match *match, int field, const uint8_t *at) {
    const uint8_t *end = match->end, *code = at;
    switch (field) {
    case PG_SESSION: return skip_two(at, end, '.', true);
    case PG_VXID: return skip_two(at, end, '/', false);
    case PG_EPOCH: return skip_two(at, end, '.', false);
    case PG_QUERY_ID: return skip_digits(at < end && *at == '-' ? at + 1 : at, end, MAX_ID_LENGTH);
    case PG_CODE:
        while (code < end && code - at < CODE_SIZE && (is_digit(*code) || (*code >= 'A' && *code <= 'Z'))) code++;
        return code - at == CODE_SIZE ? code : at;
    default: return skip_digits(at, end, MAX_DIGITS);
    }
}

static bool has_literal(const Match *match, Span literal, const uint8_t *at) {
    if ((size_t)(match->end - at) < literal.size) return false;
    return literal.size == 0 || memcmp(at, literal.at, literal.size) == 0;
}

static const uint8_t *skip_blanks(const Match *match, const uint8_t *at) {
    while (at < match->end && *at == ' ') at++;
    return at;
}

/* Set the value of a step, without the blanks at its ends if it is padded, and go on after the text that follows it. */
static bool match_after(Match *match, int place, const uint8_t *start, const uint8_t *value_end) {
    const PgStep *step = &match->prefix->steps[place];
    const uint8_t *at = value_end;
    if (step->is_padded) {
        while (value_end > start && value_end[-1] == ' ') value_end--;
        const uint8_t *blanks = skip_blanks(match, at);
        if (step->literal.size == 0 || step->literal.at[0] != ' ') at = blanks;
        else if (blanks > at) at = blanks - 1;
    }
    match->head->values[step->field] = span_of(start, value_end);
    return has_literal(match, step->literal, at) && match_from(match, place + 1, at + step->literal.size);
}

static bool match_time(Match *match, int place, const uint8_t *at) {
    const PgStep *step = &match->prefix->steps[place];
    PgHead *head = match->head;
    const uint8_t *end;
    if (step->field == PG_EPOCH) {
        int64_t us;
        end = skip_fixed(match, PG_EPOCH, at);
        Stamp stamp = clock_epoch(span_of(at, end), &us);
        if (end == at || stamp != STAMP_ZONED) return false;
        head->time = (FoundStamp){.us = us, .end = end};
        head->has_time = true;
    } else {
        end = pg_find_stamp_end(at, match->end);
        if (end == NULL) return false;
        if (step->field == PG_TIME) {
            if (!pg_read_stamp(at, end, &head->time)) return false;
            head->has_time = true;
        }
    }
    return match_after(match, place, at, end);
}

/* Match a value of any form: it ends before the next text of the prefix, with which the rest of the line matches. */
static bool match_free(Match *match, int place, const uint8_t *start) {
    const PgStep *step = &match->prefix->steps[place];
    for (const uint8_t *at = start; at <= match->limit; at++) {
        bool is_within_character = at < match->end && (*at & 0xC0) == 0x80;
        if (is_within_character || !has_literal(match, step->literal, at)) continue;
        if (match->tries-- <= 0) return false;
        if (match_after(match, place, start, at)) return true;
    }
    return false;
}

/* Match the fields from `place` on, and the level after them. */
static bool match_from(Match *match, int place, const uint8_t *at) {
    const PgPrefix *prefix = match->prefix;
    bool ends_here = place == prefix->count || place == prefix->optional;
    if (place < prefix->count) {
        const PgStep *step = &prefix->steps[place];
        const uint8_t *start = step->is_padded ? skip_blanks(match, at) : at;
        bool matches;
        switch (step->field) {
        case PG_TIME:
        case PG_EPOCH:
        case PG_START: matches = match_time(match, place, start); break;
        case PG_APP:
        case PG_USER:
        case PG_DATABASE:
        case PG_REMOTE:
        case PG_HOST:
        case PG_LOCAL:
        case PG_BACKEND:
        case PG_TAG: matches = match_free(match, place, start); break;
        default: matches = match_after(match, place, start, skip_fixed(match, step->field, start));
        }
        if (matches) return true;
    }
    if (!ends_here || !pg_read_level(at, match->end, &match->head->level)) return false;
    for (; place < prefix->count; place++) {
        int field = prefix->steps[place].field;
        match->head->values[field] = (Span){0};
        if (field == PG_TIME || field == PG_EPOCH) match->head->has_time = false;
    }
    return true;
}

bool pg_read_known(const PgPrefix *prefix, Span line, PgHead *head) {
    const uint8_t *end = line.at + line.size;
    const uint8_t *limit = line.size > PG_LONGEST_HEAD ? line.at + PG_LONGEST_HEAD : end;
    Match match = {prefix, end, limit, head, PG_MOST_TRIES};
    if (!has_literal(&match, prefix->literal, line.at)) return false;
    return match_from(&match, 0, line.at + prefix->literal.size);
}
