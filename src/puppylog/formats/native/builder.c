#include "builder.h"

#include "scan.h"

static const uint8_t SHORT_ESCAPES[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

enum { COPY_BYTES = 32, MAX_PART = 128 }; /* parts up to this size are copied in steps of COPY_BYTES */

static inline bool reserve(Builder *builder, Bytes *bytes, size_t more) {
    if (bytes_reserve(bytes, more)) return true;
    builder->failed = true;
    return false;
}

static inline void add_bytes(Builder *builder, Bytes *bytes, const void *data, size_t size) {
    if (!reserve(builder, bytes, size)) return;
    memcpy(bytes->at + bytes->size, data, size);
    bytes->size += size;
}

static inline void add_byte(Builder *builder, Bytes *bytes, uint8_t byte) { add_bytes(builder, bytes, &byte, 1); }

/* Store a value of the current row. reserve_rows has reserved the memory. */
#define PUT(bytes, type, value) (((type *)(bytes).at)[builder->rows] = (value))

static void each_block_of(Column *column, int slot, void (*act)(Bytes *, int, void *), void *context) {
    act(&column->values, slot, context);
    act(&column->data, slot + 1, context);
    act(&column->validity, slot + 2, context);
}

void builder_each_block(Builder *builder, void (*act)(Bytes *bytes, int slot, void *context), void *context) {
    Bytes *single[] = {&builder->starts,        &builder->ts_us,   &builder->is_local, &builder->rejected_starts,
                       &builder->rejected_ends, &builder->reasons, &builder->scratch};
    int slot = 0;
    for (; slot < (int)(sizeof single / sizeof *single); slot++) act(single[slot], slot, context);
    for (int text = 0; text < TEXTS; text++, slot += 3) each_block_of(&builder->texts[text], slot, act, context);
    each_block_of(&builder->status, slot, act, context);
    each_block_of(&builder->bytes, slot + 3, act, context);
    each_block_of(&builder->attributes, slot + 6, act, context);
}

static void reuse(Bytes *bytes, int slot, void *kept) { *bytes = memory_reuse(kept, slot); }

/* Write the first offset of a column of texts. */
static void begin_texts(Builder *builder, Column *column) {
    if (reserve(builder, &column->values, sizeof(int32_t))) *(int32_t *)column->values.at = 0;
}

void builder_begin(Builder *builder, const void *text, size_t size, Kept *kept) {
    *builder = (Builder){.text = text, .end = (const uint8_t *)text + size};
    builder_each_block(builder, reuse, kept);
    for (int column = 0; column < TEXTS; column++) begin_texts(builder, &builder->texts[column]);
    begin_texts(builder, &builder->attributes);
}

static void reserve_column(Builder *builder, Column *column, size_t capacity, size_t size) {
    reserve(builder, &column->values, (capacity + 1) * size);
    if (!reserve(builder, &column->validity, capacity)) return;
    memset(column->validity.at + builder->rows, 1, capacity - builder->rows);
}

/* Reserve memory for more rows. finish() in module.c sets the sizes of blocks with one value for each row. */
static bool reserve_rows(Builder *builder) {
    size_t capacity = builder->rows * 2 + 1024;
    reserve(builder, &builder->starts, capacity * sizeof(int64_t));
    reserve(builder, &builder->ts_us, capacity * sizeof(int64_t));
    reserve(builder, &builder->is_local, capacity);
    for (int text = 0; text < TEXTS; text++) reserve_column(builder, &builder->texts[text], capacity, sizeof(int32_t));
    reserve_column(builder, &builder->attributes, capacity, sizeof(int32_t));
    reserve_column(builder, &builder->status, capacity, sizeof(int16_t));
    reserve_column(builder, &builder->bytes, capacity, sizeof(int64_t));
    if (builder->failed) return false;
    builder->capacity = capacity;
    return true;
}

/* Write null to the rows of the column before the current one that are not written yet. A column with few values or none
 * costs nothing in the rows without a value. */
static void write_nulls(Builder *builder, Column *column) {
    int32_t *offsets = (int32_t *)column->values.at;
    for (size_t row = column->rows; row < builder->rows; row++) offsets[row + 1] = offsets[row];
    memset(column->validity.at + column->rows, 0, builder->rows - column->rows);
    column->nulls += builder->rows - column->rows;
}

/* End the text of the current row: the data of the column that was written after the last text. */
static inline void end_text(Builder *builder, Column *column) {
    if (column->rows < builder->rows) write_nulls(builder, column);
    ((int32_t *)column->values.at)[builder->rows + 1] = (int32_t)column->data.size;
    column->rows = builder->rows + 1;
}

void builder_end_texts(Builder *builder, Column *column) {
    if (column->rows > 0) write_nulls(builder, column);
    else column->nulls = builder->rows;
}

/* Append a part of the text that is read. Most are short, and calling memcpy costs more than copying too much. */
static inline void add_part(Builder *builder, Bytes *bytes, Span part) {
    bool is_within = part.at >= builder->text && part.at + part.size + COPY_BYTES <= builder->end;
    if (part.size > MAX_PART || !is_within) {
        add_bytes(builder, bytes, part.at, part.size);
        return;
    }
    if (!reserve(builder, bytes, part.size + COPY_BYTES)) return;
    uint8_t *to = bytes->at + bytes->size;
    for (size_t place = 0; place < part.size; place += COPY_BYTES) memcpy(to + place, part.at + place, COPY_BYTES);
    bytes->size += part.size;
}

static inline void add_text(Builder *builder, Column *column, Span text) {
    if (text.size == 0) return;
    add_part(builder, &column->data, text);
    end_text(builder, column);
}

static inline void add_validity(Builder *builder, Column *column, bool has_value) {
    if (has_value) return;
    PUT(column->validity, uint8_t, 0);
    column->nulls++;
}

void builder_record(Builder *builder, const uint8_t *line, const Row *row) {
    if (builder->failed) return;
    if (builder->rows == builder->capacity && !reserve_rows(builder)) return;
    PUT(builder->starts, int64_t, line - builder->text);
    PUT(builder->ts_us, int64_t, row->ts_us);
    PUT(builder->is_local, uint8_t, row->is_local);
    for (int text = 0; text < TEXTS; text++) add_text(builder, &builder->texts[text], row->text[text]);
    PUT(builder->status.values, int16_t, row->status);
    add_validity(builder, &builder->status, row->has_status);
    PUT(builder->bytes.values, int64_t, row->bytes);
    add_validity(builder, &builder->bytes, row->has_bytes);
    if (builder->members) {
        add_byte(builder, &builder->attributes.data, '}');
        end_text(builder, &builder->attributes);
        builder->members = 0;
    }
    builder->rows++;
}

void builder_reject(Builder *builder, const uint8_t *line, uint8_t reason) {
    if (builder->failed) return;
    builder_drop_members(builder);
    const uint8_t *newline = memchr(line, '\n', (size_t)(builder->end - line));
    int64_t start = line - builder->text, end = newline - builder->text;
    add_bytes(builder, &builder->rejected_starts, &start, sizeof start);
    add_bytes(builder, &builder->rejected_ends, &end, sizeof end);
    add_byte(builder, &builder->reasons, reason);
    builder->rejects++;
}

void builder_skip(Builder *builder, Span line) {
    builder->rowless++;
    if (builder->blanks_end != line.at) builder->blanks = 0;
    builder->blanks++;
    builder->blanks_end = line.at + line.size;
}

void builder_end_run(Builder *builder) {
    if (builder->run.lines >= MIN_RUN && builder->run_count < MAX_RUNS) {
        builder->runs[builder->run_count++] = builder->run;
    }
    builder->run.lines = 0;
}

/* Copy bytes up to the first one that needs an escape, or to the end; return where they end. */
static inline const uint8_t *copy_plain(const uint8_t *at, const uint8_t *end, uint8_t **to) {
    for (; end - at >= 8; at += 8, *to += 8) {
        memcpy(*to, at, 8);
        uint64_t found = special_bytes(at);
        if (found) {
            *to += lowest_bit(found) / 8;
            return at + lowest_bit(found) / 8;
        }
    }
    while (at < end && *at >= 0x20 && *at != '"' && *at != '\\') *(*to)++ = *at++;
    return at;
}

uint8_t *write_quoted(uint8_t *to, Span text) {
    const uint8_t *at = text.at, *end = at + text.size;
    *to++ = '"';
    while ((at = copy_plain(at, end, &to)) < end) {
        uint8_t byte = *at++;
        *to++ = '\\';
        if (byte >= 0x20) {
            *to++ = byte;
        } else if (byte < sizeof SHORT_ESCAPES && SHORT_ESCAPES[byte]) {
            *to++ = SHORT_ESCAPES[byte];
        } else {
            memcpy(to, "u00", 3);
            to[3] = (uint8_t)"0123456789abcdef"[byte >> 4];
            to[4] = (uint8_t)"0123456789abcdef"[byte & 15];
            to += 5;
        }
    }
    *to++ = '"';
    return to;
}

static void add_quoted(Builder *builder, Span text) {
    Bytes *data = &builder->attributes.data;
    if (!reserve(builder, data, QUOTED_SIZE(text.size))) return;
    data->size = (size_t)(write_quoted(data->at + data->size, text) - data->at);
}

/* Append a line to the message of the last record. */
static void extend_message(Builder *builder, Span line, size_t newlines) {
    Column *messages = &builder->texts[MESSAGE];
    builder->rows--; /* the last record is the current one again */
    bool is_null = messages->rows <= builder->rows;
    for (; newlines > 0 && !is_null; newlines--) add_byte(builder, &messages->data, '\n');
    add_part(builder, &messages->data, line);
    end_text(builder, messages);
    builder->rows++;
}

/* Begin to join a line: if a row was added after the last joined line, it has one line so far. */
static void begin_join(Builder *builder) {
    builder_drop_members(builder);
    if (builder->rows + builder->rejects == builder->joined_to) return;
    builder_end_run(builder);
    builder->record_lines = 1;
}

/* Return the offset of the last record, or -1; of the last rejected line if that was later, and set `is_rejected`. */
static int64_t find_last_row(const Builder *builder, bool *is_rejected) {
    int64_t rejected = builder->rejects ? ((int64_t *)builder->rejected_starts.at)[builder->rejects - 1] : -1;
    int64_t started = builder->rows ? ((int64_t *)builder->starts.at)[builder->rows - 1] : -1;
    *is_rejected = rejected > started;
    return *is_rejected ? rejected : started;
}

/* Return whether a row that begins at the offset `start` can get the line. */
static bool has_space(const Builder *builder, int64_t start, Span line) {
    return start >= 0 && builder->record_lines < MAX_RECORD_LINES && line.at - builder->text - start < MAX_RECORD_BYTES;
}

static void count_joined(Builder *builder, size_t blanks) {
    builder->rowless -= blanks;
    builder->joined += blanks + 1;
    builder->record_lines += blanks + 1;
}

void builder_continue(Builder *builder, Span line) {
    if (builder->failed) return;
    begin_join(builder);
    if (builder->run.lines == 0) builder->run.start = (size_t)(line.at - builder->text);
    builder->run.lines++;
    bool is_rejected;
    int64_t start = find_last_row(builder, &is_rejected);
    if (!has_space(builder, start, line)) {
        builder_record(builder, line.at, &(Row){.ts_us = NO_TIME, .text[MESSAGE] = line});
        builder->orphans++;
        builder->record_lines = 1;
    } else {
        size_t blanks = builder->blanks_end == line.at ? builder->blanks : 0;
        if (is_rejected) {
            const uint8_t *end = line.at + line.size;
            ((int64_t *)builder->rejected_ends.at)[builder->rejects - 1] = end + (*end == '\r') - builder->text;
        } else {
            extend_message(builder, line, blanks + 1);
        }
        count_joined(builder, blanks);
    }
    builder->joined_to = builder->rows + builder->rejects;
}

bool builder_append(Builder *builder, Span line, Span text, bool is_line) {
    if (builder->failed) return true;
    begin_join(builder);
    bool is_rejected;
    int64_t start = find_last_row(builder, &is_rejected);
    if (is_rejected || !has_space(builder, start, line)) return false;
    if (text.size) extend_message(builder, text, is_line);
    count_joined(builder, 0);
    builder->joined_to = builder->rows + builder->rejects;
    return true;
}

bool builder_join_member(Builder *builder, Span line, Span key, Span value) {
    if (builder->failed) return true;
    begin_join(builder);
    bool is_rejected;
    int64_t start = find_last_row(builder, &is_rejected);
    if (is_rejected || !has_space(builder, start, line)) return false;
    Column *attributes = &builder->attributes;
    Bytes *data = &attributes->data;
    size_t blanks = key.size == 0 && builder->blanks_end == line.at ? builder->blanks : 0;
    builder->rows--; /* the last record is the current one again */
    bool is_null = attributes->rows <= builder->rows;
    if (key.size) {
        if (!is_null) data->size--;
        add_bytes(builder, data, is_null ? "{" : ", ", is_null ? 1 : 2);
        add_quoted(builder, key);
        add_bytes(builder, data, ": ", 2);
        add_quoted(builder, value);
    } else {
        data->size -= 2; /* the last quote and the brace */
        for (size_t newline = 0; newline <= blanks; newline++) add_bytes(builder, data, "\\n", 2);
        size_t quote = data->size - 1; /* add_quoted writes a quote over the n, which is restored */
        data->size--;
        add_quoted(builder, value);
        if (!builder->failed) data->at[quote] = 'n';
    }
    add_byte(builder, data, '}');
    end_text(builder, attributes);
    builder->rows++;
    count_joined(builder, blanks);
    builder->joined_to = builder->rows + builder->rejects;
    return true;
}

void builder_drop_members(Builder *builder) {
    if (builder->failed || builder->members == 0) return;
    builder->attributes.data.size = builder->members_start;
    builder->members = 0;
}

static const char INNER[] = "inner_";

enum { INNER_SIZE = sizeof INNER - 1 };

/* Remember a key of the line; return the key, or the name that a key of the record in its message gets. */
static Span watch_key(Builder *builder, Span key, uint8_t *renamed) {
    Keys *keys = &builder->keys;
    if (keys->depth > 0) return key;
    if (!keys->is_inner) {
        if (key.size <= MAX_WATCHED_KEY_LENGTH && keys->count < MAX_KEYS) keys->outer[keys->count++] = key;
        return key;
    }
    keys->has_time |= span_is(key, "time");
    for (int place = 0; place < keys->count; place++) {
        Span outer = keys->outer[place];
        if (outer.size != key.size || memcmp(outer.at, key.at, key.size) != 0) continue;
        memcpy(renamed, INNER, INNER_SIZE);
        memcpy(renamed + INNER_SIZE, key.at, key.size);
        return (Span){renamed, INNER_SIZE + key.size};
    }
    return key;
}

static void begin_member(Builder *builder, Span key) {
    uint8_t renamed[INNER_SIZE + MAX_WATCHED_KEY_LENGTH];
    if (builder->keys.is_watched) key = watch_key(builder, key, renamed);
    Bytes *data = &builder->attributes.data;
    bool is_first = builder->members == 0 || data->at[data->size - 1] == '{';
    if (builder->members == 0) {
        builder->members_start = data->size;
        add_byte(builder, data, '{');
    }
    if (!is_first) add_bytes(builder, data, ", ", 2);
    add_quoted(builder, key);
    add_bytes(builder, data, ": ", 2);
    builder->members++;
}

void builder_text_member(Builder *builder, Span key, Span value) {
    if (builder->failed) return;
    begin_member(builder, key);
    add_quoted(builder, value);
}

void builder_json_member(Builder *builder, Span key, Span json) {
    if (builder->failed) return;
    begin_member(builder, key);
    add_bytes(builder, &builder->attributes.data, json.at, json.size);
}

Mark builder_mark(const Builder *builder) {
    return (Mark){builder->attributes.data.size, builder->members, builder->keys.count};
}

Mark builder_open_member(Builder *builder, Span key) {
    Mark mark = builder_mark(builder);
    if (builder->failed) return mark;
    begin_member(builder, key);
    builder->keys.depth++;
    add_byte(builder, &builder->attributes.data, '{');
    return mark;
}

void builder_close_member(Builder *builder, Mark mark) {
    if (builder->failed) return;
    builder->keys.depth--;
    if (builder->members > mark.members + 1) {
        add_byte(builder, &builder->attributes.data, '}');
        return;
    }
    builder->attributes.data.size = mark.size;
    builder->members = mark.members;
    builder->keys.count = mark.keys;
}

void builder_return_to(Builder *builder, Mark mark) {
    if (builder->failed) return;
    builder->attributes.data.size = mark.size;
    builder->members = mark.members;
    builder->keys.has_time = false;
}

uint8_t *builder_scratch(Builder *builder, size_t size) {
    builder->scratch.size = 0;
    return reserve(builder, &builder->scratch, size) ? builder->scratch.at : NULL;
}
