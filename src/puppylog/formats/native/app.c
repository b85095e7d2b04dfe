/* Reads text of applications: see app.py. */
#include "app.h"
#include "cursor.h"
#include "module.h"
#include "severity.h"

enum { MAX_ITEMS = 12, MIN_LEVEL_LENGTH = 4, MAX_LEVEL_LENGTH = 7, MIN_LATE_LEVEL_LENGTH = 3, LATEST_COLON = 80 };

static bool holds(Span span, uint8_t byte) { return span.size && memchr(span.at, byte, span.size) != NULL; }

/* Return whether there is a dot within the name. */
static bool is_dotted(Span name) { return name.size > 2 && holds((Span){name.at + 1, name.size - 2}, '.'); }

/* Take names in brackets for the logger, the thread and the context. */
static void name_groups(AppReader *reader) {
    AppHead *head = &reader->head;
    Span names[MAX_GROUPS];
    int count = 0;
    for (int place = 0; place < reader->group_count; place++) {
        Span group = reader->groups[place];
        if (head->logger.size == 0 && (is_dotted(group) || has_text(group, "::"))) {
            head->logger = group;
        } else if (!is_thread(group)) {
            names[count++] = group;
        } else {
            if (head->thread.size) head->context = head->thread;
            head->thread = group;
        }
    }
    if (count && head->logger.size == 0) head->logger = names[--count];
    if (count && head->context.size == 0) head->context = names[0];
}

/* Return the end of a class with its package; NULL if there is none. */
static const uint8_t *class_end(const uint8_t *at, const uint8_t *end) {
    int parts = 0;
    for (;; parts++) {
        const uint8_t *start = at;
        while (at < end && (is_alphanumeric(*at) || *at == '_' || *at == '$')) at++;
        if (at == start || (parts == 0 && is_digit(*start))) return NULL;
        if (byte_at(at, end) != '.' || at + 1 == end || !(is_alphanumeric(at[1]) || at[1] == '_' || at[1] == '$'))
            break;
        at++;
    }
    return parts > 0 ? at : NULL;
}

/* Take the class after the message, as Kafka writes it, for the logger. */
static void cut_class(AppReader *reader) {
    AppHead *head = &reader->head;
    Span message = head->message;
    if (head->logger.size || !reader->is_time_bracketed || reader->is_level_bracketed) return;
    if (message.size < 3 || message.at[message.size - 1] != ')') return;
    const uint8_t *end = message.at + message.size - 1, *start = end - 1;
    while (start > message.at && !(start[0] == '(' && start[-1] == ' ')) start--;
    if (start == message.at || class_end(start + 1, end) != end) return;
    head->logger = span_of(start + 1, end);
    head->message = span_of(message.at, start - 1);
}

static Span level_of_code(uint8_t letter) {
    switch (letter) {
    case 'I': return span_of_text("info");
    case 'W': return span_of_text("warning");
    case 'E':
    case 'S': return span_of_text("error");
    }
    return (Span){0};
}

/* Return the level of a code of IBM, ANR1234E; empty if there is none. */
static Span read_code(Span message) {
    const uint8_t *at = message.at, *end = at + message.size;
    while (at < end && *at >= 'A' && *at <= 'Z') at++;
    if (at - message.at < 3 || at - message.at > 5) return (Span){0};
    const uint8_t *letter = digits_end(at, end, 4, 5);
    if (letter == NULL || letter == end) return (Span){0};
    bool is_code = letter + 1 == end || letter[1] == ' ' || letter[1] == ':';
    return is_code ? level_of_code(*letter) : (Span){0};
}

