/* Reads lines that are, or begin with, time stamps: see stamp_column.py. */
#include "module.h"
#include "stamp.h"

typedef struct {
    Dating dating;
    bool is_whole; /* the stamp must be all of its line */
} Reading;

INLINED int read_line(Builder *builder, Span line, void *given) {
    Reading *reading = given;
    Row row;
    row_begin(&row);
    FoundStamp found;
    const uint8_t *end = line.at + line.size;
    Dating before = reading->dating;
    if (stamp_read(&reading->dating, line.at, end, &found)) {
        if (found.end == end || !reading->is_whole) {
            row.ts_us = found.us;
            row.is_local = found.is_local;
            row.text[MESSAGE] = span_of(line.at, found.end);
            if (found.zone.size) row.text[HOST] = found.zone;
        } else {
            reading->dating = before;
        }
    }
    builder_record(builder, line.at, &row);
    return FITS;
}

static void read_text(Builder *builder, void *reading) { read_lines(builder, read_line, NULL, reading); }

PyObject *native_stamps(PyObject *module, PyObject *arguments) {
    Py_buffer text;
    Reading reading = {.is_whole = false};
    Calendar *calendar = &reading.dating.calendar;
    int is_whole;
    if (!PyArg_ParseTuple(arguments, "y*iiipip", &text, &calendar->year, &calendar->month, &calendar->day,
                          &calendar->is_fixed, &reading.dating.order, &is_whole)) {
        return NULL;
    }
    reading.is_whole = is_whole;
    PyObject *rows = read_rows(module, &text, read_text, &reading);
    if (rows == NULL) return NULL;
    return Py_BuildValue("(Niiii)", rows, calendar->year, calendar->month, calendar->day, reading.dating.order);
}
