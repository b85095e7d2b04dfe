/* Finds equal keys. Few keys are compared pair by pair, many are sorted, so that no line is slow. */
#include "fields.h"

#include <stdlib.h>

enum { FEW = 16 };

static int compare(const void *one_key, const void *other_key) {
    const Key *one = one_key, *other = other_key;
    if (one->text.size != other->text.size) return one->text.size < other->text.size ? -1 : 1;
    int order = one->text.size ? memcmp(one->text.at, other->text.at, one->text.size) : 0;
    return order ? order : (one->start > other->start) - (one->start < other->start);
}

void keys_sort(Key *keys, size_t count) {
    if (count > 1) qsort(keys, count, sizeof *keys, compare);
}

bool keys_have_duplicates(Key *keys, size_t count) {
    if (count > FEW) {
        keys_sort(keys, count);
        for (size_t place = 1; place < count; place++) {
            if (keys_equal(&keys[place - 1], &keys[place])) return true;
        }
        return false;
    }
    for (size_t place = 1; place < count; place++) {
        for (size_t before = 0; before < place; before++) {
            if (keys_equal(&keys[before], &keys[place])) return true;
        }
    }
    return false;
}
