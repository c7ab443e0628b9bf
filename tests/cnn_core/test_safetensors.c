/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/safetensors.h"
#include "cnn/status.h"
#include "scratch.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file of this header and `data_size` bytes 0, 1, 2, ... */
static bytes file_of(const char *header, size_t data_size)
{
    bytes file = {.size = 0};
    bytes_add_little64(&file, strlen(header));
    bytes_add_text(&file, header);
    for (size_t i = 0; i < data_size; i++)
        bytes_add(&file, &(uint8_t){(uint8_t)i}, 1);
    return file;
}

static void assert_bad_file(const bytes *content, const char *words)
{
    const char *path = scratch_write("bad.safetensors", content);
    cnn_safetensors *file = NULL;
    assert_failed(cnn_safetensors_open(path, &file), CNN_BAD_FILE, path, words);
    assert_null(file);
}

typedef struct bad_case {
    const char *header;
    size_t data_size;
    const char *words;
} bad_case;

static void assert_bad_cases(const bad_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const bytes content = file_of(cases[i].header, cases[i].data_size);
        assert_bad_file(&content, cases[i].words);
    }
}

#define ASSERT_BAD_CASES(cases) assert_bad_cases(cases, sizeof(cases) / sizeof(cases)[0])

static cnn_safetensors *open_good(const bytes *content)
{
    cnn_safetensors *file;
    if (cnn_safetensors_open(scratch_write("good.safetensors", content), &file))
        fail_msg("%s", cnn_message());
    return file;
}

/* ---- bad files ---- */

static void test_bad_length(void **state)
{
    (void)state;
    for (size_t size = 0; size < 8; size++) {
        bytes cut = file_of("{}", 0);
        cut.size = size;
        assert_bad_file(&cut, "bytes are too few for a safetensors file");
    }
    static const struct {
        uint64_t length;
        const char *words;
    } cases[] = {
        {0, "the header (0 bytes) is not a JSON object"},
        {1, "the header is not valid JSON"},
        {3, "header length 3 exceeds the 2 bytes that follow it"},
        {10, "header length 10 exceeds the 2 bytes that follow it"},
        {16777216, "header length 16777216 exceeds the 2 bytes that follow it"},
        {16777217, "header length 16777217 exceeds the limit of 16777216 bytes (16 MiB)"},
        {UINT64_C(1) << 63, "header length 9223372036854775808 exceeds the limit of 16777216 bytes"},
        {UINT64_MAX - 2, "header length 18446744073709551613 exceeds the limit"},
        {UINT64_MAX, "exceeds the limit"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bytes content = {.size = 0};
        bytes_add_little64(&content, cases[i].length);
        bytes_add_text(&content, "{}");
        assert_bad_file(&content, cases[i].words);
    }
}

static void test_bad_json(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {"[]", 0, "is not a JSON object"},
        {"null", 0, "is not a JSON object"},
        {" {}", 0, "is not a JSON object"},
        {"{", 0, "is not valid JSON"},
        {"{}x", 0, "is not valid JSON: end of file expected near 'x' (byte 3)"},
        {"{\"a\xff\":1}", 0, "is not valid JSON: unable to decode byte 0xff"},
        {"{\"a\\u0000b\":1}", 0, "NUL byte"},
        {"{\"a\":[]}", 0, "tensor \"a\": its description is not an object"},
        {"{\"a\":1}", 0, "tensor \"a\": its description is not an object"},
    };
    ASSERT_BAD_CASES(cases);
}

static void test_deep_nesting(void **state)
{
    (void)state;
    enum { DEPTH = 200000 };
    static const char *const units[] = {"[", "{\"a\":"};
    for (int i = 0; i < 2; i++) {
        const char *path = scratch_path("deep.safetensors");
        FILE *stream = fopen(path, "wb");
        assert_non_null(stream);
        const uint64_t length = 5 + DEPTH * strlen(units[i]);
        fwrite(&length, sizeof length, 1, stream);
        fputs("{\"a\":", stream);
        for (int j = 0; j < DEPTH; j++)
            fputs(units[i], stream);
        assert_int_equal(fclose(stream), 0);
        cnn_safetensors *file;
        assert_failed(cnn_safetensors_open(path, &file), CNN_BAD_FILE, path, "maximum parsing depth");
    }
}

