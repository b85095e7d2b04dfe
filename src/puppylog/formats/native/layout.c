/* Reads lines with a compiled layout: see layout/program.py for the steps. */
#include "module.h"
#include "moment.h"
#include "request.h"
#include "scan.h"

enum { MAX_NUMBER_LENGTH = 32 };

typedef struct {
    int kind, ending, size, column;
    Span name, literal;
} Step;

typedef struct {
    Span text;
    bool is_quoted;
} Value;

typedef struct {
    Step *steps;
    Value *values; /* the values of a delimited line, one for each step */
    size_t count;
    Span prefix;
    bool has_parts, is_delimited, is_utc;
    int day[3];
    LastStamp last;
} Program;

typedef struct {
    Row row;
    Moment moment;
    Span stem, query;
    uint8_t *scratch; /* memory for values that are changed; NULL until it is needed */
} Record;

static const uint8_t *find_text(const uint8_t *at, const uint8_t *end, Span text) {
    if (text.size == 0) return at;
    for (; (at = find(at, end, text.at[0])) != NULL; at++) {
        if ((size_t)(end - at) < text.size) return NULL;
        if (memcmp(at, text.at, text.size) == 0) return at;
    }
    return NULL;
}

static bool has_literal(const uint8_t *at, const uint8_t *end, Span text) {
    return (size_t)(end - at) >= text.size && (text.size == 0 || memcmp(at, text.at, text.size) == 0);
}

/* Find the end of a list, which continues after ", " and " : ". */
static const uint8_t *find_list_end(const uint8_t *start, const uint8_t *end, Span literal) {
    const uint8_t *at = find_text(start, end, literal);
    while (at != NULL) {
        if (at > start && at[-1] == ',') at = find_text(at + 1, end, literal);
        else if (end - at >= 3 && memcmp(at, " : ", 3) == 0) at = find_text(at + 3, end, literal);
        else return at;
    }
    return NULL;
}

static const uint8_t *find_last_colon(const uint8_t *start, const uint8_t *end) {
    const uint8_t *blank = find(start, end, ' ');
    for (const uint8_t *at = blank != NULL ? blank : end; at > start; at--) {
        if (at[-1] == ':') return at - 1;
    }
    return NULL;
}

/* Return the start of the literal at the end of the line; NULL if the line does not end with it. */
static const uint8_t *find_line_end(Span literal, const uint8_t *start, const uint8_t *end) {
    if ((size_t)(end - start) < literal.size) return NULL;
    const uint8_t *at = end - literal.size;
    return has_literal(at, end, literal) ? at : NULL;
}

static const uint8_t *find_end(const Step *step, const uint8_t *start, const uint8_t *end) {
    const uint8_t *proto;
    switch (step->ending) {
    case END_SIZED: return end - start >= step->size ? start + step->size : NULL;
    case END_QUOTE: return find_quote(start, end);
    case END_LIST: return find_list_end(start, end, step->literal);
    case END_ADDRESS: return find_last_colon(start, end);
    case END_BEFORE_PROTO:
        proto = find_text(start, end, span_of_text(" HTTP/"));
        return proto != NULL ? proto : find_text(start, end, step->literal);
    case END_AFTER_PROTO:
        proto = find_text(start, end, span_of_text(" HTTP/"));
        return find_text(proto != NULL ? proto + 6 : start, end, step->literal);
    case END_SLASH: return find(start, end, '/');
    case END_REST: return find_line_end(step->literal, start, end);
    default: return find_text(start, end, step->literal);
    }
}

/* Return whether the text is -?(0|[1-9][0-9]*)(.[0-9]+)? */
static bool is_number(Span text) {
    const uint8_t *at = text.at, *end = text.at + text.size;
    if (text.size > MAX_NUMBER_LENGTH) return false;
    if (at < end && *at == '-') at++;
    const uint8_t *whole = at;
    while (at < end && is_digit(*at)) at++;
    if (at == whole || (*whole == '0' && at - whole > 1)) return false;
    if (at == end) return true;
    if (*at++ != '.' || at == end) return false;
    while (at < end && is_digit(*at)) at++;
    return at == end;
}

