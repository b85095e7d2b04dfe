/* See wire.h. */
#include "wire.h"

enum { MAX_NUMBER = (1 << 29) - 1 };

static bool read_varint(Message *message, uint64_t *number) {
    *number = 0;
    for (int shift = 0; shift < 70 && message->at < message->end; shift += 7) {
        uint8_t byte = *message->at++;
        *number |= shift < 64 ? (uint64_t)(byte & 0x7F) << shift : 0;
        if (byte < 0x80) return true;
    }
    return false;
}

static bool read_fixed(Message *message, size_t size, uint64_t *number) {
    if ((size_t)(message->end - message->at) < size) return false;
    *number = 0;
    for (size_t place = 0; place < size; place++) *number |= (uint64_t)message->at[place] << 8 * place;
    message->at += size;
    return true;
}

static bool read_content(Message *message, Span *content) {
    uint64_t size;
    if (!read_varint(message, &size) || size > (uint64_t)(message->end - message->at)) return false;
    *content = (Span){message->at, (size_t)size};
    message->at += size;
    return true;
}

static bool read_field(Message *message, Field *field) {
    uint64_t tag;
    *field = (Field){0};
    if (!read_varint(message, &tag) || tag >> 3 == 0 || tag >> 3 > MAX_NUMBER) return false;
    field->number = (uint32_t)(tag >> 3);
    field->wire = (Wire)(tag & 7);
    switch (field->wire) {
    case WIRE_VARINT: return read_varint(message, &field->value);
    case WIRE_FIXED64: return read_fixed(message, 8, &field->value);
    case WIRE_FIXED32: return read_fixed(message, 4, &field->value);
    case WIRE_LENGTH: return read_content(message, &field->content);
    }
    return false;
}

bool next_field(Message *message, Field *field) {
    if (message->at == message->end) return false;
    if (read_field(message, field)) return true;
    message->is_damaged = true;
    return false;
}