#define TENSOR(name, dtype, shape, offsets)                                                                  \
    "\"" name "\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define ONE(dtype, shape, offsets) "{" TENSOR("a", dtype, shape, offsets) "}"

static void test_duplicate_keys(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {"{" TENSOR("a", "\"F32\"", "[1]", "[0,4]") "," TENSOR("a", "\"F32\"", "[1]", "[4,8]") "}", 8,
         "duplicate object key near '\"a\"'"},
        {"{" TENSOR("a", "\"F32\"", "[1]", "[0,4]") "," TENSOR("\\u0061", "\"F32\"", "[1]", "[4,8]") "}", 8,
         "duplicate object key near '\"\\u0061\"'"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "duplicate object key near '\"dtype\"'"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "duplicate object key near '\"__metadata__\"'"},
    };
    ASSERT_BAD_CASES(cases);
}

static void test_bad_dtype(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {ONE("\"F33\"", "[1]", "[0,4]"), 4, "tensor \"a\": dtype \"F33\" is unknown"},
        {ONE("\"f32\"", "[1]", "[0,4]"), 4, "dtype \"f32\" is unknown"},
        {ONE("4", "[1]", "[0,4]"), 4, "dtype is missing or not a string"},
        {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype is missing"},
    };
    ASSERT_BAD_CASES(cases);
}

static void test_bad_shape(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {ONE("\"F32\"", "[8589934592,8589934592]", "[0,4]"), 4, "the product of its shape exceeds 64 bits"},
        {ONE("\"F32\"", "[4611686018427387904]", "[0,4]"), 4,
         "4611686018427387904 values of type F32 do not fill"},
        {ONE("\"F32\"", "[4611686018427387904]", "[0,0]"), 0, "do not fill the 0 bytes"},
        {ONE("\"F32\"", "[-1]", "[0,4]"), 4, "tensor \"a\": shape[0] is negative: -1"},
        {ONE("\"F32\"", "[1,[1]]", "[0,4]"), 4, "shape[1] is not a whole number"},
        {ONE("\"F32\"", "[1.0]", "[0,4]"), 4, "shape[0] is not a whole number"},
        {ONE("\"F32\"", "[\"1\"]", "[0,4]"), 4, "shape[0] is not a whole number"},
        {ONE("\"F32\"", "[true]", "[0,4]"), 4, "shape[0] is not a whole number"},
        {ONE("\"F32\"", "1", "[0,4]"), 4, "shape is missing or not an array"},
        {ONE("\"F32\"", "[18446744073709551616]", "[0,4]"), 4, "too big integer"},
        {ONE("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "shape has 9 dimensions, at most 8"},
        {ONE("\"F32\"", "[2]", "[0,4]"), 4,
         "2 values of type F32 do not fill the 4 bytes of its data_offsets [0, 4]"},
        {ONE("\"F64\"", "[1]", "[0,4]"), 4, "1 values of type F64 do not fill the 4 bytes"},
        {ONE("\"F32\"", "[]", "[0,0]"), 0, "1 values of type F32 do not fill the 0 bytes"},
    };
    ASSERT_BAD_CASES(cases);
}

static void test_bad_offsets(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {ONE("\"F32\"", "[1]", "[]"), 4, "data_offsets is not an array of two numbers"},
        {ONE("\"F32\"", "[1]", "[0]"), 4, "data_offsets is not an array of two numbers"},
        {ONE("\"F32\"", "[1]", "[0,4,4]"), 4, "data_offsets is not an array of two numbers"},
        {ONE("\"F32\"", "[1]", "\"0\""), 4, "data_offsets is not an array of two numbers"},
        {ONE("\"F32\"", "[1]", "[4,0]"), 4, "data_offsets [4, 0] end before they begin"},
        {ONE("\"F32\"", "[1]", "[-1,3]"), 4, "data_offsets[0] is negative: -1"},
        {ONE("\"F32\"", "[1]", "[0,1e30]"), 4, "data_offsets[1] is not a whole number"},
        {ONE("\"F32\"", "[1]", "[0,1e400]"), 4, "real number overflow"},
        {ONE("\"F32\"", "[1]", "[0.5,4]"), 4, "data_offsets[0] is not a whole number"},
        {ONE("\"F32\"", "[1]", "[0,\"4\"]"), 4, "data_offsets[1] is not a whole number"},
        {ONE("\"F32\"", "[1]", "[0,8]"), 4, "data_offsets [0, 8] exceed the 4 bytes of data"},
        {ONE("\"F32\"", "[1]", "[9223372036854775803,9223372036854775807]"), 4, "exceed the 4 bytes of data"},
        {ONE("\"F32\"", "[0]", "[5,5]"), 4, "data_offsets [5, 5] exceed the 4 bytes of data"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "data_offsets is not an array of two numbers"},
    };
    ASSERT_BAD_CASES(cases);
}

