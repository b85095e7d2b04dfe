/* Reads what Google's agents for virtual machines write into syslog: see google_agent.py. */
#include "google_agent.h"

#include "clock.h"
#include "cursor.h"
#include "severity.h"
#include "stamp.h"

static bool take_program(Cursor *cursor, Span *program) {
    const uint8_t *start = cursor->at;
    while (cursor->at < cursor->end && (is_alphanumeric(*cursor->at) || *cursor->at == '_')) cursor->at++;
    *program = span_of(start, cursor->at);
    return program->size && take_byte(cursor, ' ');
}

static bool take_level(Cursor *cursor, Span *level) {
    static const char *const LEVELS[] = {"Debug", "Info", "Warning", "Error", "Critical"};
    const uint8_t *start = cursor->at;
    for (size_t place = 0; place < sizeof LEVELS / sizeof *LEVELS; place++) {
        if (!take_text(cursor, LEVELS[place])) continue;
        *level = span_of(start, cursor->at);
        return true;
    }
    return false;
}

/* Take a file of Go and the number of a line, such as `till.go:17`. */
static bool take_source(Cursor *cursor, Span *source) {
    const uint8_t *start = cursor->at;
    while (cursor->at < cursor->end && (is_alphanumeric(*cursor->at) || is_one_of(*cursor->at, "_./-"))) cursor->at++;
    if (cursor->at - start < 4 || memcmp(cursor->at - 3, ".go", 3) != 0 || !take_byte(cursor, ':')) return false;
    int digits = 0;
    for (; cursor->at < cursor->end && is_digit(*cursor->at); digits++) cursor->at++;
    *source = span_of(start, cursor->at);
    return digits > 0;
}

bool google_agent_read(Builder *builder, Span text, Row *row) {
    Cursor cursor = cursor_of(text);
    Span stamp, program, level, source = {0};
    int64_t us;
    if (!take_until(&cursor, ' ', &stamp) || clock_iso(stamp, &us) != STAMP_ZONED) return false;
    if (!take_program(&cursor, &program) || !take_level(&cursor, &level)) return false;
    if (take_byte(&cursor, ' ') && !take_source(&cursor, &source)) return false;
    if (!take_text(&cursor, ": ") || cursor.at == cursor.end) return false;
    row->ts_us = us;
    row->is_local = false;
    row->text[MESSAGE] = rest_of(cursor);
    add_known(builder, "program", program);
    row_set_severity(builder, row, level);
    add_known(builder, "source", source);
    return true;
}
