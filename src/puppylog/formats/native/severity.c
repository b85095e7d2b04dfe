#include "severity.h"

enum { LONGEST_SPELLING = 16 };

/* Spellings in lower case, followed by zeros, so that two of them are compared as two words of eight bytes. */
typedef struct {
    char text[LONGEST_SPELLING];
    uint8_t severity;
} Spelling;

#define AS_SPELLING(severity, text) {text, severity},

static const Spelling SPELLINGS[] = {SEVERITY_SPELLINGS(AS_SPELLING)};
static const char *const NAMES[] = {SEVERITIES(AS_TEXT)};

/* Return the number of the severity in the scale, or -1. */
static int find(Span word) {
    char lower[LONGEST_SPELLING] = {0};
    if (word.size < 2 || word.size > LONGEST_SPELLING) return -1;
    for (size_t place = 0; place < word.size; place++) {
        uint8_t byte = word.at[place];
        if (byte == 0) return -1; /* it would be equal to the zeros after a spelling */
        lower[place] = (char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
    }
    for (size_t place = 0; place < sizeof SPELLINGS / sizeof *SPELLINGS; place++) {
        if (memcmp(lower, SPELLINGS[place].text, LONGEST_SPELLING) == 0) return SPELLINGS[place].severity;
    }
    return -1;
}

Span severity_find(Span word) {
    int severity = find(word);
    return severity < 0 ? (Span){0} : span_of_text(NAMES[severity]);
}

Span severity_of_number(int64_t number) {
    static const uint8_t OF_NUMBER[] = {
        [1] = SEVERITY_TRACE,     SEVERITY_TRACE,    SEVERITY_TRACE,    SEVERITY_TRACE,
        [5] = SEVERITY_DEBUG,     SEVERITY_DEBUG,    SEVERITY_DEBUG,    SEVERITY_DEBUG,
        [9] = SEVERITY_INFO,      SEVERITY_NOTICE,   SEVERITY_NOTICE,   SEVERITY_NOTICE,
        [13] = SEVERITY_WARNING,  SEVERITY_WARNING,  SEVERITY_WARNING,  SEVERITY_WARNING,
        [17] = SEVERITY_ERROR,    SEVERITY_CRITICAL, SEVERITY_ALERT,    SEVERITY_ALERT,
        [21] = SEVERITY_CRITICAL, SEVERITY_CRITICAL, SEVERITY_CRITICAL, SEVERITY_CRITICAL,
    };
    bool is_one = number >= 1 && number < (int64_t)sizeof OF_NUMBER;
    return is_one ? span_of_text(NAMES[OF_NUMBER[number]]) : (Span){0};
}

static bool is_name(Span word, Span name) {
    if (word.size != name.size) return false;
    for (size_t place = 0; place < word.size; place++) {
        if ((word.at[place] | 0x20) != name.at[place]) return false;
    }
    return true;
}

bool row_set_severity(Builder *builder, Row *row, Span written) {
    Span name = severity_find(written);
    if (name.size == 0) return false;
    row->text[SEVERITY] = name;
    if (!is_name(written, name)) builder_text_member(builder, span_of_text("severity_text"), written);
    return true;
}
