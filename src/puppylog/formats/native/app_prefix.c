/* Finds the stamp of a record behind a short prefix of ids: see app_prefix.py. */
#include "app.h"
#include "scan.h"
#include "severity.h"

enum { MAX_PREFIX_LENGTH = 80, MIN_STAMP_LENGTH = 19, DIGITS_OF_YEAR = 4, DIGITS_OF_EPOCH = 10 };

static bool is_allowed(uint8_t byte) { return is_alphanumeric(byte) || is_one_of(byte, "_./:@#| -"); }

/* Return whether a part of a prefix begins at `at`. */
static bool begins_part(const uint8_t *start, const uint8_t *at) {
    if (at == start || at[-1] == ' ' || at[-1] == '|') return true;
    return at - start >= 2 && at[-1] == ':' && at[-2] == ':';
}

/* Return whether blanks and a date are at `at`, with a year of four digits at one end. */
static bool has_date(const uint8_t *at, const uint8_t *end) {
    const uint8_t *start = at;
    while (at < end && (*at == ' ' || *at == '-')) at++;
    if (at == start) return false;
    int first = digit_run(at, end, 5);
    uint8_t between = byte_at(at + first, end);
    bool is_year_first = first == DIGITS_OF_YEAR;
    if (!(is_year_first || first == 1 || first == 2) || !is_one_of(between, "/.-")) return false;
    at += first + 1;
    const uint8_t *second = digits_end(at, end, 1, 2);
    if (second == NULL || byte_at(second, end) != between) return false;
    const uint8_t *last = is_year_first ? digits_end(second + 1, end, 1, 2) : digits_end(second + 1, end, 4, 4);
    return last != NULL && (byte_at(last, end) == ' ' || byte_at(last, end) == 'T');
}

/* Return whether a part is a word of a sentence: in small letters, of which the first may be a capital. */
static bool is_plain_word(Span part) {
    size_t place = part.at[0] >= 'A' && part.at[0] <= 'Z';
    if (place == part.size) return false;
    for (; place < part.size; place++) {
        if (part.at[place] < 'a' || part.at[place] > 'z') return false;
    }
    return true;
}

/* Return the end of the part at `at`. */
static const uint8_t *part_end(const uint8_t *at, const uint8_t *end) {
    while (at < end && *at != ' ' && *at != '|' && !(*at == ':' && byte_at(at + 1, end) == ':')) at++;
    return at;
}

/* Return whether the text has ids, and no words of a sentence; and set its level. */
static bool read_ids(Span text, bool may_be_marks, Span *level) {
    const uint8_t *at = text.at, *end = text.at + text.size;
    bool has_id = may_be_marks, was_word = true, has_parts = false;
    *level = (Span){0};
    while (at < end) {
        const uint8_t *after = part_end(at, end);
        Span part = span_of(at, after);
        at = after + (after < end && *after == ':' ? 2 : 1);
        if (part.size == 0) continue;
        has_parts = true;
        if (is_one_of(part.at[part.size - 1], ":.")) return false;
        bool is_word = is_plain_word(part);
        if (is_word && was_word) return false;
        was_word = is_word;
        for (size_t place = 0; place < part.size && !has_id; place++) has_id = is_alphanumeric(part.at[place]);
        if (is_capitals(part) && severity_find(part).size) *level = part;
    }
    return has_id && (!was_word || !has_parts);
}

bool app_find_prefix(Dating *dating, Span text, AppPrefix *prefix) {
    const uint8_t *start = text.at, *end = text.at + text.size, *last = start;
    if (text.size > MAX_PREFIX_LENGTH) last += MAX_PREFIX_LENGTH;
    else last = end;
    for (const uint8_t *at = start; at < last && is_allowed(*at); at++) {
        if (!is_digit(*at) || !begins_part(start, at)) continue;
        int digits = digit_run(at, end, DIGITS_OF_EPOCH + 1);
        uint8_t following = byte_at(at + digits, end);
        bool is_epoch = digits == DIGITS_OF_EPOCH && (following == ' ' || following == '.');
        bool is_year = digits == DIGITS_OF_YEAR && (*at == '1' || *at == '2') && is_one_of(following, "/.:-") &&
                       at + 5 < end && is_alphanumeric(at[5]);
        FoundStamp found;
        if (!(is_epoch || is_year) || !stamp_read(dating, at, end, &found)) continue;
        if (is_epoch ? !has_date(found.end, end) : found.end - at < MIN_STAMP_LENGTH) continue;
        if (!read_ids(span_of(start, at), is_epoch, &prefix->level)) continue;
        prefix->end = at;
        while (at > start && is_one_of(at[-1], " |:-")) at--;
        prefix->text = span_of(start, at);
        return true;
    }
    return false;
}
