/* Lines read by the steps of a compiled layout: see layout/program.py for what the steps are. */
#include "module.h"
#include "moment.h"
#include "request.h"
#include "scan.h"

enum { LONGEST_NUMBER = 32 };

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
    Value *values; /* of a line that is delimited, one for each step */
    size_t count;
    Span lead;
    bool has_parts, is_delimited;
    int day[3];
    LastStamp last;
} Program;

typedef struct {
    Row row;
    Moment moment;
    Span stem, query;
    uint8_t *room; /* for values that do not stand in the line as they are; NULL until it is needed */
} Record;

static const uint8_t *find_text(const uint8_t *at, const uint8_t *until, Span text) {
    if (text.size == 0) return at;
    for (; (at = find(at, until, text.at[0])) != NULL; at++) {
        if ((size_t)(until - at) < text.size) return NULL;
        if (memcmp(at, text.at, text.size) == 0) return at;
    }
    return NULL;
}

static bool starts_with(const uint8_t *at, const uint8_t *until, Span text) {
    return (size_t)(until - at) >= text.size && (text.size == 0 || memcmp(at, text.at, text.size) == 0);
}

/* A list goes on behind ", " and " : ". */
static const uint8_t *find_list_end(const uint8_t *since, const uint8_t *until, Span literal) {
    const uint8_t *at = find_text(since, until, literal);
    while (at != NULL) {
        if (at > since && at[-1] == ',') at = find_text(at + 1, until, literal);
        else if (until - at >= 3 && memcmp(at, " : ", 3) == 0) at = find_text(at + 3, until, literal);
        else return at;
    }
    return NULL;
}

static const uint8_t *find_last_colon(const uint8_t *since, const uint8_t *until) {
    const uint8_t *blank = find(since, until, ' ');
    for (const uint8_t *at = blank != NULL ? blank : until; at > since; at--) {
        if (at[-1] == ':') return at - 1;
    }
    return NULL;
}

/* Where the text stands with which the line ends. */
static const uint8_t *find_line_end(Span literal, const uint8_t *since, const uint8_t *until) {
    if ((size_t)(until - since) < literal.size) return NULL;
    const uint8_t *at = until - literal.size;
    return starts_with(at, until, literal) ? at : NULL;
}