static void test_overlaps_holes_and_trailing_bytes(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {"{" TENSOR("a", "\"F32\"", "[2]", "[0,8]") "," TENSOR("b", "\"F32\"", "[2]", "[4,12]") "}", 12,
         "tensors \"a\" [0, 8] and \"b\" [4, 12] overlap"},
        {"{" TENSOR("b", "\"F32\"", "[1]", "[0,4]") "," TENSOR("a", "\"F32\"", "[1]", "[0,4]") "}", 4,
         "tensors \"a\" [0, 4] and \"b\" [0, 4] overlap"},
        {"{" TENSOR("a", "\"F32\"", "[1]", "[0,4]") "," TENSOR("b", "\"F32\"", "[1]", "[8,12]") "}", 12,
         "bytes [4, 8] of the data, before tensor \"b\", belong to no tensor"},
        {ONE("\"F32\"", "[1]", "[4,8]"), 8, "bytes [0, 4] of the data, before tensor \"a\""},
        {ONE("\"F32\"", "[1]", "[0,4]"), 5, "1 bytes follow the last tensor, bytes [4, 5] of the data"},
        {"{}", 3, "3 bytes follow the last tensor, bytes [0, 3] of the data"},
    };
    ASSERT_BAD_CASES(cases);
}

static void test_bad_metadata(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {"{\"__metadata__\":{\"epoch\":3}}", 0,
         "__metadata__ entry \"epoch\" is a number, it must be a string"},
        {"{\"__metadata__\":{\"x\":null}}", 0, "__metadata__ entry \"x\" is null, it must be a string"},
        {"{\"__metadata__\":{\"x\":{}}}", 0, "__metadata__ entry \"x\" is an object"},
        {"{\"__metadata__\":[]}", 0, "__metadata__ is not an object"},
        {"{\"__metadata__\":null}", 0, "__metadata__ is not an object"},
    };
    ASSERT_BAD_CASES(cases);
}

static void test_not_a_file(void **state)
{
    (void)state;
    cnn_safetensors *file;
    const char *path = scratch_path("absent");
    assert_failed(cnn_safetensors_open(path, &file), CNN_IO_FAILED, path, "No such file or directory");
    path = scratch_path("");
    assert_failed(cnn_safetensors_open(path, &file), CNN_BAD_FILE, path, "is not a regular file");
}

/* ---- odd but legal files ---- */

/* The data begins at any address: neither rounded, nor read misaligned. */
static void test_header_of_any_length(void **state)
{
    (void)state;
    char header[256] =
        "{" TENSOR("a", "\"F32\"", "[1,2]", "[8,16]") "," TENSOR("b", "\"F64\"", "[1]", "[0,8]") "}";
    for (int padding = 0; padding <= 16; padding++) {
        bytes content = file_of(header, 0);
        const double twice = 0.1;
        const float pair[] = {1.5f, -2.25f};
        bytes_add(&content, &twice, sizeof twice);
        bytes_add(&content, pair, sizeof pair);
        cnn_safetensors *file = open_good(&content);
        assert_int_equal(cnn_safetensors_count(file), 2);
        float values[2];
        assert_string_equal(cnn_safetensors_at(file, 0)->name, "b");
        assert_int_equal(cnn_safetensors_floats(file, cnn_safetensors_at(file, 0), 1, values), CNN_OK);
        assert_true(values[0] == 0.1f);
        const cnn_tensor *a = cnn_safetensors_find(file, "a");
        assert_int_equal(a->rank, 2);
        assert_int_equal(a->shape[1], 2);
        assert_int_equal(a->count, 2);
        assert_int_equal(cnn_safetensors_floats(file, a, 1, values), CNN_OK);
        assert_memory_equal(values, pair, sizeof pair);
        cnn_safetensors_close(file);
        strcat(header, " ");
    }
}