static int take_status(Span text, Row *row) {
    int status = 0;
    if (text.size > 3) return LAYOUT_STATUS;
    for (size_t place = 0; place < text.size; place++) {
        if (!is_digit(text.at[place])) return LAYOUT_STATUS;
        status = status * 10 + (text.at[place] - '0');
    }
    row->has_status = true;
    row->status = (int16_t)status;
    return FITS;
}

static int take_bytes(Span text, Row *row) {
    uint64_t bytes = 0;
    if (text.size > 19) return LAYOUT_BYTES;
    for (size_t place = 0; place < text.size; place++) {
        if (!is_digit(text.at[place])) return LAYOUT_BYTES;
        bytes = bytes * 10 + (uint64_t)(text.at[place] - '0');
    }
    if (bytes > INT64_MAX) return LAYOUT_BYTES;
    row->has_bytes = true;
    row->bytes = (int64_t)bytes;
    return FITS;
}

static void add_text(Builder *builder, const Step *step, Span text, Row *row) {
    if (step->column >= 0) row->text[step->column] = text;
    else if (step->kind == KIND_NUMBER && is_number(text)) builder_json_member(builder, step->name, text);
    else builder_text_member(builder, step->name, text);
}

static int take_stamp(Builder *builder, const Step *step, Span text, Row *row) {
    int64_t us;
    Stamp stamp = clock_access(text, &us);
    if (stamp != STAMP_ZONED) return stamp == STAMP_NONE ? LAYOUT_TIME_FORM : LAYOUT_TIME_RANGE;
    add_text(builder, step, text, row);
    return FITS;
}

/* A text of fixed size must be ASCII: otherwise it may end within a character. */
static int skip(const Step *step, Span text) {
    for (size_t place = 0; step->size && place < text.size; place++) {
        if (text.at[place] >= 0x80) return LAYOUT_TIME_FORM;
    }
    return FITS;
}

/* Add the value of a field to the record. */
static int add_value(Program *program, Builder *builder, const Step *step, Span text, Record *record) {
    if (step->kind == KIND_STAMP) return take_stamp(builder, step, text, &record->row);
    if (step->kind > KIND_STAMP) return moment_read(&record->moment, step->kind, text, &program->last);
    if (step->kind == KIND_SKIP) return skip(step, text);
    text = without_dash(text);
    if (text.size == 0 || (step->kind == KIND_USER && span_is(text, "\"\""))) return FITS;
    switch (step->kind) {
    case KIND_REQUEST: read_request(text, &record->row); return FITS;
    case KIND_STATUS: return take_status(text, &record->row);
    case KIND_BYTES: return take_bytes(text, &record->row);
    case KIND_STEM: record->stem = text; return FITS;
    case KIND_QUERY: record->query = text; return FITS;
    default: add_text(builder, step, text, &record->row); return FITS;
    }
}

static int read_steps(Program *program, Builder *builder, const uint8_t *at, const uint8_t *end, Record *record) {
    if (!has_literal(at, end, program->prefix)) return LAYOUT_NO_TEXT;
    at += program->prefix.size;
    for (size_t place = 0; place < program->count; place++) {
        const Step *step = &program->steps[place];
        const uint8_t *field_end = find_end(step, at, end);
        if (field_end == NULL) return step->ending == END_QUOTE ? LAYOUT_OPEN_QUOTE : LAYOUT_NO_TEXT;
        int reason = add_value(program, builder, step, span_of(at, field_end), record);
        if (reason != FITS) return reason;
        if (!has_literal(field_end, end, step->literal)) return LAYOUT_NO_TEXT;
        at = field_end + step->literal.size;
    }
    return at < end ? LAYOUT_MORE : FITS;
}

/* Return the closing quote of a value whose opening quote is before `at`. A quote in the value is doubled. */
static const uint8_t *find_closing(const uint8_t *at, const uint8_t *end) {
    while ((at = find(at, end, '"')) != NULL) {
        if (at + 1 == end || at[1] != '"') return at;
        at += 2;
    }
    return NULL;
}

/* Return the end of a run of blanks; a tab or a comma is not part of a run. */
static const uint8_t *skip_run(const uint8_t *at, const uint8_t *end, uint8_t delimiter) {
    while (delimiter == ' ' && at < end && *at == ' ') at++;
    return at;
}

