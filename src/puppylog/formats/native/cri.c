/* Reads lines of containers: see cri.py. */
#include "clock.h"
#include "inner.h"
#include "module.h"
#include "scan.h"

static inline const uint8_t *word_end(const uint8_t *at, const uint8_t *end) {
    const uint8_t *blank = find(at, end, ' ');
    return blank != NULL ? blank : end;
}

static int read_row(const uint8_t *at, const uint8_t *end, Row *row, Span *stream, bool *is_partial) {
    const uint8_t *blank = word_end(at, end);
    Stamp stamp = clock_iso(span_of(at, blank), &row->ts_us);
    if (stamp == STAMP_NONE) return CRI_NO_TIME;
    if (stamp == STAMP_OUT_OF_RANGE) return CRI_TIME_RANGE;
    row->is_local = stamp == STAMP_LOCAL;
    at = blank < end ? blank + 1 : end;
    blank = word_end(at, end);
    *stream = span_of(at, blank);
    if (blank == end || !(span_is(*stream, "stdout") || span_is(*stream, "stderr"))) return CRI_NO_STREAM;
    at = blank + 1;
    blank = word_end(at, end);
    if (at == blank || (*at != 'F' && *at != 'P') || (blank - at > 1 && at[1] != ':')) return CRI_NO_TAG;
    *is_partial = *at == 'P';
    row->text[MESSAGE] = span_of(blank < end ? blank + 1 : end, end);
    return FITS;
}

INLINED int read_line(Builder *builder, Span line, void *inner) {
    Row row = {0};
    Span stream;
    bool is_partial;
    int reason = read_row(line.at, line.at + line.size, &row, &stream, &is_partial);
    if (reason != FITS) return reason;
    bool is_nested = inner_is_possible(builder, (Span){0}, row.text[MESSAGE]);
    builder_text_member(builder, span_of_text("stream"), stream);
    if (is_partial) builder_json_member(builder, span_of_text("partial"), span_of_text("true"));
    if (is_nested) inner_read(inner, (Span){0}, false, &row);
    builder_record(builder, line.at, &row);
    return FITS;
}

static void read_text(Builder *builder, void *table) {
    Inner inner;
    inner_open(&inner, builder, *(const Span *)table);
    read_lines(builder, read_line, NULL, &inner);
    inner_close(&inner);
}

PyObject *native_cri(PyObject *module, PyObject *arguments) { return read_by_names(module, arguments, read_text); }
