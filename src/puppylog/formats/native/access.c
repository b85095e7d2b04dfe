/* Access logs of Apache and nginx: see access/__init__.py for the line, access/reason.py for what is wrong with it. */
#include "clock.h"
#include "module.h"
#include "request.h"
#include "scan.h"

/* As in access/reason.py */
enum { EMPTY, NO_REQUEST, TIME_FORM, TIME_RANGE, HEAD, OPEN_QUOTE, STATUS, BYTES, NO_REFERER, NO_AGENT, FITS };
enum { AUTO, COMMON, COMBINED };

enum { NO_TEXT = 0xFF }; /* a byte that no text has */
enum { STAMP_SIZE = 26, LEAD = 30 }; /* the stamp, and all from the blank before its bracket to the request's quote */

typedef struct {
    int variant;
    uint8_t stamp[STAMP_SIZE]; /* of the line before: neighbours mostly carry the same */
    int64_t stamp_us;
} Reading;

/* The request's opening quote is the first one after "] ": users' names may hold quotes of their own. */
static const uint8_t *find_opening(const uint8_t *line, const uint8_t *until) {
    for (const uint8_t *at = line; (at = find(at, until, '"')) != NULL; at++) {
        if (at - line >= 2 && at[-1] == ' ' && at[-2] == ']') return at;
    }
    return NULL;
}

static int read_time(Reading *reading, const uint8_t *line, const uint8_t *opening, Row *row) {
    const uint8_t *at = opening - LEAD;
    if (opening - line < LEAD || at[0] != ' ' || at[1] != '[') return TIME_FORM;
    if (memcmp(at + 2, reading->stamp, STAMP_SIZE) != 0) {
        Stamp stamp = clock_access((Span){at + 2, STAMP_SIZE}, &reading->stamp_us);
        if (stamp != STAMP_ZONED) {
            memset(reading->stamp, NO_TEXT, STAMP_SIZE);
            return stamp == STAMP_NONE ? TIME_FORM : TIME_RANGE;
        }
        memcpy(reading->stamp, at + 2, STAMP_SIZE);
    }
    row->ts_us = reading->stamp_us;
    return FITS;
}

/* [vhost ]host ident user: a user that begins with "- " has been pushed back by a virtual host before the host. */
static int read_head(const uint8_t *line, const uint8_t *until, Row *row, Span *vhost) {
    const uint8_t *host_until = find(line, until, ' ');
    const uint8_t *ident_until = host_until == NULL ? NULL : find(host_until + 1, until, ' ');
    if (ident_until == NULL || host_until == line) return HEAD;
    Span host = span_of(line, host_until), user = span_of(ident_until + 1, until);
    Span ident = without_dash(span_of(host_until + 1, ident_until));
    if (ident.size && user.size >= 2 && user.at[0] == '-' && user.at[1] == ' ') {
        *vhost = host;
        host = ident;
        ident.size = 0;
        user = span_of(user.at + 2, until);
    }
    row->text[HOST] = host;
    row->text[IDENT] = ident;
    if (!span_is(user, "\"\"")) row->text[RUSER] = without_dash(user);
    return FITS;
}

static inline bool ends_word(const uint8_t *at, const uint8_t *until) { return at == until || *at == ' '; }