/* Return the level of an error of PHP, with which a message begins; empty if there is none. */
static Span read_php(Span message) {
    static const char *const LEVELS[][2] = {
        {"PHP Fatal error: ", "critical"}, {"PHP Parse error: ", "error"}, {"PHP Recoverable fatal error: ", "error"},
        {"PHP Warning: ", "warning"},      {"PHP Notice: ", "notice"},     {"PHP Deprecated: ", "notice"},
    };
    const uint8_t *end = message.at + message.size;
    if (!starts_with(message.at, end, "PHP ")) return (Span){0};
    for (size_t place = 0; place < sizeof LEVELS / sizeof *LEVELS; place++) {
        if (starts_with(message.at, end, LEVELS[place][0])) return span_of_text(LEVELS[place][1]);
    }
    return (Span){0};
}

/* Return whether a quote, an equals sign, a brace or a byte that is no ASCII is in the text: what follows may be data. */
static bool has_data(const uint8_t *at, const uint8_t *end) {
    static const bool IS_DATA[0x80] = {['"'] = true, ['\''] = true, ['='] = true, ['{'] = true, ['}'] = true};
    for (; at < end; at++) {
        if (*at >= 0x80 || IS_DATA[*at]) return true;
    }
    return false;
}

/* Return the level before a colon: in capitals behind a mark, or in parentheses; empty if there is none. */
static Span level_before(const uint8_t *start, const uint8_t *colon) {
    bool has_parentheses = colon > start && colon[-1] == ')';
    const uint8_t *word_end = colon - has_parentheses, *word = word_end;
    if (word > start && word[-1] >= '1' && word[-1] <= '5') word--;
    while (word > start && (uint8_t)((word[-1] | 0x20) - 'a') < 26) word--;
    const uint8_t *mark = word;
    if (!has_parentheses) {
        while (mark > start && mark[-1] == ' ') mark--;
        if (mark == word) return (Span){0};
    }
    if (mark == start || !is_one_of(mark[-1], has_parentheses ? "(" : ":>]")) return (Span){0};
    Span level = app_level_at(word, word_end);
    if (level.size < MIN_LATE_LEVEL_LENGTH || end_of(level) != word_end) return (Span){0};
    bool is_sure = (has_parentheses || is_capitals(level)) && !has_data(start, mark - 1);
    return is_sure ? level : (Span){0};
}

/* Return the level in a message behind a head without one; empty if there is none. */
static Span find_level(Span message) {
    Span level = read_code(message);
    if (level.size == 0) level = read_php(message);
    const uint8_t *colon = message.at, *end = end_of(message);
    const uint8_t *limit = message.size > LATEST_COLON ? message.at + LATEST_COLON : end;
    for (; level.size == 0 && (colon = find(colon, limit, ':')) != NULL; colon++) {
        if (byte_at(colon + 1, end) == ' ') level = level_before(message.at, colon);
    }
    return level;
}

static bool finish(AppReader *reader) {
    AppHead *head = &reader->head;
    bool has_level = head->level.size > 0;
    bool is_head = reader->has_time  ? has_level || reader->is_time_bracketed || reader->is_sure || !reader->is_epoch
                   : head->time.size ? has_level || reader->has_date
                                     : reader->is_level_first;
    if (!is_head) return false;
    app_skip(reader);
    head->message = span_of(reader->at, reader->end);
    if (!has_level) {
        head->level = find_level(head->message);
        return true;
    }
    if (head->logger.size == 0) head->logger = reader->word;
    else if (head->context.size == 0) head->context = reader->word;
    name_groups(reader);
    cut_class(reader);
    return true;
}

static bool read_items(AppReader reader, AppHead *head) {
    AppReader settled = {0};
    bool is_settled = false;
    for (int item = 0; item < MAX_ITEMS; item++) {
        app_skip(&reader);
        reader.settles = false;
        bool was_open = reader.closing;
        if (!app_read_item(&reader) && !app_read_name(&reader)) break;
        reader.items++;
        bool is_closed = was_open && !reader.closing;
        is_settled = reader.head.level.size > 0 || reader.settles || (is_settled && is_closed);
        if (is_settled) settled = reader;
    }
    if (settled.at == NULL || !finish(&settled)) return false;
    *head = settled.head;
    return true;
}

