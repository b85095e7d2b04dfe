/* Rewrites valid JSON so that all stores read it in the same way: see json_text.py. It is rare and need not be fast. */
#include "json_text.h"

typedef struct {
    Walk *walk;
    const uint8_t *at, *end;
    uint8_t *begin, *to; /* the rewritten text */
    uint8_t *spare;      /* memory for a key */
    int depth;
    size_t first_key[JSON_DEEPEST + 1];
} Writer;

/* Copy a string with its quotes. An escape of NUL or of half a surrogate pair becomes the escape of U+FFFD. */
static void copy_string(Writer *writer, const uint8_t *closing) {
    while (writer->at <= closing) {
        if (*writer->at != '\\' || writer->at[1] != 'u') {
            if (*writer->at == '\\') *writer->to++ = *writer->at++;
            *writer->to++ = *writer->at++;
            continue;
        }
        const uint8_t *escape_end;
        bool is_invalid = false;
        json_unit(writer->at + 1, closing, &escape_end, &is_invalid);
        const void *from = is_invalid ? (const void *)"\\ufffd" : writer->at;
        memcpy(writer->to, from, (size_t)(escape_end - writer->at));
        writer->to += escape_end - writer->at;
        writer->at = escape_end;
        writer->walk->has_invalid_escapes |= is_invalid;
    }
}

static Key *last_key(Writer *writer) { return (Key *)(writer->walk->keys.at + writer->walk->keys.size) - 1; }

static void write_key(Writer *writer, const uint8_t *closing) {
    Bytes *keys = &writer->walk->keys;
    uint32_t start = (uint32_t)(writer->to - writer->begin);
    if (keys->size > writer->first_key[writer->depth]) last_key(writer)->end = start;
    Span string = span_of(writer->at + 1, closing);
    if (string.size && memchr(string.at, '\\', string.size) != NULL) {
        const uint8_t *before = writer->at;
        uint8_t *to = writer->to;
        copy_string(writer, closing); /* only to find invalid escapes */
        writer->at = before;
        writer->to = write_quoted(to, (Span){writer->spare, json_decode(string, writer->spare)});
        writer->at = closing + 1;
    } else {
        copy_string(writer, closing);
    }
    Span text = span_of(writer->begin + start, writer->to);
    Key *key = bytes_extend(keys, sizeof *key, &writer->walk->failed);
    if (key != NULL) *key = (Key){.text = text, .start = start};
}

static void write_string(Writer *writer) {
    const uint8_t *closing = json_string_end(writer->at + 1);
    const uint8_t *next = json_skip_blanks(closing + 1, writer->end);
    if (next < writer->end && *next == ':') write_key(writer, closing);
    else copy_string(writer, closing);
}

/* Keep the last of the members with equal keys. The others become NULs, which drop_nuls removes: JSON has no NULs. */
static void close_object(Writer *writer) {
    Bytes *bytes = &writer->walk->keys;
    size_t start = writer->first_key[writer->depth];
    Key *keys = (Key *)(bytes->at + start);
    size_t count = (bytes->size - start) / sizeof(Key);
    keys_sort(keys, count);
    for (size_t place = 1; place < count; place++) {
        const Key *before = &keys[place - 1];
        if (keys_equal(before, &keys[place])) memset(writer->begin + before->start, 0, before->end - before->start);
    }
    bytes->size = start;
}

static size_t drop_nuls(uint8_t *text, size_t size) {
    size_t kept = 0;
    for (size_t place = 0; place < size; place++) {
        if (text[place]) text[kept++] = text[place];
    }
    return kept;
}

Span json_rewrite(Walk *walk, Span text, uint8_t *to) {
    Writer writer = {.walk = walk, .at = text.at, .end = text.at + text.size, .begin = to, .to = to};
    writer.spare = to + text.size;
    walk->keys.size = 0;
    while (writer.at < writer.end && !walk->failed) {
        uint8_t byte = *writer.at;
        if (byte == '"') {
            write_string(&writer);
            continue;
        }
        if (byte == '{' || byte == '[') writer.first_key[++writer.depth] = walk->keys.size;
        if (byte == '}') close_object(&writer);
        if (byte == '}' || byte == ']') writer.depth--;
        *writer.to++ = byte;
        writer.at++;
    }
    return (Span){to, drop_nuls(to, (size_t)(writer.to - to))};
}