/* " status bytes"; *at moves behind them. */
static int read_numbers(const uint8_t **place, const uint8_t *until, Row *row) {
    const uint8_t *at = *place;
    if (until - at < 2 || at[0] != ' ') return STATUS;
    if (at[1] == '-' && ends_word(at + 2, until)) {
        at += 2;
    } else {
        if (until - at < 4 || !is_digit(at[1]) || !is_digit(at[2]) || !is_digit(at[3])) return STATUS;
        if (!ends_word(at + 4, until)) return STATUS;
        row->has_status = true;
        row->status = (int16_t)((at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0'));
        at += 4;
    }
    if (until - at < 2 || at[0] != ' ') return BYTES;
    at++;
    if (at[0] == '-' && ends_word(at + 1, until)) {
        *place = at + 1;
        return FITS;
    }
    const uint8_t *since = at;
    uint64_t bytes = 0;
    for (; at < until && is_digit(*at) && at - since < 19; at++) bytes = bytes * 10 + (uint64_t)(*at - '0');
    if (at == since || !ends_word(at, until) || bytes > INT64_MAX) return BYTES;
    row->has_bytes = true;
    row->bytes = (int64_t)bytes;
    *place = at;
    return FITS;
}

/* ` "referer" "user agent" extra`, or ` extra` alone; `at` is behind the bytes. */
static int read_ending(int variant, const uint8_t *at, const uint8_t *until, Row *row, Span *extra) {
    if (until - at >= 2 && at[0] == ' ' && at[1] == '"' && variant != COMMON) {
        const uint8_t *referer = at + 2, *closing = find_quote(referer, until);
        if (closing == NULL || until - closing < 3 || closing[1] != ' ' || closing[2] != '"') return NO_AGENT;
        const uint8_t *agent = closing + 3;
        row->text[REFERER] = without_dash(span_of(referer, closing));
        closing = find_quote(agent, until);
        if (closing == NULL) return NO_AGENT;
        row->text[USER_AGENT] = without_dash(span_of(agent, closing));
        at = closing + 1;
    } else if (variant == COMBINED) {
        return NO_REFERER;
    }
    if (at < until && at[0] == ' ') at++;
    *extra = span_of(at, until);
    return FITS;
}

static bool has_open_quote(const uint8_t *at, const uint8_t *until) {
    bool is_open = false;
    while ((at = find_quote(at, until)) != NULL) {
        is_open = !is_open;
        at++;
    }
    return is_open;
}

static int read_line(Reading *reading, const uint8_t *line, const uint8_t *until, Row *row, Span *vhost, Span *extra) {
    const uint8_t *opening = find_opening(line, until);
    if (opening == NULL) return line == until ? EMPTY : NO_REQUEST;
    int reason = read_time(reading, line, opening, row);
    if (reason == FITS) reason = read_head(line, opening - LEAD, row, vhost);
    if (reason != FITS) return reason;
    const uint8_t *closing = find_quote(opening + 1, until);
    if (closing == NULL) return OPEN_QUOTE;
    const uint8_t *at = closing + 1;
    int numbers = read_numbers(&at, until, row);
    int ending = numbers == FITS ? read_ending(reading->variant, at, until, row, extra) : FITS;
    /* Quotes that do not come in pairs are judged first; where a line fits, only what is behind it can hold one. */
    bool fits = numbers == FITS && ending == FITS;
    const uint8_t *rest = fits && extra->at != NULL ? extra->at : closing + 1;
    if (has_open_quote(rest, until)) return OPEN_QUOTE;
    if (numbers != FITS) return numbers;
    if (ending != FITS) return ending;
    read_request(span_of(opening + 1, closing), row);
    return FITS;
}

static void read_text(Builder *builder, int variant) {
    const uint8_t *text = builder->text, *end = builder->end;
    Reading reading = {.variant = variant};
    memset(reading.stamp, NO_TEXT, STAMP_SIZE);
    for (const uint8_t *line = text, *newline; line < end; line = newline + 1) {
        newline = find(line, end, '\n');
        const uint8_t *until = newline - (newline > line && newline[-1] == '\r');
        Row row = {0};
        Span vhost = {0}, extra = {0};
        int reason = read_line(&reading, line, until, &row, &vhost, &extra);
        if (reason != FITS) {
            builder_reject(builder, (size_t)(line - text), (uint8_t)reason);
            continue;
        }
        if (vhost.size) builder_text_member(builder, span_of_text("vhost"), vhost);
        if (extra.size) builder_text_member(builder, span_of_text("extra"), extra);
        builder_record(builder, (size_t)(line - text), &row);
    }
}

PyObject *native_access(PyObject *module, PyObject *arguments) {
    (void)module;
    Py_buffer text;
    int variant;
    if (!PyArg_ParseTuple(arguments, "y*i", &text, &variant)) return NULL;
    Builder builder;
    bool is_ready = is_whole_lines(&text);
    if (is_ready) {
        builder_begin(&builder, text.buf, (size_t)text.len);
        Py_BEGIN_ALLOW_THREADS
        read_text(&builder, variant);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&text);
    return is_ready ? give_rows(&builder) : NULL;
}
