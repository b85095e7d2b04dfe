/* Reads syslog: lines, the messages in them, and their records. See syslog/syslog.py. */
#include "inner.h"
#include "module.h"
#include "syslog.h"

enum { HIGHEST_PRIORITY = 191, MAX_NUMBER_LENGTH = 18, MAX_SIZE_LENGTH = 9 };

static int read_message(Calendar *calendar, const uint8_t *at, const uint8_t *end, Entry *entry) {
    row_begin(&entry->row);
    entry->facility.size = entry->app.size = entry->pid.size = entry->msgid.size = entry->structured.size = 0;
    entry->is_coarse = false;
    if (at == end) return SYSLOG_NO_SYSLOG;
    if (*at != '<') return syslog_3164(calendar, at, end, false, entry);
    const uint8_t *start = ++at;
    int priority = 0;
    while (at < end && is_digit(*at) && at - start < 3) priority = priority * 10 + (*at++ - '0');
    if (at == start || at == end || *at != '>' || priority > HIGHEST_PRIORITY) return SYSLOG_PRIORITY;
    at++;
    entry->facility = span_of_text(SYSLOG_FACILITIES[priority / 8]);
    entry->row.text[SEVERITY] = span_of_text(SYSLOG_SEVERITIES[priority % 8]);
    if (begins(at, end, "1 ")) return syslog_5424(at + 2, end, entry);
    return syslog_3164(calendar, at, end, true, entry);
}

/* Return whether the text is an integer without leading zeros, which can be a number in JSON. */
static bool is_number(Span text) {
    if (text.size == 0 || text.size > MAX_NUMBER_LENGTH || (text.at[0] == '0' && text.size > 1)) return false;
    for (size_t place = 0; place < text.size; place++) {
        if (!is_digit(text.at[place])) return false;
    }
    return true;
}

static void add_text(Builder *builder, const char *key, Span value) {
    if (value.size) builder_text_member(builder, span_of_text(key), value);
}

typedef struct {
    Calendar *calendar;
    Inner inner;
} Reading;

static void add_entry(Builder *builder, Reading *reading, const uint8_t *at, Entry *entry) {
    bool is_nested = inner_is_possible(builder, entry->app, entry->row.text[MESSAGE]);
    add_text(builder, "facility", entry->facility);
    add_text(builder, "app", entry->app);
    if (is_number(entry->pid)) builder_json_member(builder, span_of_text("pid"), entry->pid);
    else add_text(builder, "pid", entry->pid);
    add_text(builder, "msgid", entry->msgid);
    syslog_structured(builder, entry->structured);
    Span message = entry->row.text[MESSAGE];
    if (is_nested) inner_read(&reading->inner, entry->app, entry->is_coarse, &entry->row);
    if (entry->row.ts_us == NO_TIME) syslog_device_time(message, &entry->row);
    builder_record(builder, at, &entry->row);
}

/* Read the size before a message; return the start of the message, or NULL if there is no size. */
static const uint8_t *read_size(const uint8_t *at, const uint8_t *end, size_t *size) {
    const uint8_t *start = at;
    *size = 0;
    while (at < end && is_digit(*at) && at - start < MAX_SIZE_LENGTH) *size = *size * 10 + (size_t)(*at++ - '0');
    if (at == start || *start == '0' || end - at < 3 || at[0] != ' ' || at[1] != '<' || !is_digit(at[2])) return NULL;
    return at + 1;
}

/* Read the messages of a line, each after its size. Add their records, unless `builder` is NULL: the first call only
 * checks the messages, because all of them must fit before a record is added. */
static int read_frames(Reading *reading, const uint8_t *at, const uint8_t *end, Builder *builder) {
    size_t size;
    const uint8_t *message = read_size(at, end, &size);
    while (message != NULL) {
        const uint8_t *message_end = (size_t)(end - message) < size ? end : message + size;
        const uint8_t *following = read_size(message_end, end, &size);
        Entry entry;
        int reason = read_message(reading->calendar, message, following != NULL ? message_end : end, &entry);
        if (reason != FITS) return reason;
        if (builder != NULL) add_entry(builder, reading, at, &entry);
        at = message_end;
        message = following;
    }
    return FITS;
}

/* Return whether journalctl writes the line between the entries, such as "-- Reboot --". */
static bool is_note(const uint8_t *at, const uint8_t *end) {
    static const char *const starts[] = {"Logs begin at", "Journal begins at", "Reboot", "No entries"};
    if (!begins(at, end, "-- ")) return false;
    at += 3;
    for (size_t place = 0; place < sizeof starts / sizeof *starts; place++) {
        if (begins(at, end, starts[place])) return true;
    }
    if (!begins(at, end, "Boot ") || end - at < 6) return false;
    return is_digit(at[5]) || (at[5] >= 'a' && at[5] <= 'f');
}

INLINED int read_line(Builder *builder, Span line, void *given) {
    Reading *reading = given;
    const uint8_t *at = line.at, *end = at + line.size;
    if (is_note(at, end)) return ROWLESS;
    size_t size;
    if (at < end && is_digit(*at) && read_size(at, end, &size) != NULL) {
        Calendar before = *reading->calendar;
        int reason = read_frames(reading, at, end, NULL);
        if (reason != FITS) return reason;
        *reading->calendar = before;
        return read_frames(reading, at, end, builder);
    }
    Entry entry;
    int reason = read_message(reading->calendar, at, end, &entry);
    if (reason == FITS) add_entry(builder, reading, at, &entry);
    return reason == SYSLOG_NO_SYSLOG && builder->joins ? CONTINUES : reason;
}

typedef struct {
    Calendar calendar;
    Span names;
} Given;

static void read_text(Builder *builder, void *given) {
    Reading reading = {.calendar = &((Given *)given)->calendar};
    inner_open(&reading.inner, builder, ((Given *)given)->names);
    read_lines(builder, read_line, NULL, &reading);
    inner_close(&reading.inner);
}

PyObject *native_syslog(PyObject *module, PyObject *arguments) {
    Py_buffer text, names;
    Given given = {.calendar = {.is_fixed = false}};
    Calendar *calendar = &given.calendar;
    int is_fixed, joins;
    if (!PyArg_ParseTuple(arguments, "y*y*iiipp", &text, &names, &calendar->year, &calendar->month, &calendar->day,
                          &is_fixed, &joins)) {
        return NULL;
    }
    calendar->is_fixed = is_fixed;
    given.names = (Span){names.buf, (size_t)names.len};
    PyObject *rows = read_records(module, &text, read_text, &given, joins);
    PyBuffer_Release(&names);
    if (rows == NULL) return NULL;
    return Py_BuildValue("(Niii)", rows, calendar->year, calendar->month, calendar->day);
}
