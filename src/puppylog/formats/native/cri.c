/* Lines of containers: see cri.py. */
#include "clock.h"
#include "module.h"
#include "scan.h"

/* As in cri.py */
enum { EMPTY, NO_TIME_AT_START, TIME_RANGE, NO_STREAM, NO_TAG, FITS };

static inline const uint8_t *word_end(const uint8_t *at, const uint8_t *until) {
    const uint8_t *blank = find(at, until, ' ');
    return blank != NULL ? blank : until;
}

static int read_line(const uint8_t *at, const uint8_t *until, Row *row, Span *stream, bool *is_partial) {
    if (at == until) return EMPTY;
    const uint8_t *end = word_end(at, until);
    Stamp stamp = clock_iso(span_of(at, end), &row->ts_us);
    if (stamp == STAMP_NONE) return NO_TIME_AT_START;
    if (stamp == STAMP_OUT_OF_RANGE) return TIME_RANGE;
    row->is_local = stamp == STAMP_LOCAL;
    at = end < until ? end + 1 : until;
    end = word_end(at, until);
    *stream = span_of(at, end);
    if (end == until || !(span_is(*stream, "stdout") || span_is(*stream, "stderr"))) return NO_STREAM;
    at = end + 1;
    end = word_end(at, until);
    if (at == end || (*at != 'F' && *at != 'P') || (end - at > 1 && at[1] != ':')) return NO_TAG;
    *is_partial = *at == 'P';
    row->text[MESSAGE] = span_of(end < until ? end + 1 : until, until);
    return FITS;
}

static void read_text(Builder *builder) {
    const uint8_t *text = builder->text;
    for (const uint8_t *line = text, *newline; line < builder->end; line = newline + 1) {
        newline = find(line, builder->end, '\n');
        const uint8_t *until = newline - (newline > line && newline[-1] == '\r');
        Row row = {0};
        Span stream;
        bool is_partial;
        int reason = read_line(line, until, &row, &stream, &is_partial);
        if (reason != FITS) {
            builder_reject(builder, (size_t)(line - text), (uint8_t)reason);
            continue;
        }
        builder_text_member(builder, span_of_text("stream"), stream);
        if (is_partial) builder_json_member(builder, span_of_text("partial"), span_of_text("true"));
        builder_record(builder, (size_t)(line - text), &row);
    }
}

PyObject *native_cri(PyObject *module, PyObject *arguments) {
    (void)module;
    return read_alone(arguments, read_text);
}