static AppReader reader_of(Dating *dating, Span text) {
    return (AppReader){
        .start = text.at, .at = text.at, .end = text.at + text.size, .dating = dating, .head.ts_us = NO_TIME};
}

bool app_read_head(Dating *dating, Span text, AppHead *head) {
    if (text.size == 0 || *text.at == '\t') return false;
    if (*text.at == ' ' && text.size > 1 && (text.at[1] == ' ' || text.at[1] == '\t')) return false;
    return read_items(reader_of(dating, text), head);
}

bool app_read_head_behind(Dating *dating, Span text, AppHead *head) {
    AppPrefix prefix;
    if (text.size == 0 || *text.at == '\t' || *text.at == ' ') return false;
    if (!app_find_prefix(dating, text, &prefix)) return false;
    AppReader reader = reader_of(dating, text);
    reader.at = prefix.end;
    reader.items = 1;
    reader.is_sure = true;
    if (!read_items(reader, head)) return false;
    if (head->level.size == 0) head->level = prefix.level;
    if (head->context.size && prefix.text.size) head->message = text;
    else if (head->context.size == 0) head->context = prefix.text;
    return true;
}

static void set_severity(Builder *builder, Row *row, Span level) {
    if (level.size != 1) {
        row_set_severity(builder, row, level);
        return;
    }
    static const char *const NAMES[] = {['C' - 'A'] = "critical", ['D' - 'A'] = "debug",  ['E' - 'A'] = "error",
                                        ['F' - 'A'] = "critical", ['I' - 'A'] = "info",   ['N' - 'A'] = "notice",
                                        ['T' - 'A'] = "trace",    ['W' - 'A'] = "warning"};
    row->text[SEVERITY] = span_of_text(NAMES[*level.at - 'A']);
}

void app_fill_row(Builder *builder, const AppHead *head, Row *row) {
    row->ts_us = head->ts_us;
    row->is_local = head->is_local;
    row->text[MESSAGE] = head->message;
    if (head->level.size) set_severity(builder, row, head->level);
    add_known(builder, "logger", head->logger);
    add_number(builder, "pid", head->pid);
    add_number(builder, "tid", head->tid);
    add_known(builder, "thread", head->thread);
    add_known(builder, "user", head->user);
    add_known(builder, "file", head->file);
    add_number(builder, "line", head->line);
    add_known(builder, "function", head->function);
    add_number(builder, "event_id", head->event_id);
    add_known(builder, "context", head->context);
    add_known(builder, "time", head->time);
    add_known(builder, "zone", head->zone);
    if (head->zone.size) builder->ambiguous_zones++;
}

void app_fill_time(Builder *builder, const AppHead *head, Row *row) {
    row->ts_us = head->ts_us;
    row->is_local = head->is_local;
    if (head->level.size) set_severity(builder, row, head->level);
    add_known(builder, "zone", head->zone);
    if (head->zone.size) builder->ambiguous_zones++;
}

/* Where the first record with a time has its stamp: see dating.py. */
enum { HEADS_UNKNOWN, HEADS_AT_START, HEADS_BEHIND_IDS };

typedef struct {
    Dating dating;
    int heads;
    bool waits;                /* for the first line of a message */
    const uint8_t *class_line; /* the line with the level of the class before */
} Reading;

/* Return the size of `LEVEL: ` at the start of a line; 0 if there is none. */
static size_t level_size(Span line) {
    size_t size = 0;
    while (size < line.size && line.at[size] >= 'A' && line.at[size] <= 'Z') size++;
    if (size < MIN_LEVEL_LENGTH || size > MAX_LEVEL_LENGTH || line.size - size < 2) return 0;
    bool is_level = line.at[size] == ':' && line.at[size + 1] == ' ' && severity_find((Span){line.at, size}).size;
    return is_level ? size : 0;
}

/* Return the next line of the text that is not blank, without its newline and a carriage return; empty if there is
 * none. */
