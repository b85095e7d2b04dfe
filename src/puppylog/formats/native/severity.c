#include "severity.h"

enum { MAX_SPELLING_LENGTH = 16 };

/* Spellings in lower case, followed by zeros, so that two of them are compared as two words of eight bytes. */
typedef struct {
    char text[MAX_SPELLING_LENGTH];
    uint8_t severity;
} Spelling;

#define AS_SPELLING(severity, text) {text, severity},

static const Spelling SPELLINGS[] = {SEVERITY_SPELLINGS(AS_SPELLING)};
#define AS_SPAN(name, text) {(const uint8_t *)text, sizeof text - 1},

static const Span NAMES[] = {SEVERITIES(AS_SPAN)};

static const int8_t SEVERITY_OF_SYSLOG[] = {
    SEVERITY_EMERGENCY, SEVERITY_ALERT,  SEVERITY_CRITICAL, SEVERITY_ERROR,
    SEVERITY_WARNING,   SEVERITY_NOTICE, SEVERITY_INFO,     SEVERITY_DEBUG,
};

/* The spellings that most lines have, of at most eight bytes; they are compared first. */
static const Spelling FREQUENT[] = {
    {"info", SEVERITY_INFO},
    {"error", SEVERITY_ERROR},
    {"warn", SEVERITY_WARNING},
    {"debug", SEVERITY_DEBUG},
};

#define LETTER(letter) (UINT32_C(1) << ((letter) - 'a'))

/* The second letters of the spellings that begin with a letter. */
static const uint32_t SECOND_LETTERS[26] = {
    ['a' - 'a'] = LETTER('l'),
    ['c' - 'a'] = LETTER('o') | LETTER('r'),
    ['d' - 'a'] = LETTER('b') | LETTER('e') | LETTER('p'),
    ['e' - 'a'] = LETTER('m') | LETTER('r'),
    ['f' - 'a'] = LETTER('a') | LETTER('i') | LETTER('t'),
    ['i' - 'a'] = LETTER('n'),
    ['l' - 'a'] = LETTER('o'),
    ['n' - 'a'] = LETTER('o') | LETTER('t'),
    ['p' - 'a'] = LETTER('a') | LETTER('n'),
    ['s' - 'a'] = LETTER('e') | LETTER('i') | LETTER('u'),
    ['t' - 'a'] = LETTER('r'),
    ['v' - 'a'] = LETTER('e') | LETTER('r'),
    ['w' - 'a'] = LETTER('a') | LETTER('r'),
};

/* Return whether a word of at least two bytes begins as a spelling does. Most words do not. */
static bool may_be_spelling(Span word) {
    uint8_t first = (uint8_t)((word.at[0] | 0x20) - 'a'), second = (uint8_t)((word.at[1] | 0x20) - 'a');
    return first < 26 && second < 26 && (SECOND_LETTERS[first] >> second & 1);
}