static const uint8_t *find_end(const Step *step, const uint8_t *since, const uint8_t *until) {
    const uint8_t *proto;
    switch (step->ending) {
    case END_SIZED: return until - since >= step->size ? since + step->size : NULL;
    case END_QUOTE: return find_quote(since, until);
    case END_LIST: return find_list_end(since, until, step->literal);
    case END_ADDRESS: return find_last_colon(since, until);
    case END_BEFORE_PROTO:
        proto = find_text(since, until, span_of_text(" HTTP/"));
        return proto != NULL ? proto : find_text(since, until, step->literal);
    case END_BEHIND_PROTO:
        proto = find_text(since, until, span_of_text(" HTTP/"));
        return find_text(proto != NULL ? proto + 6 : since, until, step->literal);
    case END_SLASH: return find(since, until, '/');
    case END_REST: return find_line_end(step->literal, since, until);
    default: return find_text(since, until, step->literal);
    }
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)? */
static bool is_number(Span text) {
    const uint8_t *at = text.at, *until = text.at + text.size;
    if (text.size > LONGEST_NUMBER) return false;
    if (at < until && *at == '-') at++;
    const uint8_t *whole = at;
    while (at < until && is_digit(*at)) at++;
    if (at == whole || (*whole == '0' && at - whole > 1)) return false;
    if (at == until) return true;
    if (*at++ != '.' || at == until) return false;
    while (at < until && is_digit(*at)) at++;
    return at == until;
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

static void put(Builder *builder, const Step *step, Span text, Row *row) {
    if (step->column >= 0) row->text[step->column] = text;
    else if (step->kind == KIND_NUMBER && is_number(text)) builder_json_member(builder, step->name, text);
    else builder_text_member(builder, step->name, text);
}

static int take_stamp(Builder *builder, const Step *step, Span text, Row *row) {
    int64_t us;
    Stamp stamp = clock_access(text, &us);
    if (stamp != STAMP_ZONED) return stamp == STAMP_NONE ? LAYOUT_TIME_FORM : LAYOUT_TIME_RANGE;
    put(builder, step, text, row);
    return FITS;
}

/* A text that is skipped by its size must end where a character ends. */
static int skip(const Step *step, Span text) {
    for (size_t place = 0; step->size && place < text.size; place++) {
        if (text.at[place] >= 0x80) return LAYOUT_TIME_FORM;
    }
    return FITS;
}

/* Take the value of a field. */
static int take(Program *program, Builder *builder, const Step *step, Span text, Record *record) {
    if (step->kind == KIND_STAMP) return take_stamp(builder, step, text, &record->row);
    if (step->kind > KIND_STAMP) return moment_take(&record->moment, step->kind, text, &program->last);
    if (step->kind == KIND_SKIP) return skip(step, text);
    text = without_dash(text);
    if (text.size == 0 || (step->kind == KIND_USER && span_is(text, "\"\""))) return FITS;
    switch (step->kind) {
    case KIND_REQUEST: read_request(text, &record->row); return FITS;
    case KIND_STATUS: return take_status(text, &record->row);
    case KIND_BYTES: return take_bytes(text, &record->row);
    case KIND_STEM: record->stem = text; return FITS;
    case KIND_QUERY: record->query = text; return FITS;
    default: put(builder, step, text, &record->row); return FITS;
    }
}

static int read_steps(Program *program, Builder *builder, const uint8_t *at, const uint8_t *until, Record *record) {
    if (!starts_with(at, until, program->lead)) return LAYOUT_NO_TEXT;
    at += program->lead.size;
    for (size_t place = 0; place < program->count; place++) {
        const Step *step = &program->steps[place];
        const uint8_t *field_until = find_end(step, at, until);
        if (field_until == NULL) return step->ending == END_QUOTE ? LAYOUT_OPEN_QUOTE : LAYOUT_NO_TEXT;
        int reason = take(program, builder, step, span_of(at, field_until), record);
        if (reason != FITS) return reason;
        if (!starts_with(field_until, until, step->literal)) return LAYOUT_NO_TEXT;
        at = field_until + step->literal.size;
    }
    return at < until ? LAYOUT_MORE : FITS;
}

/* The closing quote of a value that opens before `at`; quotes in it are written twice. */
static const uint8_t *find_closing(const uint8_t *at, const uint8_t *until) {
    while ((at = find(at, until, '"')) != NULL) {
        if (at + 1 == until || at[1] != '"') return at;
        at += 2;
    }
    return NULL;
}

static int split(Program *program, const uint8_t *at, const uint8_t *until, uint8_t delimiter) {
    for (size_t place = 0; place < program->count; place++) {
        Value *value = &program->values[place];
        if (at > until) return LAYOUT_FEWER;
        value->is_quoted = at < until && *at == '"';
        const uint8_t *end;
        if (value->is_quoted) {
            end = find_closing(at + 1, until);
            if (end == NULL || (end + 1 < until && end[1] != delimiter)) return LAYOUT_OPEN_QUOTE;
            value->text = span_of(at + 1, end);
            end++;
        } else {
            end = find(at, until, delimiter);
            if (end == NULL) end = until;
            value->text = span_of(at, end);
        }
        at = end + 1;
    }
    if (at >= until || (until - at == 1 && *at == delimiter)) return FITS;
    return LAYOUT_MORE_FIELDS;
}

/* Write what the span says into the room, and return it from there. */
static Span resolve_quotes(Record *record, Span text) {
    uint8_t *since = record->room;
    for (size_t place = 0; place < text.size; place++) {
        *record->room++ = text.at[place];
        place += text.at[place] == '"';
    }
    return span_of(since, record->room);
}

static int hex_digit(uint8_t byte) {
    if (is_digit(byte)) return byte - '0';
    byte |= 32;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The visible ASCII character whose escape stands there, or 0. */
static uint8_t escaped(Span text, size_t place) {
    if (text.size - place < 3 || text.at[place] != '%') return 0;
    int high = hex_digit(text.at[place + 1]), low = hex_digit(text.at[place + 2]);
    if (high < 2 || high > 7 || low < 0 || (high == 7 && low == 15)) return 0;
    return (uint8_t)(high * 16 + low);
}

static Span resolve_agent(Record *record, Span text, uint8_t delimiter) {
    uint8_t *since = record->room;
    for (size_t place = 0; place < text.size; place++) {
        uint8_t byte = text.at[place], other = 0;
        if (delimiter == '\t' && (other = escaped(text, place)) != 0) {
            byte = other;
            place += 2;
        } else if (delimiter == ' ' && byte == '+' && (place == 0 || text.at[place - 1] != '+')) {
            byte = ' ';
        }
        *record->room++ = byte;
    }
    return span_of(since, record->room);
}

static bool is_escaped(const Step *step, const Value *value, uint8_t delimiter) {
    const uint8_t *until = value->text.at + value->text.size;
    if (value->is_quoted) return find(value->text.at, until, '"') != NULL;
    return step->kind == KIND_AGENT && find(value->text.at, until, delimiter == '\t' ? '%' : '+') != NULL;
}

/* Room for each value once more, and for the route. */
static bool make_room(Builder *builder, Record *record, size_t line_size) {
    if (record->room == NULL) record->room = builder_scratch(builder, 2 * line_size + 2);
    return record->room != NULL;
}

static void join_route(Builder *builder, Record *record, size_t line_size) {
    record->row.text[ROUTE] = record->stem;
    if (record->query.size == 0 || !make_room(builder, record, line_size)) return;
    uint8_t *since = record->room;
    if (record->stem.size) memcpy(since, record->stem.at, record->stem.size);
    since[record->stem.size] = '?';
    memcpy(since + record->stem.size + 1, record->query.at, record->query.size);
    record->room += record->stem.size + 1 + record->query.size;
    record->row.text[ROUTE] = span_of(since, record->room);
}

static int read_delimited(Program *program, Builder *builder, const uint8_t *line, const uint8_t *until,
                          Record *record) {
    if (program->count == 0) return LAYOUT_NO_FIELDS;
    uint8_t delimiter = find(line, until, '\t') != NULL ? '\t' : ' ';
    int reason = split(program, line, until, delimiter);
    if (reason != FITS) return reason;
    size_t line_size = (size_t)(until - line);
    for (size_t place = 0; place < program->count; place++) {
        const Step *step = &program->steps[place];
        const Value *value = &program->values[place];
        Span text = value->text;
        if (is_escaped(step, value, delimiter) && make_room(builder, record, line_size)) {
            text = value->is_quoted ? resolve_quotes(record, text) : resolve_agent(record, text, delimiter);
        }
        reason = take(program, builder, step, text, record);
        if (reason != FITS) return reason;
    }
    if (record->stem.size || record->query.size) join_route(builder, record, line_size);
    return FITS;
}

static int read_record(Program *program, Builder *builder, const uint8_t *line, const uint8_t *until, Record *record) {
    if (line == until) return LAYOUT_EMPTY;
    int reason = program->is_delimited ? read_delimited(program, builder, line, until, record)
                                       : read_steps(program, builder, line, until, record);
    if (reason != FITS) return reason;
    return moment_tell(&record->moment, program->has_parts, program->is_delimited, &record->row);
}

INLINED int read_line(Builder *builder, Span line, void *reading) {
    Program *program = reading;
    if (program->is_delimited && line.size && line.at[0] == '#') return JOINED;
    const int *day = program->day;
    Record record = {.moment = {.year = day[0], .month = day[1], .day = day[2], .half_day = -1}};
    int reason = read_record(program, builder, line.at, line.at + line.size, &record);
    if (reason == FITS) builder_record(builder, line.at, &record.row);
    return reason;
}

static void read_text(Builder *builder, void *program) { read_lines(builder, read_line, program); }

static bool take_steps(PyObject *given, Program *program) {
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
    int has_parts, is_delimited;
    const char *lead;
    Py_ssize_t lead_size;
    Program program = {0};
    if (!PyArg_ParseTuple(arguments, "y*y#O!ppiii", &text, &lead, &lead_size, &PyTuple_Type, &steps, &has_parts,
                          &is_delimited, &program.day[0], &program.day[1], &program.day[2])) {
        return NULL;
    }
    program.lead = (Span){(const uint8_t *)lead, (size_t)lead_size};
    program.has_parts = has_parts;
    program.is_delimited = is_delimited;
    moment_forget(&program.last);
    if (take_steps(steps, &program)) rows = read_rows(module, &text, read_text, &program);
    else PyBuffer_Release(&text);
    memory_free(program.steps);
    memory_free(program.values);
    return rows;
}