static int split(Program *program, const uint8_t *at, const uint8_t *end, uint8_t delimiter) {
    at = skip_run(at, end, delimiter);
    for (size_t place = 0; place < program->count; place++) {
        Value *value = &program->values[place];
        if (at > end) return LAYOUT_FEWER;
        value->is_quoted = at < end && *at == '"';
        const uint8_t *value_end;
        if (value->is_quoted) {
            value_end = find_closing(at + 1, end);
            if (value_end == NULL || (value_end + 1 < end && value_end[1] != delimiter)) return LAYOUT_OPEN_QUOTE;
            value->text = span_of(at + 1, value_end);
            value_end++;
        } else {
            value_end = find(at, end, delimiter);
            if (value_end == NULL) value_end = end;
            value->text = span_of(at, value_end);
        }
        at = skip_run(value_end + 1, end, delimiter);
    }
    if (at >= end || (end - at == 1 && *at == delimiter)) return FITS;
    return LAYOUT_MORE_FIELDS;
}

/* Write the text with single quotes in place of doubled quotes, and return it. */
static Span resolve_quotes(Record *record, Span text) {
    uint8_t *start = record->scratch;
    for (size_t place = 0; place < text.size; place++) {
        *record->scratch++ = text.at[place];
        place += text.at[place] == '"';
    }
    return span_of(start, record->scratch);
}

