/* SPDX-License-Identifier: BSD-3-Clause */
/* Labelled images in memory, and a folder of IDX files split into training, validation and test. */
#ifndef CNN_DATASET_H
#define CNN_DATASET_H

#include "cnn/net.h"
#include <stdint.h>

/* A view of `count` images of 8-bit pixels and their labels; borrowed from a cnn_data. */
typedef struct cnn_dataset {
    uint32_t count;
    cnn_shape shape;       /* of one image; IDX with 3 dimensions: c = 1; with 4: count x c x h x w */
    int classes;           /* labels are in [0, classes) */
    const uint8_t *pixels; /* [count, c, h, w] */
    const uint8_t *labels; /* [count] */
} cnn_dataset;

/* A loaded folder; owns the memory of its three views. */
typedef struct cnn_data {
    cnn_dataset train, validation, test;
    void *memory[4];
} cnn_data;

/* A twelfth of the training file validates: 5,000 of MNIST's 60,000. */
#define CNN_VALIDATION_TWELFTH UINT32_MAX

/* Options of cnn_data_load. */
typedef struct cnn_data_options {
    int classes;         /* labels allowed are 0..classes-1 */
    uint32_t validation; /* how many images at the end of the training file validate; 0 is allowed, and
                            CNN_VALIDATION_TWELFTH */
    int test_only;       /* only the test files are needed; train and validation stay empty */
    /* Told in one line which file was taken when several candidates exist; may be NULL. */
    void (*note)(void *context, const char *line);
    void *note_context;
} cnn_data_options;

/* Loads train-images, train-labels, t10k-images and t10k-labels from `folder`: names with `-idx3-ubyte` or
 * `.idx3-ubyte`, with or without `.gz`; whether a file is gzip is told by its content. Everything is checked
 * before it returns: sizes, counts, label range. Errors: CNN_BAD_FILE, CNN_IO_FAILED (message names the file
 * and the field), CNN_BAD_ARGUMENT, CNN_NO_MEMORY. On error *out is untouched. Free with cnn_data_free. */
int cnn_data_load(const char *folder, const cnn_data_options *options, cnn_data *out);
void cnn_data_free(cnn_data *data);

/* Writes images `index[0..n)` of the set as floats pixel / 255 to images [n, c, h, w], and their labels. */
void cnn_dataset_gather(const cnn_dataset *set, const uint32_t *index, int n, float *images, uint8_t *labels);

#endif