/* Return the number of the severity in the scale, or -1. */
static int find(Span word) {
    char lower[MAX_SPELLING_LENGTH] = {0};
    if (word.size < 2 || word.size > MAX_SPELLING_LENGTH || !may_be_spelling(word)) return -1;
    for (size_t place = 0; place < word.size; place++) {
        uint8_t byte = word.at[place];
        if (byte == 0) return -1; /* it would be equal to the zeros after a spelling */
        lower[place] = (char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
    }
    for (size_t place = 0; word.size <= 5 && place < sizeof FREQUENT / sizeof *FREQUENT; place++) {
        if (memcmp(lower, FREQUENT[place].text, 8) == 0) return FREQUENT[place].severity;
    }
    for (size_t place = 0; place < sizeof SPELLINGS / sizeof *SPELLINGS; place++) {
        if (*lower != *SPELLINGS[place].text) continue;
        if (memcmp(lower, SPELLINGS[place].text, MAX_SPELLING_LENGTH) == 0) return SPELLINGS[place].severity;
    }
    return -1;
}

Span severity_find(Span word) {
    int severity = find(word);
    return severity < 0 ? (Span){0} : NAMES[severity];
}

static bool is_equal(Span word, Span lower) {
    if (word.size != lower.size) return false;
    for (size_t place = 0; place < word.size; place++) {
        uint8_t byte = word.at[place];
        if ((byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte) != lower.at[place]) return false;
    }
    return true;
}

/* Return the value of a number of up to five digits without leading zeros; -1 for other texts. */
static int number_of(Span text) {
    int number = 0;
    if (text.size == 0 || text.size > 5 || (text.at[0] == '0' && text.size > 1)) return -1;
    for (size_t place = 0; place < text.size; place++) {
        if (text.at[place] < '0' || text.at[place] > '9') return -1;
        number = number * 10 + (text.at[place] - '0');
    }
    return number;
}

static const int8_t TENS[] = {
    SEVERITY_TRACE, SEVERITY_DEBUG, SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_CRITICAL,
};

/* Return the severity of a number of OpenTelemetry. A number between two of the scale means the lower one. */
static int of_opentelemetry(int number) {
    static const int8_t FROM_ERROR[] = {SEVERITY_ERROR, SEVERITY_CRITICAL, SEVERITY_ALERT, SEVERITY_ALERT};
    if (number < 1 || number > 24) return -1;
    if (number >= 21) return SEVERITY_CRITICAL;
    if (number >= 17) return FROM_ERROR[number - 17];
    if (number >= 13) return SEVERITY_WARNING;
    if (number >= 9) return number == 9 ? SEVERITY_INFO : SEVERITY_NOTICE;
    return number >= 5 ? SEVERITY_DEBUG : SEVERITY_TRACE;
}

static int of_number(int number, int notation) {
    static const int8_t WINDOWS[] = {SEVERITY_INFO,    SEVERITY_CRITICAL, SEVERITY_ERROR,
                                     SEVERITY_WARNING, SEVERITY_INFO,     SEVERITY_TRACE};
    static const int8_t NEXTCLOUD[] = {SEVERITY_DEBUG, SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR,
                                       SEVERITY_CRITICAL};
    if (number < 0) return -1;
    switch (notation) {
    case NOTATION_WORDS: return number >= 10 && number < 70 ? TENS[number / 10 - 1] : -1;
    case NOTATION_SYSLOG: return number < 8 ? SEVERITY_OF_SYSLOG[number] : -1;
    case NOTATION_OPENTELEMETRY: return of_opentelemetry(number);
    case NOTATION_PYTHON: return number == 0 || number > 99 ? -1 : TENS[number >= 50 ? 5 : number / 10];
    case NOTATION_LOG4J: return number % 100 == 0 && number && number <= 600 ? TENS[6 - number / 100] : -1;
    case NOTATION_LOGBACK:
        if (number == 5000) return SEVERITY_TRACE;
        return number % 10000 == 0 && number && number <= 50000 ? TENS[number / 10000] : -1;
    case NOTATION_WINDOWS: return number < 6 ? WINDOWS[number] : -1;
    case NOTATION_NEXTCLOUD: return number < 5 ? NEXTCLOUD[number] : -1;
    }
    return -1;
}

static int of_letter(uint8_t byte) {
    switch (byte | 0x20) {
    case 't':
    case 'v': return SEVERITY_TRACE;
    case 'd': return SEVERITY_DEBUG;
    case 'i': return SEVERITY_INFO;
    case 'n': return SEVERITY_NOTICE;
    case 'w': return SEVERITY_WARNING;
    case 'e': return SEVERITY_ERROR;
    case 'c':
    case 'f': return SEVERITY_CRITICAL;
    }
    return -1;
}

/* Return the severity that is written as most lines have it, in small letters; -1 for others. */
static int find_frequent(Span word) {
    if (word.size == 4 && memcmp(word.at, "info", 4) == 0) return SEVERITY_INFO;
    if (word.size == 4 && memcmp(word.at, "warn", 4) == 0) return SEVERITY_WARNING;
    if (word.size != 5) return -1;
    if (memcmp(word.at, "error", 5) == 0) return SEVERITY_ERROR;
    return memcmp(word.at, "debug", 5) == 0 ? SEVERITY_DEBUG : -1;
}

Span severity_read(Span written, int notation, Span *kept) {
    int frequent = find_frequent(written);
    if (frequent >= 0) {
        *kept = frequent == SEVERITY_WARNING ? written : (Span){0};
        return NAMES[frequent];
    }
    Span word = written;
    for (; word.size && word.at[0] == ' '; word.size--) word.at++;
    while (word.size && word.at[word.size - 1] == ' ') word.size--;
    *kept = word;
    if (notation == NOTATION_POSTGRESQL && is_equal(word, span_of_text("panic"))) return NAMES[SEVERITY_EMERGENCY];
    if (notation == NOTATION_APPLE && is_equal(word, span_of_text("default"))) return NAMES[SEVERITY_NOTICE];
    if (notation == NOTATION_APPLE && is_equal(word, span_of_text("fault"))) return NAMES[SEVERITY_CRITICAL];
    int severity = find(word);
    if (severity >= 0) {
        if (is_equal(word, NAMES[severity])) kept->size = 0;
        return NAMES[severity];
    }
    kept->size = 0;
    bool has_letters = notation == NOTATION_WORDS || notation == NOTATION_MONGODB;
    if (has_letters && word.size == 1 && (uint8_t)((word.at[0] | 0x20) - 'a') < 26) severity = of_letter(word.at[0]);
    else if (notation == NOTATION_MONGODB && word.size == 2 && word.at[0] == 'D' && word.at[1] >= '1' &&
             word.at[1] <= '5')
        severity = SEVERITY_DEBUG;
    else severity = of_number(number_of(word), notation);
    return severity < 0 ? (Span){0} : NAMES[severity];
}

bool row_set_severity(Builder *builder, Row *row, Span written) {
    Span name = severity_find(written);
    if (name.size == 0) return false;
    row->text[SEVERITY] = name;
    if (!is_equal(written, name)) builder_text_member(builder, span_of_text("severity_text"), written);
    return true;
}