static Span next_line(const Builder *builder, const uint8_t *at) {
    for (;;) {
        const uint8_t *newline = find(at, builder->end, '\n');
        if (newline == NULL || newline + 1 == builder->end) return (Span){0};
        at = newline + 1;
        const uint8_t *end = find(at, builder->end, '\n');
        if (end > at && end[-1] == '\r') end--;
        if (!is_blank_line(span_of(at, end))) return span_of(at, end);
    }
}

/* Read the class, the method and, from the next line, the level of java.util.logging. */
static void read_class(Builder *builder, Reading *reading, const uint8_t *line_end, AppHead *head) {
    if (head->level.size || head->time.size) return;
    const uint8_t *at = head->message.at, *end = at + head->message.size;
    const uint8_t *after = class_end(at, end);
    if (after == NULL || byte_at(after, end) != ' ' || after + 1 == end) return;
    for (const uint8_t *byte = after + 1; byte < end; byte++) {
        if (!is_alphanumeric(*byte) && !is_one_of(*byte, "_$<>")) return;
    }
    Span following = next_line(builder, line_end);
    size_t size = level_size(following);
    if (size == 0) return;
    head->logger = span_of(at, after);
    head->function = span_of(after + 1, end);
    head->level = (Span){following.at, size};
    head->message = (Span){0};
    reading->class_line = following.at;
}

static int read_other(Builder *builder, Reading *reading, Span line) {
    bool waits = reading->waits;
    reading->waits = false;
    if (!builder->joins) {
        builder_record(builder, line.at, &(Row){.ts_us = NO_TIME, .text[MESSAGE] = line});
        builder->orphans++;
        return FITS;
    }
    if (!waits) return CONTINUES;
    const uint8_t *at = line.at, *end = at + line.size;
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    builder_continue(builder, span_of(at, end));
    return FITS;
}

static bool read_record_head(Reading *reading, bool joins, Span line, AppHead *head) {
    int kind = HEADS_AT_START;
    if (!app_read_head(&reading->dating, line, head)) {
        if (joins && reading->heads == HEADS_AT_START) return false;
        if (!app_read_head_behind(&reading->dating, line, head)) return false;
        kind = HEADS_BEHIND_IDS;
    }
    if (head->ts_us != NO_TIME && reading->heads == HEADS_UNKNOWN) reading->heads = kind;
    return true;
}

INLINED int read_line(Builder *builder, Span line, void *given) {
    Reading *reading = given;
    AppHead head;
    if (line.at == reading->class_line) {
        size_t size = level_size(line) + 2;
        builder_continue(builder, (Span){line.at + size, line.size - size});
        return FITS;
    }
    if (!read_record_head(reading, builder->joins, line, &head)) return read_other(builder, reading, line);
    bool had_class = false;
    if (builder->joins) {
        const uint8_t *before = reading->class_line;
        read_class(builder, reading, line.at + line.size, &head);
        had_class = reading->class_line != before;
    }
    Row row;
    row_begin(&row);
    app_fill_row(builder, &head, &row);
    builder_record(builder, line.at, &row);
    reading->waits = builder->joins && head.message.size == 0 && !had_class;
    return FITS;
}

static void read_text(Builder *builder, void *reading) { read_lines(builder, read_line, NULL, reading); }

PyObject *native_app(PyObject *module, PyObject *arguments) {
    Py_buffer text;
    Reading reading = {.waits = false};
    Calendar *calendar = &reading.dating.calendar;
    int joins;
    if (!PyArg_ParseTuple(arguments, "y*iiipipi", &text, &calendar->year, &calendar->month, &calendar->day,
                          &calendar->is_fixed, &reading.dating.order, &joins, &reading.heads)) {
        return NULL;
    }
    PyObject *rows = read_records(module, &text, read_text, &reading, joins);
    if (rows == NULL) return NULL;
    return Py_BuildValue("(Niiiii)", rows, calendar->year, calendar->month, calendar->day, reading.dating.order,
                         reading.heads);
}
