/* Reads PostgreSQL's log: see postgresql/stderr.py, which does the same in Python. */
#include "postgresql.h"

#include "module.h"

typedef struct {
    PgPrefix prefix;
    uint8_t pid[MAX_DIGITS]; /* of the last record */
    size_t pid_size;
    uint32_t parts;  /* a bit for each part that the last record has */
    bool is_open;    /* the last record can have further parts */
    bool is_in_part; /* the last line belongs to a part of the record, and not to its message */
} Reading;

/* The fields that become attributes, in this order. */
static const struct {
    int field;
    const char *key;
    bool is_number;
} ATTRIBUTES[] = {
    {PG_PID, "pid", true},
    {PG_LEADER, "leader_pid", true},
    {PG_LINE, "log_line", true},
    {PG_DATABASE, "database", false},
    {PG_APP, "application", false},
    {PG_BACKEND, "backend_type", false},
    {PG_LOCAL, "local_address", false},
    {PG_SESSION, "session_id", false},
    {PG_START, "session_start", false},
    {PG_TAG, "command_tag", false},
    {PG_VXID, "virtual_transaction_id", false},
    {PG_XID, "transaction_id", true},
    {PG_QUERY_ID, "query_id", true},
    {PG_OTHER, "prefix", false},
};

/* Return the code with which the message begins if log_error_verbosity is verbose: five capitals or digits, and `: `. */
static Span find_code(Span message) {
    enum { CODE_SIZE = 5 };
    bool has_digit = false;
    if (message.size < CODE_SIZE + 2 || memcmp(message.at + CODE_SIZE, ": ", 2) != 0) return (Span){0};
    for (int place = 0; place < CODE_SIZE; place++) {
        uint8_t byte = message.at[place];
        if (!is_digit(byte) && !(byte >= 'A' && byte <= 'Z')) return (Span){0};
        has_digit |= is_digit(byte);
    }
    return has_digit ? (Span){message.at, CODE_SIZE} : (Span){0};
}

void pg_write_head(Builder *builder, const PgHead *head, Span port, Span message, Row *row) {
    pg_write_time(builder, head->has_time, &head->time, row);
    if (head->level.severity != NULL) pg_write_severity(builder, &head->level, row);
    if (pg_has_value(head->values[PG_USER])) row->text[RUSER] = head->values[PG_USER];
    row->text[MESSAGE] = message;
    add_number(builder, "client_port", port);
    for (size_t place = 0; place < sizeof ATTRIBUTES / sizeof *ATTRIBUTES; place++) {
        Span value = head->values[ATTRIBUTES[place].field];
        if (!pg_has_value(value)) continue;
        if (!ATTRIBUTES[place].is_number) add_known(builder, ATTRIBUTES[place].key, value);
        else if (!span_is(value, "0")) add_number(builder, ATTRIBUTES[place].key, value);
    }
    Span code = head->values[PG_CODE];
    if (code.size == 0 && head->level.severity != NULL) code = find_code(message);
    if (code.size && !span_is(code, "00000")) add_known(builder, "code", code);
    Span duration = pg_find_duration(message);
    if (duration.size) builder_json_member(builder, span_of_text("duration_ms"), duration);
    if (head->level.part != NULL) add_known(builder, "kind", span_of_text(head->level.part));
}

/* Return whether the line is a part of the last record: DETAIL, STATEMENT and others of the same process. */
static bool is_part(const Reading *reading, const PgHead *head) {
    Span pid = head->values[PG_PID];
    if (!reading->is_open || head->level.part == NULL || reading->parts >> head->level.number & 1) return false;
    return pid.size == reading->pid_size && (pid.size == 0 || memcmp(pid.at, reading->pid, pid.size) == 0);
}

/* Read a line that does not begin a record. */
static int continue_part(Builder *builder, Span line, Reading *reading) {
    if (!builder->joins) return POSTGRESQL_NO_HEAD;
    if (reading->is_in_part && builder_join_member(builder, line, (Span){0}, line)) return FITS;
    reading->is_in_part = false;
    return CONTINUES;
}

INLINED int read_line(Builder *builder, Span line, void *given) {
    Reading *reading = given;
    PgHead head;
    head.has_time = false;
    memset(head.values, 0, sizeof head.values);
    bool is_head = reading->prefix.is_known ? pg_read_known(&reading->prefix, line, &head) : pg_read_any(line, &head);
    if (!is_head) return continue_part(builder, line, reading);
    Span message = span_of(head.level.end, line.at + line.size);
    if (builder->joins && is_part(reading, &head) &&
        builder_join_member(builder, line, span_of_text(head.level.part), message)) {
        reading->parts |= UINT32_C(1) << head.level.number;
        reading->is_in_part = true;
        return FITS;
    }
    Row row;
    row_begin(&row);
    Span remote = head.values[PG_REMOTE].size ? head.values[PG_REMOTE] : head.values[PG_HOST], port;
    row.text[HOST] = pg_split_client(remote, &port);
    pg_write_head(builder, &head, port, message, &row);
    /* At the start of a text, the record of a part may be before the text. */
    bool is_orphan = builder->joins && head.level.part != NULL && builder->rows + builder->rejects == builder->orphans;
    builder_record(builder, line.at, &row);
    builder->orphans += is_orphan;
    Span pid = head.values[PG_PID];
    reading->is_open = head.level.part == NULL && pid.size <= MAX_DIGITS;
    reading->is_in_part = false;
    reading->parts = 0;
    reading->pid_size = reading->is_open ? pid.size : 0;
    if (reading->pid_size) memcpy(reading->pid, pid.at, pid.size);
    return FITS;
}

static void read_text(Builder *builder, void *reading) { read_lines(builder, read_line, NULL, reading); }

static bool parse_steps(PyObject *given, PgPrefix *prefix) {
    prefix->count = (int)PyTuple_GET_SIZE(given);
    if (prefix->count > PG_MOST_STEPS) {
        PyErr_SetString(PyExc_ValueError, "the prefix has too many fields");
        return false;
    }
    for (int place = 0; place < prefix->count; place++) {
        PgStep *step = &prefix->steps[place];
        const char *literal;
        Py_ssize_t size;
        int is_padded;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(given, place), "ipy#", &step->field, &is_padded, &literal, &size)) {
            return false;
        }
        step->is_padded = is_padded;
        step->literal = (Span){(const uint8_t *)literal, (size_t)size};
    }
    return true;
}

PyObject *native_postgresql(PyObject *module, PyObject *arguments) {
    Py_buffer text;
    PyObject *steps;
    const char *literal;
    Py_ssize_t size;
    int is_known, joins;
    Reading reading = {.is_open = false};
    if (!PyArg_ParseTuple(arguments, "y*py#O!ip", &text, &is_known, &literal, &size, &PyTuple_Type, &steps,
                          &reading.prefix.optional, &joins)) {
        return NULL;
    }
    reading.prefix.is_known = is_known;
    reading.prefix.literal = (Span){(const uint8_t *)literal, (size_t)size};
    if (parse_steps(steps, &reading.prefix)) return read_records(module, &text, read_text, &reading, joins);
    PyBuffer_Release(&text);
    return NULL;
}
