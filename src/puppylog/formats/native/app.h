/* Reads the head of a line of an application: see app_head.py and app.py. */
#ifndef PUPPYLOG_APP_H
#define PUPPYLOG_APP_H

#include "builder.h"
#include "scan.h"
#include "stamp.h"

/* What the head of a line says; a text that it does not have is empty. */
typedef struct {
    int64_t ts_us; /* or NO_TIME */
    bool is_local;
    Span zone, time, level, logger, pid, tid, thread, user, file, line, function, event_id, context, message;
} AppHead;

/* Read the head of a line, with its message; return false if the line does not begin with a head. `dating` is
 * updated. */
bool app_read_head(Dating *dating, Span text, AppHead *head);

/* Read the head of a record whose stamp is behind a prefix of ids, in a line that begins with no head. */
bool app_read_head_behind(Dating *dating, Span text, AppHead *head);

/* Set time, severity and message of the row, and write the members of the head. The row is not recorded. */
void app_fill_row(Builder *builder, const AppHead *head, Row *row);

/* Set only time and severity of the row, and write only the members that belong to them. */
void app_fill_time(Builder *builder, const AppHead *head, Row *row);

enum { MAX_GROUPS = 4 };

/* What stands before the stamp of a record: see app_prefix.py. */
typedef struct {
    const uint8_t *end; /* the stamp */
    Span text, level;
} AppPrefix;

/* Find the stamp of a record behind a prefix of ids; return false if there is none. */
bool app_find_prefix(Dating *dating, Span text, AppPrefix *prefix);

/* The state of the reader of a head: see HeadReader in app_head.py. */
typedef struct {
    const uint8_t *start, *at, *end;
    Dating *dating;
    AppHead head;
    Span groups[MAX_GROUPS], word;
    int group_count, items, words;
    uint8_t closing, mark;
    bool is_tight, is_epoch, has_time, has_date, is_letter, is_level_first, is_level_bracketed, is_time_bracketed;
    bool settles, is_sure;
} AppReader;

/* Move over blanks, colours and one mark to the next item. */
void app_skip(AppReader *reader);

/* Read an item; return false if there is none, or only a name. */
bool app_read_item(AppReader *reader);

/* Read a name; return false if the message begins there. */
bool app_read_name(AppReader *reader);

void app_set_level(AppReader *reader, Span level, bool is_bracketed);

/* Return the word at `at` if it is a severity. */
Span app_level_at(const uint8_t *at, const uint8_t *end);

static inline const uint8_t *end_of(Span span) { return span.at + span.size; }

static inline const uint8_t *skip_spaces(const uint8_t *at, const uint8_t *end) {
    while (at < end && *at == ' ') at++;
    return at;
}

static inline bool is_capital(uint8_t byte) { return byte >= 'A' && byte <= 'Z'; }

/* Return whether a word has capitals only, and perhaps a digit from 1 to 5 at its end, such as DEBUG2. */
static inline bool is_capitals(Span word) {
    if (word.size > 1 && word.at[word.size - 1] >= '1' && word.at[word.size - 1] <= '5') word.size--;
    for (size_t place = 0; place < word.size; place++) {
        if (word.at[place] < 'A' || word.at[place] > 'Z') return false;
    }
    return word.size > 0;
}

/* Return whether the text is in the name. */
static inline bool has_text(Span name, const char *text) {
    size_t size = strlen(text);
    for (size_t place = 0; place + size <= name.size; place++) {
        if (memcmp(name.at + place, text, size) == 0) return true;
    }
    return false;
}

/* Return whether a name in brackets looks like that of a thread, and not of a logger. */
static inline bool is_thread(Span name) {
    if (has_text(name, "::")) return false;
    if (has_text(name, "hread")) return true;
    for (size_t place = 0; place < name.size; place++) {
        if (is_one_of(name.at[place], "0123456789-:=")) return true;
    }
    return name.size == 4 && memcmp(name.at, "main", 4) == 0;
}

/* Return the end of `fewest` to `most` digits at `at`; NULL if there are fewer or more. */
static inline const uint8_t *digits_end(const uint8_t *at, const uint8_t *end, int fewest, int most) {
    int size = digit_run(at, end, most + 1);
    return size >= fewest && size <= most ? at + size : NULL;
}

#endif
