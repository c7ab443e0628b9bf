/* SPDX-License-Identifier: BSD-3-Clause */
/* Types of tensors, and their values as float32. */
#include "cnn/number.h"
#include "cnn/safetensors.h"
#include "cnn/status.h"
#include <assert.h>
#include <math.h>
#include <string.h>

/* The format is little-endian, and values are copied as they are. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a big-endian machine would have to swap bytes");

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [CNN_F32] = {"F32", 4},   [CNN_F64] = {"F64", 8}, [CNN_F16] = {"F16", 2}, [CNN_BF16] = {"BF16", 2},
    [CNN_I64] = {"I64", 8},   [CNN_U64] = {"U64", 8}, [CNN_I32] = {"I32", 4}, [CNN_U32] = {"U32", 4},
    [CNN_I16] = {"I16", 2},   [CNN_U16] = {"U16", 2}, [CNN_I8] = {"I8", 1},   [CNN_U8] = {"U8", 1},
    [CNN_BOOL] = {"BOOL", 1},
};

const char *cnn_dtype_name(cnn_dtype dtype)
{
    return types[dtype].name;
}

size_t cnn_dtype_size(cnn_dtype dtype)
{
    return types[dtype].size;
}

int cnn_dtype_find(const char *name, cnn_dtype *out)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (!strcmp(name, types[i].name)) {
            *out = (cnn_dtype)i;
            return 1;
        }
    return 0;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
static float half_to_float(uint16_t half)
{
    const int exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
    const float size = exponent == 0x1f ? (fraction ? NAN : INFINITY)
                       : exponent       ? ldexpf((float)(fraction | 0x400), exponent - 25)
                                        : ldexpf((float)fraction, -24);
    return half & 0x8000 ? -size : size;
}

/* bfloat16 is the upper half of a float32. */
static float bfloat_to_float(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float value_at(const cnn_tensor *tensor, uint64_t index)
{
    const char *at = (const char *)tensor->data + index * types[tensor->dtype].size;
    float single;
    double twice;
    uint16_t half;
    switch (tensor->dtype) {
    case CNN_F64:
        memcpy(&twice, at, sizeof twice);
        return (float)twice;
    case CNN_F16:
        memcpy(&half, at, sizeof half);
        return half_to_float(half);
    case CNN_BF16:
        memcpy(&half, at, sizeof half);
        return bfloat_to_float(half);
    default:
        memcpy(&single, at, sizeof single);
        return single;
    }
}

int cnn_safetensors_floats(const cnn_safetensors *file, const cnn_tensor *tensor, int finite, float *out)
{
    if (tensor->dtype > CNN_BF16)
        return cnn_fail(CNN_BAD_FILE, "%s: tensor \"%s\" has type %s, a floating type is needed",
                        cnn_safetensors_path(file), tensor->name, types[tensor->dtype].name);
    for (uint64_t i = 0; finite && i < tensor->count; i++) {
        const float value = value_at(tensor, i);
        char text[CNN_NUMBER_SIZE];
        if (!isfinite(value))
            return cnn_fail(CNN_BAD_FILE, "%s: tensor \"%s\": value %llu is %s as a float32, not finite",
                            cnn_safetensors_path(file), tensor->name, (unsigned long long)i,
                            cnn_format_real(value, text));
    }
    if (tensor->dtype == CNN_F32 && tensor->count)
        memcpy(out, tensor->data, tensor->count * sizeof *out);
    else
        for (uint64_t i = 0; i < tensor->count; i++)
            out[i] = value_at(tensor, i);
    return CNN_OK;
}
