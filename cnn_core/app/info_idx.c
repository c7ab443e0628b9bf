/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/idx.h"
#include "cnn/status.h"
#include "info_parts.h"
#include <stdio.h>

int info_of_idx(const char *path, json_t **out)
{
    cnn_idx idx;
    const int status = cnn_idx_read(path, &idx);
    if (status)
        return status;
    json_t *shape = json_array();
    size_t count = 1;
    for (int i = 0; i < idx.dimensions; i++) {
        json_array_append_new(shape, json_integer(idx.extent[i]));
        count *= idx.extent[i];
    }
    unsigned char lowest = 255, highest = 0;
    for (size_t i = 0; i < count; i++) {
        lowest = idx.values[i] < lowest ? idx.values[i] : lowest;
        highest = idx.values[i] > highest ? idx.values[i] : highest;
    }
    cnn_idx_free(&idx);
    json_t *info = json_pack("{s:s, s:o}", "kind", "idx", "shape", shape);
    if (count) {
        json_object_set_new(info, "lowest", json_integer(lowest));
        json_object_set_new(info, "highest", json_integer(highest));
    }
    *out = info;
    return CNN_OK;
}

void info_print_idx(const json_t *info)
{
    size_t index;
    const json_t *extent;
    printf("IDX file of bytes, ");
    json_array_foreach(json_object_get(info, "shape"), index, extent)
        printf("%s%lld", index ? " x " : "", (long long)json_integer_value(extent));
    if (json_object_get(info, "lowest"))
        printf(", values %lld..%lld", (long long)json_integer_value(json_object_get(info, "lowest")),
               (long long)json_integer_value(json_object_get(info, "highest")));
    putchar('\n');
}
