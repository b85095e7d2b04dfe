#include "request.h"

#include "scan.h"

bool is_method(Span word) {
    for (size_t place = 0; place < word.size; place++) {
        uint8_t byte = word.at[place];
        if (byte >= 'A' && byte <= 'Z') continue;
        if (place == 0 || !((byte >= '0' && byte <= '9') || byte == '_' || byte == '-')) return false;
    }
    return word.size > 0;
}

void read_request(Span text, Row *row) {
    const uint8_t *start = text.at, *end = text.at + text.size;
    const uint8_t *blank = find_near(start, end, ' ');
    if (blank != NULL && is_method(span_of(start, blank))) {
        const uint8_t *proto = end;
        while (proto > blank + 1 && proto[-1] != ' ') proto--;
        bool has_proto = proto > blank + 2 && end - proto > 5 && memcmp(proto, "HTTP/", 5) == 0;
        if (has_proto || (blank + 1 < end && blank[1] == '/')) {
            row->text[METHOD] = span_of(start, blank);
            row->text[ROUTE] = span_of(blank + 1, has_proto ? proto - 1 : end);
            if (has_proto) row->text[PROTO] = span_of(proto, end);
            return;
        }
    }
    row->text[MESSAGE] = without_dash(text);
}
