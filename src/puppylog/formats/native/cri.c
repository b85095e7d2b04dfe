/* Lines of containers: see cri.py. */
#include "clock.h"
#include "module.h"
#include "scan.h"

static inline const uint8_t *word_end(const uint8_t *at, const uint8_t *until) {
    const uint8_t *blank = find(at, until, ' ');
    return blank != NULL ? blank : until;
}

static int read_row(const uint8_t *at, const uint8_t *until, Row *row, Span *stream, bool *is_partial) {
    if (at == until) return CRI_EMPTY;
    const uint8_t *end = word_end(at, until);
    Stamp stamp = clock_iso(span_of(at, end), &row->ts_us);
    if (stamp == STAMP_NONE) return CRI_NO_TIME;
    if (stamp == STAMP_OUT_OF_RANGE) return CRI_TIME_RANGE;
    row->is_local = stamp == STAMP_LOCAL;
    at = end < until ? end + 1 : until;
    end = word_end(at, until);
    *stream = span_of(at, end);
    if (end == until || !(span_is(*stream, "stdout") || span_is(*stream, "stderr"))) return CRI_NO_STREAM;
    at = end + 1;
    end = word_end(at, until);
    if (at == end || (*at != 'F' && *at != 'P') || (end - at > 1 && at[1] != ':')) return CRI_NO_TAG;
    *is_partial = *at == 'P';
    row->text[MESSAGE] = span_of(end < until ? end + 1 : until, until);
    return FITS;
}

INLINED int read_line(Builder *builder, Span line, void *reading) {
    (void)reading;
    Row row = {0};
    Span stream;
    bool is_partial;
    int reason = read_row(line.at, line.at + line.size, &row, &stream, &is_partial);
    if (reason != FITS) return reason;
    builder_text_member(builder, span_of_text("stream"), stream);
    if (is_partial) builder_json_member(builder, span_of_text("partial"), span_of_text("true"));
    builder_record(builder, line.at, &row);
    return FITS;
}

static void read_text(Builder *builder, void *reading) { read_lines(builder, read_line, reading); }

PyObject *native_cri(PyObject *module, PyObject *arguments) { return read_alone(module, arguments, read_text); }
