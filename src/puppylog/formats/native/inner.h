/* Reads a record that a program wrote into the message of another record: see inner.py. */
#ifndef PUPPYLOG_INNER_H
#define PUPPYLOG_INNER_H

#include "access.h"
#include "haproxy.h"
#include "json_reader.h"
#include "logfmt.h"
#include "scan.h"

typedef struct {
    Builder *builder;
    Span table; /* of names */
    bool has_names;
    Names names; /* is read when it is needed first */
    JsonReader json;
    LogfmtReader logfmt;
    HaproxyStamp haproxy;
    AccessReader access;
} Inner;

/* `table` is the table of names, which must stay in memory. */
void inner_open(Inner *inner, Builder *builder, Span table);

/* Free the memory. */
void inner_close(Inner *inner);

static inline bool is_from_haproxy(Span app) { return app.size >= 7 && memcmp(app.at, "haproxy", 7) == 0; }

static inline bool is_from_dovecot(Span app) { return app.size == 7 && memcmp(app.at, "dovecot", 7) == 0; }

/* Return whether the text begins with a word of one to seven small letters, but not three, and a blank. */
static inline bool begins_with_word(Span text) {
    if (text.size < 8) return false;
    uint64_t word = word_of(text.at), seven = word & EACH_BYTE(0x7F);
    uint64_t from_a = seven + EACH_BYTE(0x80 - 'a'), after_z = seven + EACH_BYTE(0x7F - 'z');
    uint64_t others = (~from_a | after_z | word) & EACH_BYTE(0x80);
    if (others == 0) return false;
    int size = lowest_bit(others) / 8;
    return size != 0 && size != 3 && text.at[size] == ' ';
}

/* Return whether a record can begin so. Most messages are prose, for which this is fast. */
static inline bool inner_may_begin(Span text) {
    const uint8_t *at = text.at, *end = at + text.size;
    if (at == end || begins_with_word(text)) return false;
    bool is_upper = true;
    while (at < end && (uint8_t)((*at | 0x20) - 'a') < 26) is_upper &= *at++ <= 'Z';
    size_t letters = (size_t)(at - text.at);
    if (letters == 0) {
        if (*at == '(') return at + 1 < end && is_digit(at[1]);
        return is_digit(*at) || *at == '{' || *at == '[' || *at == '<' || *at == 0x1B || *at == '@' || *at == '%' ||
               *at == '_';
    }
    if (is_upper) return true;
    if (letters == 3 && end - at > 1 && (*at == ',' || *at == ' ')) { /* the name of a day or a month */
        if (*at == ',' || is_digit(at[1]) || at[1] == ' ' || (uint8_t)(at[1] - 'A') < 26) return true;
    }
    while (at < end && ((uint8_t)((*at | 0x20) - 'a') < 26 || is_digit(*at))) at++;
    if (at < end && *at == ':') return true;
    for (; at < end; at++) {
        bool is_in_key =
            (uint8_t)((*at | 0x20) - 'a') < 26 || (uint8_t)(*at - '-') <= '9' - '-' || *at == '_' || *at == '@';
        if (!is_in_key) break;
    }
    return at < end && *at == '=';
}

/* Return whether the message can be a record, and watch the keys of the line if so. Call it before the attributes of the
 * line are written. */
static inline bool inner_is_possible(Builder *builder, Span app, Span message) {
    bool is_possible = message.size && (inner_may_begin(message) || is_from_haproxy(app) || is_from_dovecot(app));
    if (is_possible) builder_watch_keys(builder);
    else builder->keys.is_watched = false;
    return is_possible;
}

/* Read the message of the row, for which inner_is_possible was true. If it is a record, put its columns into the row, and
 * write its attributes after those of the line. `app` is the program, if the line names it. `is_coarse`: the time of the
 * line is of whole seconds, without a zone. */
void inner_read(Inner *inner, Span app, bool is_coarse, Row *row);

#endif
