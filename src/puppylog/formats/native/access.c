/* Reads access logs of Apache and nginx: see access/line.py, which does the same in Python. */
#include "access.h"

#include "clock.h"
#include "module.h"
#include "request.h"

enum { NO_TEXT = 0xFF };                            /* a byte that is in no UTF-8 text */
enum { FRAMED_STAMP_SIZE = ACCESS_STAMP_SIZE + 4 }; /* ` [stamp] ` before the request's opening quote */

/* Find the request's opening quote: the first quote after "] ", because the name of a user may contain quotes. */
static const uint8_t *find_opening(Quotes *quotes, const uint8_t *line, const uint8_t *end) {
    for (const uint8_t *at = line; (at = quotes_find(quotes, at, end)) != NULL; at++) {
        if (at - line >= 2 && at[-1] == ' ' && at[-2] == ']') return at;
    }
    return NULL;
}

static int read_time(AccessReader *reader, const uint8_t *line, const uint8_t *opening, Row *row) {
    const uint8_t *at = opening - FRAMED_STAMP_SIZE;
    if (opening - line < FRAMED_STAMP_SIZE || at[0] != ' ' || at[1] != '[') return ACCESS_TIME_FORM;
    if (memcmp(at + 2, reader->stamp, ACCESS_STAMP_SIZE) != 0) {
        Stamp stamp = clock_access((Span){at + 2, ACCESS_STAMP_SIZE}, &reader->stamp_us);
        if (stamp != STAMP_ZONED) {
            memset(reader->stamp, NO_TEXT, ACCESS_STAMP_SIZE);
            return stamp == STAMP_NONE ? ACCESS_TIME_FORM : ACCESS_TIME_RANGE;
        }
        memcpy(reader->stamp, at + 2, ACCESS_STAMP_SIZE);
    }
    row->ts_us = reader->stamp_us;
    return FITS;
}

/* Read `[vhost ]host ident user`. If the user begins with "- ", the line begins with a virtual host. */
static int read_head(const uint8_t *line, const uint8_t *end, Row *row, Span *vhost) {
    const uint8_t *host_end = find(line, end, ' ');
    const uint8_t *ident_end = host_end == NULL ? NULL : find_near(host_end + 1, end, ' ');
    if (ident_end == NULL || host_end == line) return ACCESS_HEAD;
    Span host = span_of(line, host_end), user = span_of(ident_end + 1, end);
    Span ident = without_dash(span_of(host_end + 1, ident_end));
    if (ident.size && user.size >= 2 && user.at[0] == '-' && user.at[1] == ' ') {
        *vhost = host;
        host = ident;
        ident.size = 0;
        user = span_of(user.at + 2, end);
    }
    row->text[HOST] = host;
    row->text[IDENT] = ident;
    if (!span_is(user, "\"\"")) row->text[RUSER] = without_dash(user);
    return FITS;
}

static inline bool ends_word(const uint8_t *at, const uint8_t *end) { return at == end || *at == ' '; }