static void test_empty_things(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{}", "{\"__metadata__\":{}}", "{}      ",
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[0,3],\"data_offsets\":[0,0]}}"};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        const bytes content = file_of(headers[i], 0);
        cnn_safetensors *file = open_good(&content);
        const char *key, *value;
        assert_int_equal(cnn_safetensors_count(file), i == 3);
        assert_int_equal(cnn_safetensors_metadata_at(file, 0, &key, &value), 0);
        assert_null(cnn_safetensors_metadata(file, "format"));
        assert_null(cnn_safetensors_find(file, "y"));
        cnn_safetensors_close(file);
    }
}

static void test_zero_sized_and_scalar(void **state)
{
    (void)state;
    const bytes content =
        file_of("{" TENSOR("none", "\"F32\"", "[0,3]", "[4,4]") "," TENSOR(
                    "scalar", "\"F32\"", "[]",
                    "[0,4]") "," TENSOR("huge", "\"F32\"", "[0,9223372036854775807,9223372036854775807]",
                                        "[0,0]") "}",
                4);
    cnn_safetensors *file = open_good(&content);
    const cnn_tensor *none = cnn_safetensors_find(file, "none"),
                     *scalar = cnn_safetensors_find(file, "scalar");
    assert_int_equal(none->count, 0);
    assert_int_equal(scalar->rank, 0);
    assert_int_equal(scalar->count, 1);
    float value = 77;
    assert_int_equal(cnn_safetensors_floats(file, none, 1, &value), CNN_OK);
    assert_true(value == 77);
    assert_int_equal(cnn_safetensors_floats(file, scalar, 1, &value), CNN_OK);
    assert_memory_equal(&value, ((const uint8_t[]){0, 1, 2, 3}), 4);
    cnn_safetensors_close(file);
}

static void test_metadata(void **state)
{
    (void)state;
    const bytes content = file_of("{\"__metadata__\":{\"net\":\"conv \\u00e9\",\"b\":\"\"}}", 0);
    cnn_safetensors *file = open_good(&content);
    assert_string_equal(cnn_safetensors_metadata(file, "net"), "conv é");
    assert_string_equal(cnn_safetensors_metadata(file, "b"), "");
    const char *key, *value;
    assert_int_equal(cnn_safetensors_metadata_at(file, 1, &key, &value), 1);
    assert_string_equal(key, "b");
    assert_string_equal(value, "");
    assert_int_equal(cnn_safetensors_metadata_at(file, 2, &key, &value), 0);
    cnn_safetensors_close(file);
}

/* ---- values ---- */

static void test_types(void **state)
{
    (void)state;
    static const size_t sizes[] = {4, 8, 2, 2, 8, 8, 4, 4, 2, 2, 1, 1, 1};
    for (int i = CNN_F32; i <= CNN_BOOL; i++) {
        cnn_dtype found;
        assert_int_equal(cnn_dtype_find(cnn_dtype_name((cnn_dtype)i), &found), 1);
        assert_int_equal(found, i);
        assert_int_equal(cnn_dtype_size(found), sizes[i]);
    }
}

/* One tensor "a" of `count` values with these bits. */
static cnn_safetensors *open_values(const char *dtype, const void *values, size_t count, size_t size)
{
    char header[128];
    snprintf(header, sizeof header, ONE("\"%s\"", "[%zu]", "[0,%zu]"), dtype, count, size);
    bytes content = file_of(header, 0);
    bytes_add(&content, values, size);
    return open_good(&content);
}

