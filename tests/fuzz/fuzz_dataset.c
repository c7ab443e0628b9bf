/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder of IDX files. The input: the length of the images file in two bytes, little-endian, then that
 * file, then the one of labels. */
#include "cnn/dataset.h"
#include "cnn/status.h"
#include "fuzz.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/weightscape-fuzz-XXXXXX", images_link[64], labels_link[64];

static void remove_folder(void)
{
    unlink(images_link);
    unlink(labels_link);
    rmdir(folder);
}

/* Links to the files in memory, so that the disk has nothing to do. */
static void make_folder(void)
{
    fuzz_require(mkdtemp(folder) != NULL, "a folder can be made");
    snprintf(images_link, sizeof images_link, "%s/t10k-images-idx3-ubyte", folder);
    snprintf(labels_link, sizeof labels_link, "%s/t10k-labels-idx1-ubyte", folder);
    fuzz_require(symlink(fuzz_file(0, NULL, 0), images_link) == 0 &&
                     symlink(fuzz_file(1, NULL, 0), labels_link) == 0,
                 "links can be made");
    atexit(remove_folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t length[2];
    if (!images_link[0])
        make_folder();
    fuzz_take(&data, &size, length, sizeof length);
    size_t images = (size_t)length[0] | (size_t)length[1] << 8;
    images = images < size ? images : size;
    fuzz_file(0, data, images);
    fuzz_file(1, data + images, size - images);
    const cnn_data_options options = {.classes = 10, .test_only = 1};
    cnn_data loaded;
    if (cnn_data_load(folder, &options, &loaded)) {
        fuzz_require_line(cnn_message(), folder);
        return 0;
    }
    const cnn_dataset *set = &loaded.test;
    const size_t values = cnn_shape_count(set->shape);
    float *image = malloc(values * sizeof *image);
    uint8_t label;
    for (uint32_t i = 0; i < set->count; i += 1 + set->count / 16) {
        cnn_dataset_gather(set, &i, 1, image, &label);
        fuzz_require(label < set->classes && image[values - 1] >= 0 && image[values - 1] <= 1,
                     "labels are classes and pixels are in [0, 1]");
    }
    free(image);
    cnn_data_free(&loaded);
    return 0;
}
