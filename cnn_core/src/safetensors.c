/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/safetensors.h"
#include "checksum.h"
#include "cnn/status.h"
#include "file_bytes.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char metadata_key[] = "__metadata__";

enum { LENGTH_SIZE = 8 };

/* A tensor, and the bytes [begin, end) of the data area that it takes. */
typedef struct entry {
    cnn_tensor tensor;
    uint64_t begin, end;
} entry;

struct cnn_safetensors {
    char *path;
    cnn_file_bytes file;
    json_t *header; /* owns the names and the metadata */
    uint64_t data_size;
    const uint8_t *data;
    size_t count;
    entry *entries; /* [count], in the order of their data */
};

/* ---- the header as JSON ---- */

static int read_length(const cnn_safetensors *f, uint64_t *out)
{
    if (f->file.size < LENGTH_SIZE)
        return cnn_fail(CNN_BAD_FILE,
                        "%s: %zu bytes are too few for a safetensors file, which begins with the %d of a "
                        "header length",
                        f->path, f->file.size, LENGTH_SIZE);
    uint64_t length = 0;
    for (int i = LENGTH_SIZE - 1; i >= 0; i--)
        length = length << 8 | f->file.bytes[i];
    const uint64_t rest = f->file.size - LENGTH_SIZE;
    if (length > CNN_SAFETENSORS_MAX_HEADER)
        return cnn_fail(CNN_BAD_FILE, "%s: header length %llu exceeds the limit of %llu bytes (16 MiB)",
                        f->path, (unsigned long long)length, (unsigned long long)CNN_SAFETENSORS_MAX_HEADER);
    if (length > rest)
        return cnn_fail(CNN_BAD_FILE, "%s: header length %llu exceeds the %llu bytes that follow it", f->path,
                        (unsigned long long)length, (unsigned long long)rest);
    *out = length;
    return CNN_OK;
}

static int parse_header(cnn_safetensors *f, uint64_t length)
{
    const char *text = (const char *)f->file.bytes + LENGTH_SIZE;
    if (!length || text[0] != '{')
        return cnn_fail(CNN_BAD_FILE,
                        "%s: the header (%llu bytes) is not a JSON object: it does not begin with {", f->path,
                        (unsigned long long)length);
    /* jansson refuses what is not UTF-8, and nests at most 2048 deep. */
    json_error_t error;
    f->header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (f->header)
        return CNN_OK;
    if (json_error_code(&error) == json_error_out_of_memory)
        return cnn_fail(CNN_NO_MEMORY, "%s: no memory for a header of %llu bytes", f->path,
                        (unsigned long long)length);
    return cnn_fail(CNN_BAD_FILE, "%s: the header is not valid JSON: %s (byte %d)", f->path, error.text,
                    error.position);
}

static int check_metadata(const cnn_safetensors *f)
{
    static const char *const kinds[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number",    [JSON_TRUE] = "true",      [JSON_FALSE] = "false",
        [JSON_NULL] = "null"};
    json_t *metadata = json_object_get(f->header, metadata_key), *value;
    if (metadata && !json_is_object(metadata))
        return cnn_fail(CNN_BAD_FILE, "%s: %s is not an object", f->path, metadata_key);
    const char *key;
    json_object_foreach (metadata, key, value)
        if (!json_is_string(value))
            return cnn_fail(CNN_BAD_FILE, "%s: %s entry \"%s\" is %s, it must be a string", f->path,
                            metadata_key, key, kinds[json_typeof(value)]);
    return CNN_OK;
}

/* ---- one tensor ---- */

static int bad_tensor(const cnn_safetensors *f, const entry *e, const char *what)
{
    return cnn_fail(CNN_BAD_FILE, "%s: tensor \"%s\": %s", f->path, e->tensor.name, what);
}

/* Item `index` of the array called `field` as a whole number. */
static int read_whole(const cnn_safetensors *f, const entry *e, const char *field, const json_t *array,
                      size_t index, uint64_t *out)
{
    const json_t *item = json_array_get(array, index);
    if (!json_is_integer(item))
        return cnn_fail(CNN_BAD_FILE, "%s: tensor \"%s\": %s[%zu] is not a whole number", f->path,
                        e->tensor.name, field, index);
    if (json_integer_value(item) < 0)
        return cnn_fail(CNN_BAD_FILE, "%s: tensor \"%s\": %s[%zu] is negative: %lld", f->path, e->tensor.name,
                        field, index, (long long)json_integer_value(item));
    *out = (uint64_t)json_integer_value(item);
    return CNN_OK;
}

