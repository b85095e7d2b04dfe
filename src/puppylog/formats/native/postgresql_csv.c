/* Reads PostgreSQL's csvlog: see postgresql/csvlog.py, which does the same in Python. */
#include "address.h"
#include "module.h"
#include "postgresql.h"

enum { MIN_COLUMNS = 22, MAX_COLUMNS = 32 };

enum {
    LOG_TIME,
    CONNECTION_FROM = 4,
    ERROR_SEVERITY = 11,
    MESSAGE_COLUMN = 13,
    AFTER_MESSAGE,
};

/* The fields of a prefix that columns are. */
static const struct {
    int column, field;
} FIELDS_OF[] = {
    {1, PG_USER}, {2, PG_DATABASE}, {3, PG_PID},     {5, PG_SESSION},   {6, PG_LINE},
    {7, PG_TAG},  {8, PG_START},    {9, PG_VXID},    {10, PG_XID},      {12, PG_CODE},
    {22, PG_APP}, {23, PG_BACKEND}, {24, PG_LEADER}, {25, PG_QUERY_ID},
};

/* The attributes that the columns after the message are. */
static const char *const AFTER[] = {
    "detail",  "hint",      "internal_query",     "internal_query_position",
    "context", "statement", "statement_position", "location",
};

enum { INTERNAL_POSITION = 3, POSITION = 6 };

typedef struct {
    const uint8_t *until; /* lines before it belong to the record that was read last */
} Reading;

typedef struct {
    Span columns[MAX_COLUMNS];
    int count;
    const uint8_t *end; /* after the newline of the record */
} Record;

/* Return the closing quote of a value that begins at `at`, in which quotes are doubled; NULL if there is none. */
static const uint8_t *find_closing(const uint8_t *at, const uint8_t *limit, bool *has_doubled) {
    for (; (at = find(at, limit, '"')) != NULL; at += 2) {
        if (at + 1 == limit || at[1] != '"') return at;
        *has_doubled = true;
    }
    return NULL;
}

/* Write the text with single quotes in place of doubled ones. */
static Span without_doubled(Span text, uint8_t **scratch) {
    uint8_t *start = *scratch, *to = start;
    for (size_t place = 0; place < text.size; place++) {
        *to++ = text.at[place];
        place += text.at[place] == '"';
    }
    *scratch = to;
    return span_of(start, to);
}

/* Divide the record that begins at `at` into its columns. Values in quotes may have newlines. */
static int split(Builder *builder, const uint8_t *at, const uint8_t *limit, Record *record) {
    uint8_t *scratch = NULL;
    for (record->count = 0; record->count < MAX_COLUMNS;) {
        const uint8_t *start = at;
        bool is_quoted = at < limit && *at == '"', has_doubled = false;
        if (is_quoted) {
            at = find_closing(++start, limit, &has_doubled);
            if (at == NULL) return PGCSV_OPEN_QUOTE;
        } else {
            while (at < limit && *at != ',' && *at != '\n') at++;
        }
        Span value = span_of(start, at);
        at += is_quoted;
        if (has_doubled) {
            if (scratch == NULL) scratch = builder_scratch(builder, (size_t)(limit - start));
            if (scratch != NULL) value = without_doubled(value, &scratch);
        }
        if (is_quoted && limit - at >= 2 && at[0] == '\r' && at[1] == '\n') at++;
        if (at == limit || (*at != ',' && *at != '\n')) return PGCSV_OPEN_QUOTE;
        if (*at == '\n' && !is_quoted && value.size && at[-1] == '\r') value.size--;
        record->columns[record->count++] = value;
        if (*at++ == ',') continue;
        record->end = at;
        return record->count < MIN_COLUMNS ? PGCSV_COLUMNS : FITS;
    }
    return PGCSV_COLUMNS;
}

static void write_record(Builder *builder, const Record *record, PgHead *head, Row *row) {
    Span port = {0}, remote = record->columns[CONNECTION_FROM];
    if (pg_has_value(remote)) row->text[HOST] = address_split(remote, &port);
    for (size_t place = 0; place < sizeof FIELDS_OF / sizeof *FIELDS_OF; place++) {
        if (FIELDS_OF[place].column < record->count) {
            head->values[FIELDS_OF[place].field] = record->columns[FIELDS_OF[place].column];
        }
    }
    pg_write_head(builder, head, port, record->columns[MESSAGE_COLUMN], row);
    for (size_t place = 0; place < sizeof AFTER / sizeof *AFTER; place++) {
        Span value = record->columns[AFTER_MESSAGE + place];
        bool is_position = place == INTERNAL_POSITION || place == POSITION;
        if (is_position) add_number(builder, AFTER[place], value);
        else add_known(builder, AFTER[place], value);
    }
}

INLINED int read_line(Builder *builder, Span line, void *given) {
    Reading *reading = given;
    if (line.at < reading->until) {
        builder->joined++;
        return FITS;
    }
    const uint8_t *stamp = pg_find_stamp_end(line.at, line.at + line.size);
    if (stamp == NULL || stamp == line.at + line.size || *stamp != ',') {
        return builder->joins ? CONTINUES : PGCSV_NO_TIME;
    }
    PgHead head;
    Record record;
    memset(head.values, 0, sizeof head.values);
    head.level = (PgLevel){0};
    if (!pg_read_stamp(line.at, stamp, &head.time)) return PGCSV_TIME_RANGE;
    head.has_time = true;
    size_t left = (size_t)(builder->end - line.at);
    int reason = split(builder, line.at, line.at + (left < MAX_RECORD_BYTES ? left : MAX_RECORD_BYTES), &record);
    if (reason != FITS) return reason;
    pg_find_level(record.columns[ERROR_SEVERITY], &head.level);
    Row row;
    row_begin(&row);
    write_record(builder, &record, &head, &row);
    builder_record(builder, line.at, &row);
    reading->until = record.end;
    return FITS;
}

static void read_text(Builder *builder, void *reading) { read_lines(builder, read_line, NULL, reading); }

PyObject *native_postgresql_csv(PyObject *module, PyObject *arguments) {
    Py_buffer text;
    int joins;
    Reading reading = {NULL};
    if (!PyArg_ParseTuple(arguments, "y*p", &text, &joins)) return NULL;
    return read_records(module, &text, read_text, &reading, joins);
}
