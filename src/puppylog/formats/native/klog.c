/* Reads the lines of glog and klog: see klog.py. */
#include "klog.h"

#include "cursor.h"
#include "module.h"

enum { MIN_HEAD_LENGTH = 22, MAX_TID_LENGTH = 10, MAX_LINE_LENGTH = 7, MAX_PAIRS = 24, CLOCK_SIZE = 16 };

typedef struct {
    Span key, value;
    bool is_json;
} Pair;

/* What a line says. */
typedef struct {
    Span tid, file, line, message;
    Pair pairs[MAX_PAIRS];
    int count;
} Parts;

/* Return the end of one to `most` digits at `at`; NULL if there are none, or more. */
static const uint8_t *digits_end(const uint8_t *at, const uint8_t *end, int most) {
    int size = digit_run(at, end, most + 1);
    return size >= 1 && size <= most ? at + size : NULL;
}

/* Read the level and the stamp; return the end of the stamp, or NULL. */
static const uint8_t *read_stamp(Dating *dating, const uint8_t *at, const uint8_t *end, Row *row) {
    if (end - at < MIN_HEAD_LENGTH || !is_one_of(*at, "IWEF")) return NULL;
    int size = digit_run(at + 1, end, 9);
    const uint8_t *clock = at + 1 + size, *after = clock + CLOCK_SIZE;
    if ((size != 4 && size != 8) || end - clock < CLOCK_SIZE || *clock != ' ' || clock[3] != ':' || clock[6] != ':') {
        return NULL;
    }
    if (digit_run(clock + 1, end, 3) != 2 || digit_run(clock + 4, end, 3) != 2) return NULL;
    if (digit_run(clock + 7, end, 3) != 2 || clock[9] != '.' || digit_run(clock + 10, end, 7) != 6) return NULL;
    FoundStamp found;
    if (!stamp_read(dating, at + 1, after, &found) || found.end != after) return NULL;
    row->ts_us = found.us;
    row->is_local = found.is_local;
    row->text[SEVERITY] = span_of_text(*at == 'I'   ? "info"
                                       : *at == 'W' ? "warning"
                                       : *at == 'E' ? "error"
                                                    : "critical");
    return after;
}

/* Read the thread and the source behind the stamp; return the start of the message, or NULL. */
static const uint8_t *read_source(const uint8_t *at, const uint8_t *end, Parts *parts) {
    const uint8_t *start = at;
    while (at < end && *at == ' ') at++;
    const uint8_t *after = at > start ? digits_end(at, end, MAX_TID_LENGTH) : NULL;
    if (after == NULL || byte_at(after, end) != ' ') return NULL;
    parts->tid = span_of(at, after);
    at = after + 1;
    for (after = at; after < end && *after != ' ' && *after != ':' && *after != ']';) after++;
    if (after == at || byte_at(after, end) != ':') return NULL;
    parts->file = span_of(at, after);
    at = after + 1;
    after = digits_end(at, end, MAX_LINE_LENGTH);
    if (after == NULL || byte_at(after, end) != ']') return NULL;
    parts->line = span_of(at, after);
    after++;
    return after + (byte_at(after, end) == ' ');
}

/* Return the text in quotes at `at`, without them; its address is NULL if there is none. */
static Span quoted_at(const uint8_t *at, const uint8_t *end) {
    if (byte_at(at, end) != '"') return (Span){0};
    const uint8_t *after = find_quote(at + 1, end);
    if (after == NULL || (after + 1 < end && after[1] != ' ')) return (Span){0};
    return span_of(at + 1, after);
}

/* Return whether all escapes in the text are of the five that are read. */
static bool has_known_escapes(Span text) {
    for (size_t place = 0; place < text.size; place++) {
        if (text.at[place] != '\\') continue;
        place++;
        if (place == text.size || !is_one_of(text.at[place], "\"\\nrt")) return false;
    }
    return true;
}

static bool has_controls(Span text) {
    for (size_t place = 0; place < text.size; place++) {
        if (text.at[place] < 0x20) return true;
    }
    return false;
}

static Span unescape(Builder *builder, Span text) {
    if (text.size == 0 || memchr(text.at, '\\', text.size) == NULL) return text;
    uint8_t *start = builder_scratch(builder, text.size), *to = start;
    if (start == NULL) return (Span){0};
    for (size_t place = 0; place < text.size; place++) {
        uint8_t byte = text.at[place];
        if (byte == '\\') {
            byte = text.at[++place];
            byte = byte == 'n' ? '\n' : byte == 'r' ? '\r' : byte == 't' ? '\t' : byte;
        }
        *to++ = byte;
    }
    return span_of(start, to);
}