static int read_dtype(const cnn_safetensors *f, entry *e, const json_t *description)
{
    const char *name = json_string_value(json_object_get(description, "dtype"));
    if (!name)
        return bad_tensor(f, e, "dtype is missing or not a string");
    if (!cnn_dtype_find(name, &e->tensor.dtype))
        return cnn_fail(CNN_BAD_FILE, "%s: tensor \"%s\": dtype \"%s\" is unknown", f->path, e->tensor.name,
                        name);
    return CNN_OK;
}

static int read_shape(const cnn_safetensors *f, entry *e, const json_t *description)
{
    const json_t *shape = json_object_get(description, "shape");
    if (!json_is_array(shape))
        return bad_tensor(f, e, "shape is missing or not an array");
    const size_t rank = json_array_size(shape);
    if (rank > CNN_SAFETENSORS_MAX_RANK)
        return cnn_fail(CNN_BAD_FILE, "%s: tensor \"%s\": shape has %zu dimensions, at most %d", f->path,
                        e->tensor.name, rank, CNN_SAFETENSORS_MAX_RANK);
    e->tensor.rank = (int)rank;
    e->tensor.count = 1;
    for (size_t i = 0; i < rank; i++) {
        const int status = read_whole(f, e, "shape", shape, i, &e->tensor.shape[i]);
        if (status)
            return status;
        if (__builtin_mul_overflow(e->tensor.count, e->tensor.shape[i], &e->tensor.count))
            return bad_tensor(f, e, "the product of its shape exceeds 64 bits");
    }
    return CNN_OK;
}

static int read_offsets(const cnn_safetensors *f, entry *e, const json_t *description)
{
    const json_t *offsets = json_object_get(description, "data_offsets");
    if (!json_is_array(offsets) || json_array_size(offsets) != 2)
        return bad_tensor(f, e, "data_offsets is not an array of two numbers");
    int status = read_whole(f, e, "data_offsets", offsets, 0, &e->begin);
    if (!status)
        status = read_whole(f, e, "data_offsets", offsets, 1, &e->end);
    if (status)
        return status;
    const unsigned long long begin = e->begin, end = e->end, count = e->tensor.count;
    if (begin > end)
        return cnn_fail(CNN_BAD_FILE, "%s: tensor \"%s\": data_offsets [%llu, %llu] end before they begin",
                        f->path, e->tensor.name, begin, end);
    if (end > f->data_size)
        return cnn_fail(CNN_BAD_FILE,
                        "%s: tensor \"%s\": data_offsets [%llu, %llu] exceed the %llu bytes of data", f->path,
                        e->tensor.name, begin, end, (unsigned long long)f->data_size);
    uint64_t size;
    if (__builtin_mul_overflow(e->tensor.count, cnn_dtype_size(e->tensor.dtype), &size) ||
        size != end - begin)
        return cnn_fail(CNN_BAD_FILE,
                        "%s: tensor \"%s\": %llu values of type %s do not fill the %llu bytes of its "
                        "data_offsets [%llu, %llu]",
                        f->path, e->tensor.name, count, cnn_dtype_name(e->tensor.dtype), end - begin, begin,
                        end);
    e->tensor.data = f->data + begin;
    return CNN_OK;
}

static int read_entry(const cnn_safetensors *f, const char *name, const json_t *description, entry *out)
{
    out->tensor.name = name;
    if (!json_is_object(description))
        return bad_tensor(f, out, "its description is not an object");
    int status = read_dtype(f, out, description);
    if (!status)
        status = read_shape(f, out, description);
    if (!status)
        status = read_offsets(f, out, description);
    return status;
}

/* ---- all tensors together ---- */

static int by_place(const void *left, const void *right)
{
    const entry *a = left, *b = right;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    return strcmp(a->tensor.name, b->tensor.name);
}

/* Every byte of the data area must belong to one tensor, and only to one. */
static int check_coverage(const cnn_safetensors *f)
{
    uint64_t covered = 0;
    const entry *last = NULL;
    for (size_t i = 0; i < f->count; i++) {
        const entry *e = &f->entries[i];
        if (e->begin == e->end)
            continue;
        if (e->begin < covered)
            return cnn_fail(CNN_BAD_FILE, "%s: tensors \"%s\" [%llu, %llu] and \"%s\" [%llu, %llu] overlap",
                            f->path, last->tensor.name, (unsigned long long)last->begin,
                            (unsigned long long)last->end, e->tensor.name, (unsigned long long)e->begin,
                            (unsigned long long)e->end);
        if (e->begin > covered)
            return cnn_fail(
                CNN_BAD_FILE, "%s: bytes [%llu, %llu] of the data, before tensor \"%s\", belong to no tensor",
                f->path, (unsigned long long)covered, (unsigned long long)e->begin, e->tensor.name);
        covered = e->end;
        last = e;
    }
    if (covered < f->data_size)
        return cnn_fail(CNN_BAD_FILE, "%s: %llu bytes follow the last tensor, bytes [%llu, %llu] of the data",
                        f->path, (unsigned long long)(f->data_size - covered), (unsigned long long)covered,
                        (unsigned long long)f->data_size);
    return CNN_OK;
}

