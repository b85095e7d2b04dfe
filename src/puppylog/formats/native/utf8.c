#include "utf8.h"

/* What may follow the first byte of a character that is not ASCII. The range of the second byte excludes characters
 * that are longer than necessary, surrogates, and code points above 10FFFF. */
typedef struct {
    int more; /* the number of bytes that follow; 0 if no character starts with this byte */
    uint8_t lowest, highest;
} Following;

static inline Following following_of(uint8_t first) {
    Following following = {0, 0x80, 0xBF};
    if (first >= 0xC2 && first <= 0xDF) following.more = 1;
    else if (first >= 0xE0 && first <= 0xEF) following.more = 2;
    else if (first >= 0xF0 && first <= 0xF4) following.more = 3;
    if (first == 0xE0) following.lowest = 0xA0;
    else if (first == 0xED) following.highest = 0x9F;
    else if (first == 0xF0) following.lowest = 0x90;
    else if (first == 0xF4) following.highest = 0x8F;
    return following;
}

bool is_utf8(Span text) {
    const uint8_t *at = text.at, *end = at + text.size;
    while (at < end) {
        uint8_t first = *at++;
        if (first < 0x80) continue;
        Following following = following_of(first);
        if (following.more == 0 || end - at < following.more) return false;
        if (*at < following.lowest || *at > following.highest) return false;
        for (int place = 1; place < following.more; place++) {
            if ((at[place] & 0xC0) != 0x80) return false;
        }
        at += following.more;
    }
    return true;
}
