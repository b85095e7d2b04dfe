/* See value.h. */
#include "value.h"

enum { DEEPEST = 30 }; /* protobuf itself reads 100 messages in messages, and a value in a list takes two */

bool read_attribute(Span content, Attribute *attribute) {
    *attribute = (Attribute){0};
    bool has_key = false, has_value = false;
    Message message = message_of(content);
    Field field;
    while (next_field(&message, &field)) {
        if (field.number > 2) continue;
        bool *has = field.number == 1 ? &has_key : &has_value;
        if (field.wire != WIRE_LENGTH || *has) return false;
        *has = true;
        *(field.number == 1 ? &attribute->key : &attribute->value) = field.content;
    }
    return !message.is_damaged;
}

static Wire wire_of(Kind kind) {
    return kind == VALUE_DOUBLE ? WIRE_FIXED64 : kind == VALUE_BOOL || kind == VALUE_INT ? WIRE_VARINT : WIRE_LENGTH;
}

bool find_value(Span any, Kind *kind, Field *found) {
    *kind = VALUE_NONE;
    Message message = message_of(any);
    Field field;
    while (next_field(&message, &field)) {
        if (field.number > VALUE_BYTES) {
            if (field.number == VALUE_BYTES + 1) return false; /* an index, which only profiles have */
            continue;
        }
        if (*kind != VALUE_NONE || field.wire != wire_of((Kind)field.number)) return false;
        *kind = (Kind)field.number;
        *found = field;
    }
    return !message.is_damaged;
}

static bool write_array(Out *out, Span content, int depth) {
    Message message = message_of(content);
    Field field;
    bool is_first = true;
    out_text(out, "[");
    while (next_field(&message, &field)) {
        if (field.number != 1) continue;
        if (field.wire != WIRE_LENGTH) return false;
        if (!is_first) out_text(out, ", ");
        is_first = false;
        if (!write_any(out, field.content, depth + 1)) return false;
    }
    out_text(out, "]");
    return !message.is_damaged;
}

static bool write_map(Out *out, Span content, int depth) {
    Message message = message_of(content);
    Field field;
    bool is_first = true;
    out_text(out, "{");
    while (next_field(&message, &field)) {
        Attribute attribute;
        if (field.number != 1) continue;
        if (field.wire != WIRE_LENGTH || !read_attribute(field.content, &attribute)) return false;
        if (!is_first) out_text(out, ", ");
        is_first = false;
        out_quoted(out, attribute.key);
        out_text(out, ": ");
        if (!write_any(out, attribute.value, depth + 1)) return false;
    }
    out_text(out, "}");
    return !message.is_damaged;
}

static bool write_bits(Out *out, uint64_t bits) {
    double number;
    memcpy(&number, &bits, sizeof number);
    return out_double(out, number);
}

bool write_found(Out *out, Kind kind, const Field *field, int depth) {
    if (depth > DEEPEST) return false;
    switch (kind) {
    case VALUE_NONE: out_text(out, "null"); return true;
    case VALUE_STRING: out_quoted(out, field->content); return true;
    case VALUE_BOOL: out_text(out, field->value ? "true" : "false"); return true;
    case VALUE_INT: out_integer(out, (int64_t)field->value); return true;
    case VALUE_DOUBLE: return write_bits(out, field->value);
    case VALUE_ARRAY: return write_array(out, field->content, depth);
    case VALUE_MAP: return write_map(out, field->content, depth);
    case VALUE_BYTES: break;
    }
    out_text(out, "\"");
    out_base64(out, field->content);
    out_text(out, "\"");
    return true;
}

bool write_any(Out *out, Span any, int depth) {
    Kind kind;
    Field field;
    return find_value(any, &kind, &field) && write_found(out, kind, &field, depth);
}