static void test_half_precision(void **state)
{
    (void)state;
    static const uint16_t bits[] = {0x0000, 0x8000, 0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x03ff, 0x0400};
    static const float expected[] = {0.0f,     -0.0f,      1.0f,         -2.0f,     0x1.554p-2f,
                                     65504.0f, 0x1.0p-24f, 0x1.ff8p-15f, 0x1.0p-14f};
    float values[9];
    cnn_safetensors *file = open_values("F16", bits, 9, sizeof bits);
    assert_int_equal(cnn_safetensors_floats(file, cnn_safetensors_at(file, 0), 1, values), CNN_OK);
    assert_memory_equal(values, expected, sizeof expected);
    cnn_safetensors_close(file);

    static const uint16_t special[] = {0x7c00, 0xfc00, 0x7e01};
    file = open_values("F16", special, 3, sizeof special);
    assert_int_equal(cnn_safetensors_floats(file, cnn_safetensors_at(file, 0), 0, values), CNN_OK);
    assert_true(values[0] == INFINITY && values[1] == -INFINITY && isnan(values[2]));
    cnn_safetensors_close(file);
}

static void test_bfloat(void **state)
{
    (void)state;
    static const uint16_t bits[] = {0x3f80, 0xc040, 0x0001, 0x7f80};
    static const float expected[] = {1.0f, -3.0f, 0x1p-133f, INFINITY};
    float values[4];
    cnn_safetensors *file = open_values("BF16", bits, 4, sizeof bits);
    assert_int_equal(cnn_safetensors_floats(file, cnn_safetensors_at(file, 0), 0, values), CNN_OK);
    assert_memory_equal(values, expected, sizeof expected);
    cnn_safetensors_close(file);
}

static void assert_not_finite(const char *dtype, const void *values, size_t count, size_t size,
                              const char *words)
{
    cnn_safetensors *file = open_values(dtype, values, count, size);
    float out[8];
    assert_failed(cnn_safetensors_floats(file, cnn_safetensors_at(file, 0), 1, out), CNN_BAD_FILE,
                  cnn_safetensors_path(file), words);
    cnn_safetensors_close(file);
}

static void test_values_that_are_not_finite(void **state)
{
    (void)state;
    assert_not_finite("F32", (const float[]){1, 2, NAN, INFINITY}, 4, 16, "tensor \"a\": value 2 is nan");
    assert_not_finite("F32", (const float[]){1, -INFINITY}, 2, 8, "tensor \"a\": value 1 is -inf");
    assert_not_finite("F64", (const double[]){1e300}, 1, 8, "value 0 is inf as a float32");
    assert_not_finite("F16", (const uint16_t[]){0x7e00}, 1, 2, "value 0 is nan");
}

static void test_whole_numbers_are_no_weights(void **state)
{
    (void)state;
    assert_not_finite("I32", (const int32_t[]){1}, 1, 4,
                      "tensor \"a\" has type I32, a floating type is needed");
}

/* ---- writing ---- */

static const float some[] = {1, 2, 3, 4, 5, 6};
static const uint64_t state_values[] = {7, UINT64_MAX};

static const cnn_tensor good_tensors[] = {
    {.name = "z.state", .dtype = CNN_U64, .rank = 1, .shape = {2}, .count = 2, .data = state_values},
    {.name = "a \"é\"", .dtype = CNN_F32, .rank = 2, .shape = {2, 3}, .count = 6, .data = some},
    {.name = "none", .dtype = CNN_F32, .rank = 2, .shape = {0, 3}, .count = 0, .data = NULL},
    {.name = "scalar", .dtype = CNN_F32, .rank = 0, .count = 1, .data = some},
};
static const cnn_metadata good_metadata[] = {{"format", "pt"}, {"net", "conv 2 3x3 # \"x\" \n é"}};