static int read_entries(cnn_safetensors *f)
{
    const size_t keys = json_object_size(f->header);
    f->entries = calloc(keys ? keys : 1, sizeof *f->entries);
    if (!f->entries)
        return cnn_fail(CNN_NO_MEMORY, "%s: no memory for %zu tensors", f->path, keys);
    const char *name;
    json_t *description;
    json_object_foreach (f->header, name, description) {
        if (!strcmp(name, metadata_key))
            continue;
        const int status = read_entry(f, name, description, &f->entries[f->count]);
        if (status)
            return status;
        f->count++;
    }
    qsort(f->entries, f->count, sizeof *f->entries, by_place);
    return check_coverage(f);
}

/* ---- the interface ---- */

static int open_all(const char *path, cnn_safetensors *f)
{
    f->path = strdup(path);
    if (!f->path)
        return cnn_fail(CNN_NO_MEMORY, "%s: no memory to open it", path);
    uint64_t length = 0;
    int status = cnn_file_bytes_open(path, &f->file);
    if (!status)
        status = read_length(f, &length);
    if (!status)
        status = parse_header(f, length);
    if (status)
        return status;
    f->data = f->file.bytes + LENGTH_SIZE + length;
    f->data_size = f->file.size - LENGTH_SIZE - length;
    status = check_metadata(f);
    return status ? status : read_entries(f);
}

int cnn_safetensors_open(const char *path, cnn_safetensors **out)
{
    cnn_safetensors *file = calloc(1, sizeof *file);
    if (!file)
        return cnn_fail(CNN_NO_MEMORY, "%s: no memory to open it", path);
    const int status = open_all(path, file);
    if (status)
        cnn_safetensors_close(file);
    else
        *out = file;
    return status;
}

void cnn_safetensors_close(cnn_safetensors *file)
{
    if (!file)
        return;
    json_decref(file->header);
    cnn_file_bytes_close(&file->file);
    free(file->entries);
    free(file->path);
    free(file);
}

const char *cnn_safetensors_path(const cnn_safetensors *file)
{
    return file->path;
}

size_t cnn_safetensors_count(const cnn_safetensors *file)
{
    return file->count;
}

const cnn_tensor *cnn_safetensors_at(const cnn_safetensors *file, size_t index)
{
    return &file->entries[index].tensor;
}

const cnn_tensor *cnn_safetensors_find(const cnn_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (!strcmp(file->entries[i].tensor.name, name))
            return &file->entries[i].tensor;
    return NULL;
}

const char *cnn_safetensors_metadata(const cnn_safetensors *file, const char *key)
{
    return json_string_value(json_object_get(json_object_get(file->header, metadata_key), key));
}

int cnn_safetensors_metadata_at(const cnn_safetensors *file, size_t index, const char **key,
                                const char **value)
{
    json_t *metadata = json_object_get(file->header, metadata_key);
    void *at = json_object_iter(metadata);
    for (; at && index; index--)
        at = json_object_iter_next(metadata, at);
    if (!at)
        return 0;
    *key = json_object_iter_key(at);
    *value = json_string_value(json_object_iter_value(at));
    return 1;
}

cnn_checksum cnn_safetensors_checksum(const cnn_safetensors *file)
{
    const char *held = cnn_safetensors_metadata(file, CNN_CHECKSUM_KEY);
    if (!held)
        return CNN_CHECKSUM_NONE;
    const char *header = (const char *)file->file.bytes + LENGTH_SIZE;
    const size_t length = (size_t)((const char *)file->data - header);
    const char *digits = cnn_checksum_digits(header, length);
    if (!digits)
        return CNN_CHECKSUM_WRONG;
    char computed[CNN_CHECKSUM_DIGITS + 1];
    const uint32_t of_header = cnn_checksum_of_header(header, length, digits);
    snprintf(computed, sizeof computed, "%08x", cnn_checksum_go_on(of_header, file->data, file->data_size));
    return strcmp(held, computed) ? CNN_CHECKSUM_WRONG : CNN_CHECKSUM_RIGHT;
}