static bool is_key_byte(uint8_t byte) { return is_alphanumeric(byte) || is_one_of(byte, "_./-"); }

static bool is_same(Span one, Span other) { return one.size == other.size && memcmp(one.at, other.at, one.size) == 0; }

/* Return whether the key is no attribute of the head, and of no pair before. */
static bool is_new(const Parts *parts, Span key) {
    if (span_is(key, "tid") || span_is(key, "file") || span_is(key, "line")) return false;
    for (int place = 0; place < parts->count; place++) {
        if (is_same(parts->pairs[place].key, key)) return false;
    }
    return true;
}

/* Read ` key=value`; return its end, or NULL. */
static const uint8_t *read_pair(const uint8_t *at, const uint8_t *end, Parts *parts) {
    const uint8_t *start = ++at;
    if (parts->count == MAX_PAIRS || start >= end || !is_key_byte(*start) || is_one_of(*start, "0123456789./-"))
        return NULL;
    while (at < end && is_key_byte(*at)) at++;
    Pair pair = {.key = span_of(start, at)};
    if (byte_at(at, end) != '=' || !is_new(parts, pair.key)) return NULL;
    at++;
    Span text = quoted_at(at, end);
    if (text.at != NULL) {
        pair.is_json = has_known_escapes(text) && !has_controls(text);
        pair.value = pair.is_json ? (Span){at, text.size + 2} : text;
        at = text.at + text.size + 1;
    } else {
        if (at == end || *at == '"' || *at == ' ') return NULL;
        const uint8_t *blank = find_near(at, end, ' ');
        pair.value = span_of(at, blank != NULL ? blank : end);
        pair.is_json = is_json_number(pair.value) || span_is(pair.value, "true") || span_is(pair.value, "false");
        at = pair.value.at + pair.value.size;
    }
    parts->pairs[parts->count++] = pair;
    return at;
}

/* Read a structured message; return false if it is not structured. */
static bool read_structured(Builder *builder, const uint8_t *at, const uint8_t *end, Parts *parts) {
    Span text = quoted_at(at, end);
    if (text.at == NULL || !has_known_escapes(text)) return false;
    at = text.at + text.size + 1;
    while (at < end) {
        at = read_pair(at, end, parts);
        if (at == NULL) return false;
    }
    parts->message = unescape(builder, text);
    return true;
}

bool klog_read(Builder *builder, Dating *dating, Span line, Row *row) {
    Parts parts;
    parts.count = 0;
    const uint8_t *end = line.at + line.size;
    Dating before = *dating;
    const uint8_t *at = read_stamp(dating, line.at, end, row);
    if (at != NULL) at = read_source(at, end, &parts);
    if (at == NULL) {
        *dating = before;
        return false;
    }
    if (!read_structured(builder, at, end, &parts)) {
        parts.count = 0;
        parts.message = span_of(at, end);
    }
    row->text[MESSAGE] = parts.message;
    add_number(builder, "tid", parts.tid);
    add_known(builder, "file", parts.file);
    add_number(builder, "line", parts.line);
    for (int place = 0; place < parts.count; place++) {
        const Pair *pair = &parts.pairs[place];
        (pair->is_json ? builder_json_member : builder_text_member)(builder, pair->key, pair->value);
    }
    return true;
}

INLINED int read_line(Builder *builder, Span line, void *dating) {
    Row row;
    row_begin(&row);
    if (!klog_read(builder, dating, line, &row)) return builder->joins ? CONTINUES : KLOG_NO_HEAD;
    builder_record(builder, line.at, &row);
    return FITS;
}

static void read_text(Builder *builder, void *dating) { read_lines(builder, read_line, NULL, dating); }

PyObject *native_klog(PyObject *module, PyObject *arguments) {
    Py_buffer text;
    Dating dating = {.order = ORDER_UNKNOWN};
    Calendar *calendar = &dating.calendar;
    int joins;
    if (!PyArg_ParseTuple(arguments, "y*iiipp", &text, &calendar->year, &calendar->month, &calendar->day,
                          &calendar->is_fixed, &joins)) {
        return NULL;
    }
    PyObject *rows = read_records(module, &text, read_text, &dating, joins);
    if (rows == NULL) return NULL;
    return Py_BuildValue("(Niii)", rows, calendar->year, calendar->month, calendar->day);
}
