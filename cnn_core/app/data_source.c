/* SPDX-License-Identifier: BSD-3-Clause */
#include "data_source.h"
#include "tell.h"
#include <zlib.h>

int data_source_load(const char *folder, int classes, uint32_t validation, int test_only, cnn_data *out)
{
    const cnn_data_options options = {
        .classes = classes, .validation = validation, .test_only = test_only, .note = tell_note};
    return cnn_data_load(folder, &options, out);
}

data_print data_source_print(const cnn_data *data)
{
    const cnn_dataset *train = &data->train;
    uLong sum = crc32_z(0, train->pixels, train->count * cnn_shape_count(train->shape));
    sum = crc32_z(sum, train->labels, train->count);
    return (data_print){train->count, data->validation.count, (uint32_t)sum};
}