static void test_written_file_reads_back(void **state)
{
    (void)state;
    const char *path = scratch_path("written.safetensors");
    assert_int_equal(cnn_safetensors_write(path, good_tensors, 4, good_metadata, 2), CNN_OK);
    const bytes content = scratch_read("written.safetensors");
    uint64_t length;
    memcpy(&length, content.at, sizeof length);
    assert_int_equal(length % 8, 0);
    assert_int_equal(content.size, 8 + length + 16 + 24 + 4);

    cnn_safetensors *file = open_good(&content);
    assert_int_equal(cnn_safetensors_count(file), 4);
    for (size_t i = 0; i < 4; i++) {
        const cnn_tensor *wanted = &good_tensors[i], *got = cnn_safetensors_find(file, wanted->name);
        assert_non_null(got);
        assert_int_equal(got->dtype, wanted->dtype);
        assert_int_equal(got->rank, wanted->rank);
        assert_memory_equal(got->shape, wanted->shape, sizeof got->shape);
        assert_int_equal(got->count, wanted->count);
        if (got->count)
            assert_memory_equal(got->data, wanted->data, got->count * cnn_dtype_size(got->dtype));
    }
    assert_string_equal(cnn_safetensors_metadata(file, "net"), good_metadata[1].value);
    cnn_safetensors_close(file);
}

static void test_same_input_same_bytes(void **state)
{
    (void)state;
    assert_int_equal(cnn_safetensors_write(scratch_path("one"), good_tensors, 4, good_metadata, 2), CNN_OK);
    assert_int_equal(cnn_safetensors_write(scratch_path("two"), good_tensors, 4, good_metadata, 2), CNN_OK);
    const bytes one = scratch_read("one"), two = scratch_read("two");
    assert_int_equal(one.size, two.size);
    assert_memory_equal(one.at, two.at, one.size);
}

static void test_nothing_to_write(void **state)
{
    (void)state;
    assert_int_equal(cnn_safetensors_write(scratch_path("empty"), NULL, 0, NULL, 0), CNN_OK);
    assert_int_equal(cnn_safetensors_write(scratch_path("only metadata"), NULL, 0, good_metadata, 2), CNN_OK);
    const bytes empty = scratch_read("empty"), only = scratch_read("only metadata");
    cnn_safetensors *file = open_good(&empty);
    assert_int_equal(cnn_safetensors_count(file), 0);
    cnn_safetensors_close(file);
    file = open_good(&only);
    assert_string_equal(cnn_safetensors_metadata(file, "format"), "pt");
    cnn_safetensors_close(file);
}

/* ---- the checksum ---- */

/* CRC-32 as ISO 3309 defines it, bit by bit. */
static uint32_t crc_of(const unsigned char *at, size_t size)
{
    uint32_t rest = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        rest ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            rest = rest >> 1 ^ (rest & 1 ? 0xedb88320u : 0);
    }
    return ~rest;
}

static void test_checksum_is_that_of_the_file(void **state)
{
    (void)state;
    const cnn_metadata given[] = {{"format", "pt"}, {"crc32", "0a0a0a0a"}};
    assert_int_equal(cnn_safetensors_write(scratch_path("sum"), good_tensors, 4, given, 2), CNN_OK);
    bytes content = scratch_read("sum");
    static const char before[] = "{\"__metadata__\":{\"crc32\":\"";
    assert_memory_equal(content.at + 8, before, strlen(before));
    char *digits = (char *)content.at + 8 + strlen(before), held[9] = "", computed[9];
    memcpy(held, digits, 8);
    memcpy(digits, "00000000", 8);
    snprintf(computed, sizeof computed, "%08x", crc_of(content.at + 8, content.size - 8));
    assert_string_equal(held, computed);
}

static cnn_checksum checksum_of(const bytes *content)
{
    cnn_safetensors *file = open_good(content);
    const cnn_checksum checksum = cnn_safetensors_checksum(file);
    cnn_safetensors_close(file);
    return checksum;
}

static void test_whatever_is_damaged_shows(void **state)
{
    (void)state;
    assert_int_equal(cnn_safetensors_write(scratch_path("whole"), good_tensors, 4, good_metadata, 2), CNN_OK);
    bytes content = scratch_read("whole");
    assert_int_equal(checksum_of(&content), CNN_CHECKSUM_RIGHT);
    int damages = 0;
    for (size_t i = 8; i < content.size; i++) {
        content.at[i] ^= 1;
        cnn_safetensors *file;
        /* What makes the header no header is refused anyway; a key with another name counts for nothing. */
        if (!cnn_safetensors_open(scratch_write("damaged", &content), &file)) {
            const int has_key = cnn_safetensors_metadata(file, "crc32") != NULL;
            assert_int_equal(cnn_safetensors_checksum(file),
                             has_key ? CNN_CHECKSUM_WRONG : CNN_CHECKSUM_NONE);
            cnn_safetensors_close(file);
            damages += has_key;
        }
        content.at[i] ^= 1;
    }
    assert_true(damages > 50);
}

