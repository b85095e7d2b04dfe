/* Reads lines of any kind: see plain.py. */
#include "app.h"
#include "continuation.h"
#include "module.h"

static const char *const HEADERS[] = {
    "Software", "Version",     "Date",      "Start-Date",    "End-Date",    "Fields",
    "Remark",   "Time Format", "separator", "set_separator", "empty_field", "unset_field",
    "path",     "open",        "close",     "fields",        "types",
};

/* Return whether the line is a header of W3C or Zeek: see headers.py. */
static bool is_header(Span line) {
    if (line.size == 0 || line.at[0] != '#') return false;
    for (size_t place = 0; place < sizeof HEADERS / sizeof *HEADERS; place++) {
        size_t size = strlen(HEADERS[place]);
        bool is_named = line.size > size + 1 && memcmp(line.at + 1, HEADERS[place], size) == 0;
        if (is_named && is_one_of(line.at[size + 1], ": \t")) return true;
    }
    return false;
}

INLINED int read_line(Builder *builder, Span line, void *dating) {
    if (is_header(line)) return ROWLESS;
    if (builder->joins && is_continuation(line)) return CONTINUES;
    Row row;
    row_begin(&row);
    AppHead head;
    if (app_read_head(dating, line, &head) || app_read_head_behind(dating, line, &head))
        app_fill_time(builder, &head, &row);
    row.text[MESSAGE] = line;
    builder_record(builder, line.at, &row);
    return FITS;
}

static void read_text(Builder *builder, void *dating) { read_lines(builder, read_line, NULL, dating); }

PyObject *native_plain(PyObject *module, PyObject *arguments) {
    Py_buffer text;
    Dating dating = {.order = ORDER_UNKNOWN};
    Calendar *calendar = &dating.calendar;
    int joins;
    if (!PyArg_ParseTuple(arguments, "y*iiipip", &text, &calendar->year, &calendar->month, &calendar->day,
                          &calendar->is_fixed, &dating.order, &joins)) {
        return NULL;
    }
    PyObject *rows = read_records(module, &text, read_text, &dating, joins);
    if (rows == NULL) return NULL;
    return Py_BuildValue("(Niiii)", rows, calendar->year, calendar->month, calendar->day, dating.order);
}
