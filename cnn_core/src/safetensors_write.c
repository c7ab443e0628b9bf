/* SPDX-License-Identifier: BSD-3-Clause */
#include "checksum.h"
#include "cnn/replacement.h"
#include "cnn/safetensors.h"
#include "cnn/status.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char metadata_key[] = "__metadata__";

/* Adds `value`, whose reference it takes, under a key that must be new. */
static int add(const char *path, const char *what, json_t *object, const char *key, json_t *value)
{
    int status = CNN_OK;
    if (!*key)
        status = cnn_fail(CNN_BAD_ARGUMENT, "%s: %s with an empty name cannot be written", path, what);
    else if (json_object_get(object, key))
        status = cnn_fail(CNN_BAD_ARGUMENT, "%s: %s \"%s\" is given twice", path, what, key);
    else if (!value || json_object_set(object, key, value) < 0)
        status =
            cnn_fail(CNN_BAD_ARGUMENT, "%s: %s \"%s\" is not UTF-8, or memory is exhausted", path, what, key);
    json_decref(value);
    return status;
}

static json_t *describe(const cnn_tensor *tensor, uint64_t begin)
{
    json_t *shape = json_array();
    int failed = 0;
    for (int i = 0; i < tensor->rank; i++)
        failed |= json_array_append_new(shape, json_integer((json_int_t)tensor->shape[i]));
    if (failed) {
        json_decref(shape);
        return NULL;
    }
    const uint64_t end = begin + tensor->count * cnn_dtype_size(tensor->dtype);
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", cnn_dtype_name(tensor->dtype), "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)end);
}

static int fill_header(const char *path, const cnn_tensor *tensors, size_t count,
                       const cnn_metadata *metadata, size_t metadata_count, json_t *header)
{
    json_t *texts = json_object();
    int status = add(path, "header", header, metadata_key, texts);
    if (!status)
        status = add(path, "metadata", texts, CNN_CHECKSUM_KEY, json_string(CNN_CHECKSUM_ZEROS));
    for (size_t i = 0; i < metadata_count && !status; i++)
        if (strcmp(metadata[i].key, CNN_CHECKSUM_KEY))
            status = add(path, "metadata", texts, metadata[i].key, json_string(metadata[i].value));
    uint64_t begin = 0;
    for (size_t i = 0; i < count && !status; i++) {
        status = add(path, "tensor", header, tensors[i].name, describe(&tensors[i], begin));
        begin += tensors[i].count * cnn_dtype_size(tensors[i].dtype);
    }
    return status;
}

static const char blanks[] = "       ";

/* How many blanks follow a header, so that the values begin at a multiple of 8. */
static size_t padding_of(size_t length)
{
    return (8 - length % 8) % 8;
}

/* Puts the checksum into the header. */
static void fill_checksum(char *text, const cnn_tensor *tensors, size_t count)
{
    const size_t length = strlen(text);
    const char *digits = cnn_checksum_digits(text, length);
    uint32_t checksum = cnn_checksum_of_header(text, length, digits);
    checksum = cnn_checksum_go_on(checksum, blanks, padding_of(length));
    for (size_t i = 0; i < count; i++)
        checksum = cnn_checksum_go_on(checksum, tensors[i].data,
                                      tensors[i].count * cnn_dtype_size(tensors[i].dtype));
    char filled[CNN_CHECKSUM_DIGITS + 1];
    snprintf(filled, sizeof filled, "%08x", checksum);
    memcpy(text + (digits - text), filled, CNN_CHECKSUM_DIGITS);
}

/* Header length, header, and blanks. */
static int write_header(cnn_replacement *file, const char *text)
{
    const size_t length = strlen(text), padding = padding_of(length);
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)(length + padding) >> 8 * i);
    int status = cnn_replacement_write(file, bytes, sizeof bytes);
    if (!status)
        status = cnn_replacement_write(file, text, length);
    if (!status)
        status = cnn_replacement_write(file, blanks, padding);
    return status;
}

static int write_file(const char *path, const char *header, const cnn_tensor *tensors, size_t count)
{
    cnn_replacement *file;
    int status = cnn_replacement_begin(path, &file);
    if (status)
        return status;
    status = write_header(file, header);
    for (size_t i = 0; i < count && !status; i++)
        status =
            cnn_replacement_write(file, tensors[i].data, tensors[i].count * cnn_dtype_size(tensors[i].dtype));
    if (!status)
        return cnn_replacement_commit(file);
    cnn_replacement_discard(file);
    return status;
}

int cnn_safetensors_write(const char *path, const cnn_tensor *tensors, size_t count,
                          const cnn_metadata *metadata, size_t metadata_count)
{
    json_t *header = json_object();
    if (!header)
        return cnn_fail(CNN_NO_MEMORY, "%s: no memory for a header", path);
    int status = fill_header(path, tensors, count, metadata, metadata_count, header);
    char *text = status ? NULL : json_dumps(header, JSON_COMPACT);
    if (!status && !text)
        status = cnn_fail(CNN_NO_MEMORY, "%s: no memory for a header", path);
    if (text) {
        fill_checksum(text, tensors, count);
        status = write_file(path, text, tensors, count);
    }
    free(text);
    json_decref(header);
    return status;
}