static void test_checksums_of_other_writers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        cnn_checksum checksum;
    } cases[] = {
        {"{}", CNN_CHECKSUM_NONE},
        {"{\"__metadata__\":{\"format\":\"pt\"}}", CNN_CHECKSUM_NONE},
        {"{\"__metadata__\":{\"crc32\":\"\"}}", CNN_CHECKSUM_WRONG},
        {"{\"__metadata__\":{\"crc32\": \"00000000\"}}", CNN_CHECKSUM_WRONG},
        {"{\"__metadata__\":{\"crc32\":\"00000000\"}}", CNN_CHECKSUM_WRONG},
        {"{\"__metadata__\":{\"x\":\"\\\"crc32\\\":\\\"\",\"crc32\":\"1\"}}", CNN_CHECKSUM_WRONG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bytes content = file_of(cases[i].header, 0);
        assert_int_equal(checksum_of(&content), cases[i].checksum);
    }
}

static void assert_not_written(const cnn_tensor *tensors, size_t count, const cnn_metadata *metadata,
                               size_t metadata_count, const char *words)
{
    const char *path = scratch_path("not written");
    assert_failed(cnn_safetensors_write(path, tensors, count, metadata, metadata_count), CNN_BAD_ARGUMENT,
                  path, words);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_names_that_cannot_be_written(void **state)
{
    (void)state;
    cnn_tensor tensors[] = {good_tensors[3], good_tensors[3]};
    assert_not_written(tensors, 2, NULL, 0, "tensor \"scalar\" is given twice");
    tensors[1].name = "";
    assert_not_written(tensors, 2, NULL, 0, "tensor with an empty name");
    tensors[1].name = "\xff";
    assert_not_written(tensors, 2, NULL, 0, "is not UTF-8");
    tensors[1].name = "__metadata__";
    assert_not_written(tensors, 2, NULL, 0, "tensor \"__metadata__\" is given twice");
    const cnn_metadata twice[] = {{"k", "1"}, {"k", "2"}}, bad[] = {{"k", "\xc3"}};
    assert_not_written(NULL, 0, twice, 2, "metadata \"k\" is given twice");
    assert_not_written(NULL, 0, bad, 1, "metadata \"k\" is not UTF-8");
}

static void test_place_that_cannot_be_written(void **state)
{
    (void)state;
    const char *path = scratch_path("no such folder/x");
    assert_failed(cnn_safetensors_write(path, good_tensors, 4, NULL, 0), CNN_IO_FAILED, path,
                  "cannot be written: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_length),
        cmocka_unit_test(test_bad_json),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_duplicate_keys),
        cmocka_unit_test(test_bad_dtype),
        cmocka_unit_test(test_bad_shape),
        cmocka_unit_test(test_bad_offsets),
        cmocka_unit_test(test_overlaps_holes_and_trailing_bytes),
        cmocka_unit_test(test_bad_metadata),
        cmocka_unit_test(test_not_a_file),
        cmocka_unit_test(test_header_of_any_length),
        cmocka_unit_test(test_empty_things),
        cmocka_unit_test(test_zero_sized_and_scalar),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_checksum_is_that_of_the_file),
        cmocka_unit_test(test_whatever_is_damaged_shows),
        cmocka_unit_test(test_checksums_of_other_writers),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_half_precision),
        cmocka_unit_test(test_bfloat),
        cmocka_unit_test(test_values_that_are_not_finite),
        cmocka_unit_test(test_whole_numbers_are_no_weights),
        cmocka_unit_test(test_written_file_reads_back),
        cmocka_unit_test(test_same_input_same_bytes),
        cmocka_unit_test(test_nothing_to_write),
        cmocka_unit_test(test_names_that_cannot_be_written),
        cmocka_unit_test(test_place_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