static int hex_digit(uint8_t byte) {
    if (is_digit(byte)) return byte - '0';
    byte |= 32;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Return the visible ASCII character or blank whose two hexadecimal digits are at this index, or 0. */
static uint8_t escaped_digits(Span text, size_t place) {
    int high = hex_digit(text.at[place]), low = hex_digit(text.at[place + 1]);
    if (high < 2 || high > 7 || low < 0 || (high == 7 && low == 15)) return 0;
    return (uint8_t)(high * 16 + low);
}

/* Return the visible ASCII character whose percent escape is at this index, or 0. */
static uint8_t escaped(Span text, size_t place) {
    return text.size - place < 3 || text.at[place] != '%' ? 0 : escaped_digits(text, place + 1);
}

static Span resolve_agent(Record *record, Span text, uint8_t delimiter) {
    uint8_t *start = record->scratch;
    for (size_t place = 0; place < text.size; place++) {
        uint8_t byte = text.at[place], other = 0;
        bool is_escaped_again = delimiter == '\t' && text.size - place >= 5 && memcmp(text.at + place, "%25", 3) == 0;
        if (is_escaped_again && (other = escaped_digits(text, place + 3)) != 0) {
            byte = other;
            place += 4;
        } else if (delimiter == '\t' && (other = escaped(text, place)) != 0) {
            byte = other;
            place += 2;
        } else if (delimiter == ' ' && byte == '+' && (place == 0 || text.at[place - 1] != '+')) {
            byte = ' ';
        }
        *record->scratch++ = byte;
    }
    return span_of(start, record->scratch);
}

static bool is_escaped(const Step *step, const Value *value, uint8_t delimiter) {
    const uint8_t *end = value->text.at + value->text.size;
    if (value->is_quoted) return find(value->text.at, end, '"') != NULL;
    return step->kind == KIND_AGENT && delimiter != ',' &&
           find(value->text.at, end, delimiter == '\t' ? '%' : '+') != NULL;
}

/* Get memory for all values of a line, and for the route. */
static bool reserve_scratch(Builder *builder, Record *record, size_t line_size) {
    if (record->scratch == NULL) record->scratch = builder_scratch(builder, 2 * line_size + 2);
    return record->scratch != NULL;
}

static void join_route(Builder *builder, Record *record, size_t line_size) {
    record->row.text[ROUTE] = record->stem;
    if (record->query.size == 0 || !reserve_scratch(builder, record, line_size)) return;
    uint8_t *start = record->scratch;
    if (record->stem.size) memcpy(start, record->stem.at, record->stem.size);
    start[record->stem.size] = '?';
    memcpy(start + record->stem.size + 1, record->query.at, record->query.size);
    record->scratch += record->stem.size + 1 + record->query.size;
    record->row.text[ROUTE] = span_of(start, record->scratch);
}

static int read_delimited(Program *program, Builder *builder, const uint8_t *line, const uint8_t *end, Record *record) {
    if (program->count == 0) return LAYOUT_NO_FIELDS;
    uint8_t delimiter = find(line, end, '\t') != NULL ? '\t' : ' ';
    if (program->prefix.size) delimiter = program->prefix.at[0];
    int reason = split(program, line, end, delimiter);
    if (reason != FITS) return reason;
    size_t line_size = (size_t)(end - line);
    for (size_t place = 0; place < program->count; place++) {
        const Step *step = &program->steps[place];
        const Value *value = &program->values[place];
        Span text = value->text;
        if (is_escaped(step, value, delimiter) && reserve_scratch(builder, record, line_size)) {
            text = value->is_quoted ? resolve_quotes(record, text) : resolve_agent(record, text, delimiter);
        }
        reason = add_value(program, builder, step, text, record);
        if (reason != FITS) return reason;
    }
    if (record->stem.size || record->query.size) join_route(builder, record, line_size);
    return FITS;
}

static int read_record(Program *program, Builder *builder, const uint8_t *line, const uint8_t *end, Record *record) {
    int reason = program->is_delimited ? read_delimited(program, builder, line, end, record)
                                       : read_steps(program, builder, line, end, record);
    if (reason != FITS) return reason;
    return moment_resolve(&record->moment, program->has_parts, program->is_utc, &record->row);
}

INLINED int read_line(Builder *builder, Span line, void *reading) {
    Program *program = reading;
    if (program->is_delimited && line.size && line.at[0] == '#') return ROWLESS;
    const int *day = program->day;
    Record record;
    row_begin(&record.row);
    record.moment = (Moment){.year = day[0], .month = day[1], .day = day[2], .half_day = -1};
    record.stem.size = record.query.size = 0;
    record.scratch = NULL;
    int reason = read_record(program, builder, line.at, line.at + line.size, &record);
    if (reason == FITS) builder_record(builder, line.at, &record.row);
    return reason;
}

static void read_text(Builder *builder, void *program) { read_lines(builder, read_line, NULL, program); }

static bool parse_steps(PyObject *given, Program *program) {
    program->count = (size_t)PyTuple_GET_SIZE(given);
    program->steps = memory_resize(NULL, (program->count + 1) * sizeof *program->steps);
    program->values = memory_resize(NULL, (program->count + 1) * sizeof *program->values);
    if (program->steps == NULL || program->values == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (size_t place = 0; place < program->count; place++) {
        Step *step = &program->steps[place];
        const char *name, *literal;
        Py_ssize_t name_size, literal_size;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(given, (Py_ssize_t)place), "iiiiy#y#", &step->kind, &step->ending,
                              &step->size, &step->column, &name, &name_size, &literal, &literal_size)) {
            return false;
        }
        step->name = (Span){(const uint8_t *)name, (size_t)name_size};
        step->literal = (Span){(const uint8_t *)literal, (size_t)literal_size};
    }
    return true;
}

PyObject *native_layout(PyObject *module, PyObject *arguments) {
    Py_buffer text;
    PyObject *steps, *rows = NULL;
    int has_parts, is_delimited, is_utc;
    const char *prefix;
    Py_ssize_t prefix_size;
    Program program = {0};
    if (!PyArg_ParseTuple(arguments, "y*y#O!pppiii", &text, &prefix, &prefix_size, &PyTuple_Type, &steps, &has_parts,
                          &is_delimited, &is_utc, &program.day[0], &program.day[1], &program.day[2])) {
        return NULL;
    }
    program.prefix = (Span){(const uint8_t *)prefix, (size_t)prefix_size};
    program.has_parts = has_parts;
    program.is_delimited = is_delimited;
    program.is_utc = is_utc;
    moment_clear(&program.last);
    if (parse_steps(steps, &program)) rows = read_rows(module, &text, read_text, &program);
    else PyBuffer_Release(&text);
    memory_free(program.steps);
    memory_free(program.values);
    return rows;
}
