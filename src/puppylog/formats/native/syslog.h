/* What the parts of the reader of syslog share. */
#ifndef PUPPYLOG_SYSLOG_H
#define PUPPYLOG_SYSLOG_H

#include "calendar.h"
#include "clock.h"
#include "scan.h"

/* One message: its columns, and the values that become attributes. */
typedef struct {
    Row row;
    Span facility, app, pid, msgid, structured;
    bool is_coarse; /* the time is of whole seconds, without a zone */
} Entry;

typedef struct {
    int64_t us;
    bool is_local, is_iso;
    const uint8_t *end;
} Found;

/* Read the stamp at `at`: see syslog/stamp.py. */
Stamp syslog_stamp(Calendar *calendar, const uint8_t *at, const uint8_t *end, Found *found);

/* Read the message after the priority and the version; return FITS or the reason to reject the line. */
int syslog_5424(const uint8_t *at, const uint8_t *end, Entry *entry);
int syslog_3164(Calendar *calendar, const uint8_t *at, const uint8_t *end, bool has_priority, Entry *entry);

/* Skip the sequence number or the colon, and the mark, that devices of Cisco write before the time. */
const uint8_t *syslog_before_time(const uint8_t *at, const uint8_t *end, bool *is_cisco);
const uint8_t *syslog_mark_end(const uint8_t *at, const uint8_t *end);

/* Return the start of the tag after a sequence number, a mark and a time at `at`; NULL if they are not there. */
const uint8_t *syslog_cisco_end(const Calendar *calendar, const uint8_t *at, const uint8_t *end);

/* Read what ESXi and vCenter write behind the time of their own files; return the start of the rest, or NULL. */
const uint8_t *syslog_vmware(const uint8_t *at, const uint8_t *end, Entry *entry);

/* Return whether the text begins with the processor, as messages of ESXi do. */
bool syslog_is_cpu(const uint8_t *at, const uint8_t *end);

/* Set the time of FortiGate's `date=... time=...` at the start of a message, in its zone `tz=`. */
void syslog_device_time(Span message, Row *row);

/* Read the level that the tag or the message has. */
void syslog_level(Entry *entry);

/* Write the member `structured_data`, unless it is empty. */
void syslog_structured(Builder *builder, Span elements);

extern const char *const SYSLOG_FACILITIES[24], *const SYSLOG_SEVERITIES[8];

static inline bool begins(const uint8_t *at, const uint8_t *end, const char *text) {
    size_t size = strlen(text);
    return (size_t)(end - at) >= size && memcmp(at, text, size) == 0;
}

static inline const uint8_t *skip_blanks(const uint8_t *at, const uint8_t *end) {
    while (at < end && *at == ' ') at++;
    return at;
}

/* Return the end of the word at `at`: a blank or the end of the text. */
static inline const uint8_t *word_end(const uint8_t *at, const uint8_t *end) {
    const uint8_t *blank = find(at, end, ' ');
    return blank != NULL ? blank : end;
}

static inline bool ends_word(const uint8_t *at, const uint8_t *end) { return at == end || *at == ' '; }

#endif
