/* Reads lines of containers: see cri.py. */
#include "clock.h"
#include "container.h"
#include "inner.h"
#include "module.h"
#include "scan.h"

static inline const uint8_t *word_end(const uint8_t *at, const uint8_t *end) {
    const uint8_t *blank = find(at, end, ' ');
    return blank != NULL ? blank : end;
}

/* What a line says of its message, besides its time and its text. */
typedef struct {
    Span stream;
    int stream_number;
    bool is_part;
} Head;

static int read_row(const uint8_t *at, const uint8_t *end, Row *row, Head *head) {
    const uint8_t *blank = word_end(at, end);
    Stamp stamp = clock_iso(span_of(at, blank), &row->ts_us);
    if (stamp == STAMP_NONE) return CRI_NO_TIME;
    if (stamp == STAMP_OUT_OF_RANGE) return CRI_TIME_RANGE;
    row->is_local = stamp == STAMP_LOCAL;
    at = blank < end ? blank + 1 : end;
    blank = word_end(at, end);
    head->stream = span_of(at, blank);
    head->stream_number = stream_of(head->stream);
    if (blank == end || head->stream_number == OTHER_STREAM) return CRI_NO_STREAM;
    at = blank + 1;
    blank = word_end(at, end);
    if (at == blank || (*at != 'F' && *at != 'P') || (blank - at > 1 && at[1] != ':')) return CRI_NO_TAG;
    head->is_part = *at == 'P';
    row->text[MESSAGE] = span_of(blank < end ? blank + 1 : end, end);
    return FITS;
}

typedef struct {
    Inner inner;
    ContainerLine before;
} Reading;

INLINED int read_line(Builder *builder, Span line, void *given) {
    Reading *reading = given;
    Row row;
    row_begin(&row);
    Head head;
    int reason = read_row(line.at, line.at + line.size, &row, &head);
    if (reason != FITS) return reason;
    ContainerLine now = container_line(line, head.stream_number, row.ts_us, head.is_part, row.text[MESSAGE]);
    if (container_join(builder, &reading->before, line, &now, row.text[MESSAGE])) return FITS;
    bool is_nested = inner_is_possible(builder, (Span){0}, row.text[MESSAGE]);
    builder_text_member(builder, span_of_text("stream"), head.stream);
    if (head.is_part) builder_json_member(builder, span_of_text("partial"), span_of_text("true"));
    if (is_nested) inner_read(&reading->inner, (Span){0}, false, &row);
    builder_record(builder, line.at, &row);
    return FITS;
}

static void read_text(Builder *builder, void *table) {
    Reading reading = {0};
    inner_open(&reading.inner, builder, *(const Span *)table);
    read_lines(builder, read_line, NULL, &reading);
    inner_close(&reading.inner);
}

PyObject *native_cri(PyObject *module, PyObject *arguments) {
    return read_joined_by_names(module, arguments, read_text);
}