/* Read ` status bytes` at `*place`, and move `*place` after the bytes. */
static int read_numbers(const uint8_t **place, const uint8_t *end, Row *row) {
    const uint8_t *at = *place;
    if (end - at < 2 || at[0] != ' ') return ACCESS_STATUS;
    if (at[1] == '-' && ends_word(at + 2, end)) {
        at += 2;
    } else {
        if (end - at < 4 || !is_digit(at[1]) || !is_digit(at[2]) || !is_digit(at[3])) return ACCESS_STATUS;
        if (!ends_word(at + 4, end)) return ACCESS_STATUS;
        row->has_status = true;
        row->status = (int16_t)((at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0'));
        at += 4;
    }
    if (end - at < 2 || at[0] != ' ') return ACCESS_BYTES;
    at++;
    if (at[0] == '-' && ends_word(at + 1, end)) {
        *place = at + 1;
        return FITS;
    }
    const uint8_t *start = at;
    uint64_t bytes = 0;
    for (; at < end && is_digit(*at) && at - start < 19; at++) bytes = bytes * 10 + (uint64_t)(*at - '0');
    if (at == start || !ends_word(at, end) || bytes > INT64_MAX) return ACCESS_BYTES;
    row->has_bytes = true;
    row->bytes = (int64_t)bytes;
    *place = at;
    return FITS;
}

/* Read ` "referer" "user agent" extra`, or only ` extra`; `at` is after the bytes. */
static int read_ending(AccessReader *reader, const uint8_t *at, const uint8_t *end, Row *row, Span *extra) {
    if (end - at >= 2 && at[0] == ' ' && at[1] == '"' && reader->variant != ACCESS_COMMON) {
        const uint8_t *referer = at + 2, *closing = quotes_find_closing(&reader->quotes, referer, end);
        if (closing == NULL || end - closing < 3 || closing[1] != ' ' || closing[2] != '"') return ACCESS_NO_AGENT;
        const uint8_t *agent = closing + 3;
        row->text[REFERER] = without_dash(span_of(referer, closing));
        closing = quotes_find_closing(&reader->quotes, agent, end);
        if (closing == NULL) return ACCESS_NO_AGENT;
        row->text[USER_AGENT] = without_dash(span_of(agent, closing));
        at = closing + 1;
    } else if (reader->variant == ACCESS_COMBINED) {
        return ACCESS_NO_REFERER;
    }
    if (at < end && at[0] == ' ') at++;
    *extra = span_of(at, end);
    return FITS;
}

/* Return whether the request that ends at `closing` ends with a word that begins with HTTP/ and has no quote. */
static bool ends_with_proto(const uint8_t *start, const uint8_t *closing) {
    const uint8_t *word = closing;
    while (word > start && word[-1] != ' ' && word[-1] != '"') word--;
    return word > start && word[-1] == ' ' && closing - word >= 5 && memcmp(word, "HTTP/", 5) == 0;
}

/* Some servers write a request with its quotes as they are. Return a later closing quote: the first one that ends a
 * request with a protocol, and is before a status and bytes. Read these, and move `*place` after them. Return NULL if
 * there is no such quote. */
static const uint8_t *find_later_closing(AccessReader *reader, const uint8_t *opening, const uint8_t *closing,
                                         const uint8_t *end, const uint8_t **place, Row *row) {
    while ((closing = quotes_find_closing(&reader->quotes, closing + 1, end)) != NULL) {
        *place = closing + 1;
        row->has_status = false;
        if (ends_with_proto(opening + 1, closing) && read_numbers(place, end, row) == FITS) return closing;
    }
    return NULL;
}

static bool has_open_quote(Quotes *quotes, const uint8_t *at, const uint8_t *end) {
    bool is_open = false;
    while ((at = quotes_find_closing(quotes, at, end)) != NULL) {
        is_open = !is_open;
        at++;
    }
    return is_open;
}

static int read_row(AccessReader *reader, const uint8_t *line, const uint8_t *end, Row *row, Span *vhost, Span *extra) {
    const uint8_t *opening = find_opening(&reader->quotes, line, end);
    if (opening == NULL) return ACCESS_NO_REQUEST;
    int reason = read_time(reader, line, opening, row);
    if (reason == FITS) reason = read_head(line, opening - FRAMED_STAMP_SIZE, row, vhost);
    if (reason != FITS) return reason;
    const uint8_t *closing = quotes_find_closing(&reader->quotes, opening + 1, end);
    if (closing == NULL) return ACCESS_OPEN_QUOTE;
    const uint8_t *at = closing + 1;
    int numbers = read_numbers(&at, end, row);
    if (numbers != FITS) {
        const uint8_t *later = find_later_closing(reader, opening, closing, end, &at, row);
        if (later != NULL) {
            closing = later;
            numbers = FITS;
        }
    }
    int ending = numbers == FITS ? read_ending(reader, at, end, row, extra) : FITS;
    /* An open quote is the first reason, as in line.py. If the line fits, only the rest can have an open quote. */
    bool fits = numbers == FITS && ending == FITS;
    if (!fits) reader->quotes.next = 0;
    const uint8_t *rest = fits && extra->at != NULL ? extra->at : closing + 1;
    if (has_open_quote(&reader->quotes, rest, end)) return ACCESS_OPEN_QUOTE;
    if (numbers != FITS) return numbers;
    if (ending != FITS) return ending;
    read_request(span_of(opening + 1, closing), row);
    return FITS;
}

/* Return the text without its quotes if it is one value in quotes. Return an empty text if all its values are unknown: a
 * dash or nothing, with or without quotes. */
static Span read_extra(Span extra) {
    const uint8_t *at = extra.at, *end = extra.at + extra.size;
    if (extra.size == 0 || (at[0] != '"' && at[0] != '-')) return extra;
    for (; at < end; at++) { /* a value and the blank after it */
        bool is_quoted = *at == '"';
        if (!is_quoted && *at != '-') break;
        at++;
        if (is_quoted && at < end && *at == '-') at++;
        if (is_quoted && (at == end || *at++ != '"')) break;
        if (at == end) return (Span){0};
        if (*at != ' ') break;
    }
    const uint8_t *last = end - 1;
    if (extra.at[0] != '"' || last == extra.at || find_quote(extra.at + 1, end) != last) return extra;
    return without_dash(span_of(extra.at + 1, last));
}

INLINED int read_record(Builder *builder, AccessReader *reader, Span line, Row *row) {
    Span vhost = {0}, extra = {0};
    int reason = read_row(reader, line.at, line.at + line.size, row, &vhost, &extra);
    if (reason != FITS) return reason;
    if (extra.size) extra = read_extra(extra);
    if (vhost.size) builder_text_member(builder, span_of_text("vhost"), vhost);
    if (extra.size) builder_text_member(builder, span_of_text("extra"), extra);
    return FITS;
}

void access_open(AccessReader *reader) {
    memset(reader->stamp, NO_TEXT, ACCESS_STAMP_SIZE);
    quotes_clear(&reader->quotes);
}

int access_read(Builder *builder, AccessReader *reader, Span line, Row *row) {
    reader->variant = ACCESS_EITHER;
    Quotes *quotes = &reader->quotes;
    quotes_clear(quotes);
    const uint8_t *end = line.at + line.size;
    for (const uint8_t *at = line.at; quotes->count < MAX_QUOTES && (at = find(at, end, '"')) != NULL; at++) {
        quotes->places[quotes->count++] = at;
    }
    return read_record(builder, reader, line, row);
}

INLINED int read_line(Builder *builder, Span line, void *reader) {
    Row row;
    row_begin(&row);
    int reason = read_record(builder, reader, line, &row);
    if (reason == FITS) builder_record(builder, line.at, &row);
    return reason;
}

static void read_text(Builder *builder, void *context) {
    AccessReader *reader = context;
    read_lines(builder, read_line, &reader->quotes, reader);
}

PyObject *native_access(PyObject *module, PyObject *arguments) {
    Py_buffer text;
    AccessReader reader;
    if (!PyArg_ParseTuple(arguments, "y*i", &text, &reader.variant)) return NULL;
    access_open(&reader);
    return read_rows(module, &text, read_text, &reader);
}
