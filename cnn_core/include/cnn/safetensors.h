/* SPDX-License-Identifier: BSD-3-Clause */
/* The safetensors file format: 8 bytes little-endian header length, a JSON header, raw little-endian values.
 * https://github.com/huggingface/safetensors (format section of its README). */
#ifndef CNN_SAFETENSORS_H
#define CNN_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

/* Far more tensors than a network has. A hostile header near the format's own limit of 100 MB was measured to
 * take 2 GB and 8 s in the JSON library. */
#define CNN_SAFETENSORS_MAX_HEADER ((uint64_t)16 << 20)
#define CNN_SAFETENSORS_MAX_RANK   8

typedef enum cnn_dtype {
    CNN_F32,
    CNN_F64,
    CNN_F16,
    CNN_BF16,
    CNN_I64,
    CNN_U64,
    CNN_I32,
    CNN_U32,
    CNN_I16,
    CNN_U16,
    CNN_I8,
    CNN_U8,
    CNN_BOOL,
} cnn_dtype;

/* Name in the header ("F32") and bytes per element. */
const char *cnn_dtype_name(cnn_dtype dtype);
size_t cnn_dtype_size(cnn_dtype dtype);
/* 1 and *out set if `name` is that of a type, else 0. */
int cnn_dtype_find(const char *name, cnn_dtype *out);

/* One tensor. `data` is not aligned in general: copy before use. */
typedef struct cnn_tensor {
    const char *name;
    cnn_dtype dtype;
    int rank; /* 0 is a scalar */
    uint64_t shape[CNN_SAFETENSORS_MAX_RANK];
    uint64_t count;   /* product of the shape, 1 for a scalar, 0 is legal */
    const void *data; /* count * cnn_dtype_size(dtype) bytes, little-endian */
} cnn_tensor;

/* An opened file; tensors are in the order of their data. */
typedef struct cnn_safetensors cnn_safetensors;

/* Maps and checks a file completely: header length, JSON (UTF-8, no duplicate key, bounded depth), dtypes,
 * shape products, offsets; the data area must be covered fully and once. Errors: CNN_BAD_FILE, CNN_IO_FAILED,
 * CNN_NO_MEMORY; the message begins with the path and names the tensor or bytes. On error *out is untouched.
 */
int cnn_safetensors_open(const char *path, cnn_safetensors **out);
void cnn_safetensors_close(cnn_safetensors *file);

/* The path that was opened. Borrowed until close. */
const char *cnn_safetensors_path(const cnn_safetensors *file);

size_t cnn_safetensors_count(const cnn_safetensors *file);
/* Tensor number index, borrowed until close. */
const cnn_tensor *cnn_safetensors_at(const cnn_safetensors *file, size_t index);
/* The tensor called `name`, NULL if there is none. */
const cnn_tensor *cnn_safetensors_find(const cnn_safetensors *file, const char *name);
/* A string of __metadata__, NULL if there is none. Borrowed. */
const char *cnn_safetensors_metadata(const cnn_safetensors *file, const char *key);
/* Metadata entry number index: 1 and *key, *value set, or 0 past the end. */
int cnn_safetensors_metadata_at(const cnn_safetensors *file, size_t index, const char **key,
                                const char **value);

/* What a file's own checksum tells: there is none (another writer's file); header and values are those that
 * were written; they are not: the file was damaged, or edited by a writer that leaves the checksum as it
 * was. Reads the whole file. */
typedef enum cnn_checksum { CNN_CHECKSUM_NONE, CNN_CHECKSUM_RIGHT, CNN_CHECKSUM_WRONG } cnn_checksum;
cnn_checksum cnn_safetensors_checksum(const cnn_safetensors *file);

/* Converts a tensor of any floating type to float32, out [count]. CNN_BAD_FILE if it is of another type, or
 * if `finite` is set and a value is NaN or infinite (the message names path, tensor, index and value). */
int cnn_safetensors_floats(const cnn_safetensors *file, const cnn_tensor *tensor, int finite, float *out);

/* One metadata entry to write. */
typedef struct cnn_metadata {
    const char *key, *value;
} cnn_metadata;

/* Writes a file with these tensors, in this order, so that nobody ever sees a half of it: to a temporary name
 * in the same folder, synced, renamed over `path`, folder synced. The same input gives the same bytes. The
 * data starts at a multiple of 8. The first metadata entry is `crc32`, the checksum of what is written, in
 * place of one that is given: that of zlib over header and values, in which its own eight digits count as 0.
 * Errors: CNN_IO_FAILED (nothing is left behind, the old file stays),
 * CNN_BAD_ARGUMENT (duplicate or empty name, invalid UTF-8), CNN_NO_MEMORY. */
int cnn_safetensors_write(const char *path, const cnn_tensor *tensors, size_t count,
                          const cnn_metadata *metadata, size_t metadata_count);

#endif
