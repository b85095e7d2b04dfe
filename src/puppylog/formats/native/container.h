/* Joins the lines that a container wrote as one message: see container_lines.py. */
#ifndef PUPPYLOG_CONTAINER_H
#define PUPPYLOG_CONTAINER_H

#include "continuation.h"

enum { OTHER_STREAM, STDOUT, STDERR };

/* What a line says about the line after it. Set all to 0 to begin. */
typedef struct {
    const uint8_t *end; /* the start of the line after it */
    int64_t ts_us;
    int stream;
    bool is_part;  /* the line after it continues its text */
    bool is_json;  /* nothing continues it */
    bool is_trace; /* its form is that of a continuation line */
} ContainerLine;

static inline int stream_of(Span name) {
    return span_is(name, "stdout") ? STDOUT : span_is(name, "stderr") ? STDERR : OTHER_STREAM;
}

/* Return what a line says, given without its newline and carriage return. `text` is what the container wrote. */
static inline ContainerLine container_line(Span line, int stream, int64_t ts_us, bool is_part, Span text) {
    const uint8_t *end = line.at + line.size;
    return (ContainerLine){
        .end = end + 1 + (*end == '\r'),
        .ts_us = ts_us,
        .stream = stream,
        .is_part = is_part,
        .is_json = text.size && text.at[0] == '{' && text.at[text.size - 1] == '}',
        .is_trace = is_continuation(text),
    };
}

/* Return whether the line `now`, which begins at `at`, continues the record of the line before. */
static inline bool container_continues(const ContainerLine *before, const uint8_t *at, const ContainerLine *now,
                                       Span text) {
    static const int64_t SECOND_US = 1000000;
    if (before->end != at || before->stream != now->stream || now->stream == OTHER_STREAM) return false;
    int64_t apart = now->ts_us - before->ts_us;
    if (apart > SECOND_US || apart < -SECOND_US) return false;
    if (before->is_part) return true;
    if (before->is_json) return false;
    if (now->is_trace || is_exception(text, before->is_trace)) return true;
    return text.size && text.at[0] == 'T' &&
           starts_with(text.at, text.at + text.size, "Traceback (most recent call last):");
}

/* Append the text of a line of a container to the record before, if it continues that. Return whether it did; in any
 * case the line becomes the line before. */
static inline bool container_join(Builder *builder, ContainerLine *before, Span line, const ContainerLine *now,
                                  Span text) {
    builder->parts += now->is_part;
    bool joined = builder->joins && container_continues(before, line.at, now, text) &&
                  builder_append(builder, line, text, !before->is_part);
    *before = *now;
    return joined;
}

#endif
