/* What the parts of the reader of syslog know of each other. */
#ifndef PUPPYLOG_SYSLOG_H
#define PUPPYLOG_SYSLOG_H

#include "clock.h"
#include "scan.h"

/* See syslog/calendar.py. */
typedef struct {
    int year, month, day;
} Calendar;

/* One message: its columns, and what becomes attributes. */
typedef struct {
    Row row;
    Span facility, app, pid, msgid, structured;
} Entry;

typedef struct {
    int64_t us;
    bool is_local, is_iso;
    const uint8_t *until;
} Found;

/* Find the stamp that starts at `at`: see syslog/stamp.py. */
Stamp syslog_stamp(Calendar *calendar, const uint8_t *at, const uint8_t *until, Found *found);

/* Read what follows the priority, and the version; return why it is no message, or FITS. */
int syslog_5424(const uint8_t *at, const uint8_t *until, Entry *entry);
int syslog_3164(Calendar *calendar, const uint8_t *at, const uint8_t *until, bool has_priority, Entry *entry);

/* Write the member `structured_data`, if there is some. */
void syslog_structured(Builder *builder, Span elements);

extern const char *const SYSLOG_FACILITIES[24], *const SYSLOG_SEVERITIES[8];

static inline bool begins(const uint8_t *at, const uint8_t *until, const char *text) {
    size_t size = strlen(text);
    return (size_t)(until - at) >= size && memcmp(at, text, size) == 0;
}

static inline const uint8_t *skip_blanks(const uint8_t *at, const uint8_t *until) {
    while (at < until && *at == ' ') at++;
    return at;
}

/* Where the word that starts here ends: at a blank, or with the text. */
static inline const uint8_t *word_end(const uint8_t *at, const uint8_t *until) {
    const uint8_t *blank = find(at, until, ' ');
    return blank != NULL ? blank : until;
}

static inline bool ends_word(const uint8_t *at, const uint8_t *until) { return at == until || *at == ' '; }

#endif
