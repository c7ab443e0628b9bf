/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/idx.h"
#include "cnn/status.h"
#include "scratch.h"
#include <sys/resource.h>
#include <sys/stat.h>

enum { COUNT = 5, HEIGHT = 3, WIDTH = 4, VALUES = COUNT * HEIGHT * WIDTH };

static bytes header(uint32_t magic, uint32_t a, uint32_t b, uint32_t c)
{
    bytes file = {.size = 0};
    bytes_add_big32(&file, magic);
    bytes_add_big32(&file, a);
    bytes_add_big32(&file, b);
    bytes_add_big32(&file, c);
    return file;
}

static void add_values(bytes *file, int count)
{
    for (int i = 0; i < count; i++)
        bytes_add(file, &(uint8_t){(uint8_t)(7 * i)}, 1);
}

static bytes images(void)
{
    bytes file = header(2051, COUNT, HEIGHT, WIDTH);
    add_values(&file, VALUES);
    return file;
}

static void assert_images(const char *path)
{
    cnn_idx idx;
    if (cnn_idx_read(path, &idx))
        fail_msg("%s", cnn_message());
    const bytes expected = images();
    assert_int_equal(idx.dimensions, 3);
    assert_int_equal(idx.extent[0], COUNT);
    assert_int_equal(idx.extent[1], HEIGHT);
    assert_int_equal(idx.extent[2], WIDTH);
    assert_memory_equal(idx.values, expected.at + 16, VALUES);
    cnn_idx_free(&idx);
    assert_null(idx.values);
}

/* The content decides, whatever the name says. */
static void test_plain_and_gzip_under_any_name(void **state)
{
    (void)state;
    const bytes plain = images(), zipped = bytes_zipped(&plain);
    assert_images(scratch_write("plain", &plain));
    assert_images(scratch_write("plain.gz", &plain));
    assert_images(scratch_write("zipped.gz", &zipped));
    assert_images(scratch_write("zipped", &zipped));
}

static void test_one_and_four_dimensions(void **state)
{
    (void)state;
    bytes labels = {.size = 0};
    bytes_add_big32(&labels, 2049);
    bytes_add_big32(&labels, 3);
    add_values(&labels, 3);
    cnn_idx idx;
    assert_int_equal(cnn_idx_read(scratch_write("labels", &labels), &idx), CNN_OK);
    assert_int_equal(idx.dimensions, 1);
    assert_int_equal(idx.extent[0], 3);
    assert_int_equal(idx.values[2], 14);
    cnn_idx_free(&idx);

    bytes colour = header(2052, 2, 3, 2);
    bytes_add_big32(&colour, 2);
    add_values(&colour, 24);
    assert_int_equal(cnn_idx_read(scratch_write("colour", &colour), &idx), CNN_OK);
    assert_int_equal(idx.dimensions, 4);
    assert_int_equal(idx.extent[3], 2);
    assert_int_equal(idx.values[23], 7 * 23);
    cnn_idx_free(&idx);
}

static void test_no_images_at_all(void **state)
{
    (void)state;
    const bytes none = header(2051, 0, HEIGHT, WIDTH), zipped = bytes_zipped(&none);
    cnn_idx idx;
    assert_int_equal(cnn_idx_read(scratch_write("none", &none), &idx), CNN_OK);
    assert_int_equal(idx.extent[0], 0);
    cnn_idx_free(&idx);
    assert_int_equal(cnn_idx_read(scratch_write("none.gz", &zipped), &idx), CNN_OK);
    cnn_idx_free(&idx);
}

static void test_awkward_paths(void **state)
{
    (void)state;
    const bytes plain = images();
    assert_images(scratch_write("tëst 'x\" \n -Ω", &plain));
}

/* Fails the test unless reading `content` is refused with `words`, and nothing is touched. */
static void assert_bad(const bytes *content, const char *words)
{
    const char *path = scratch_write("bad", content);
    cnn_idx idx = {.dimensions = -7};
    assert_failed(cnn_idx_read(path, &idx), CNN_BAD_FILE, path, words);
    assert_int_equal(idx.dimensions, -7);
}

static void assert_bad_text(const char *text, const char *words)
{
    bytes content = {.size = 0};
    bytes_add_text(&content, text);
    assert_bad(&content, words);
}

/* A header, `values` values behind it, plain and gzipped. */
static void assert_bad_header(bytes file, int values, const char *words)
{
    add_values(&file, values);
    assert_bad(&file, words);
    const bytes zipped = bytes_zipped(&file);
    assert_bad(&zipped, words);
}

static void test_not_idx(void **state)
{
    (void)state;
    assert_bad_text("", "0 bytes are too few");
    assert_bad_text("abc", "3 bytes are too few");
    assert_bad_text("<!DOCTYPE html><title>404</title>", "is an HTML page, not data");
    assert_bad_text("<html>", "is an HTML page, not data");
    assert_bad_text("PK\3\4....",
                    "magic number 1347093252 is not that of an IDX file (2051 images, 2049 labels)");
    bytes page = {.size = 0};
    bytes_add_text(&page, "<!DOCTYPE html>");
    page = bytes_zipped(&page);
    assert_bad(&page, "is an HTML page, not data");
    const bytes plain = images(), once = bytes_zipped(&plain), twice = bytes_zipped(&once);
    assert_bad(&twice, "compressed with gzip twice");
}

static void test_bad_headers(void **state)
{
    (void)state;
    assert_bad_header(header(0x03080000, COUNT, HEIGHT, WIDTH), VALUES,
                      "magic number 50855936 is little-endian");
    assert_bad_header(header(0x01080000, COUNT, HEIGHT, WIDTH), VALUES, "is little-endian");
    assert_bad_header(header(0x00000d03, COUNT, HEIGHT, WIDTH), VALUES,
                      "values of type 0x0d, only unsigned bytes");
    assert_bad_header(header(0x00000800, COUNT, HEIGHT, WIDTH), VALUES, "magic number 2048 is not that");
    assert_bad_header(header(0x00000805, COUNT, HEIGHT, WIDTH), VALUES, "magic number 2053 is not that");
    assert_bad_header(header(2051, COUNT, 0, WIDTH), 0,
                      "extent of dimension 1 is 0 (magic number 2051, 5x0x4)");
    assert_bad_header(header(2051, COUNT, HEIGHT, 0), 0, "extent of dimension 2 is 0");
    assert_bad_header(
        header(2051, UINT32_MAX, UINT32_MAX, UINT32_MAX), VALUES,
        "(magic number 2051, 4294967295x4294967295x4294967295) announces more than 2^36 values");
    assert_bad_header(header(2051, COUNT, 65536, 65536), VALUES, "5x65536x65536");
    assert_bad_header(header(2051, 1u << 31, 1u << 31, 4), VALUES, "more than 2^36 values");
    assert_bad_header(header(2051, 1u << 31, 33, 1), VALUES,
                      "2147483648x33x1) announces more than 2^36 values");
    bytes cut = {.size = 0};
    bytes_add_big32(&cut, 2051);
    bytes_add_big32(&cut, COUNT);
    assert_bad(&cut, "ends within its header");
}

static void test_header_and_payload_differ(void **state)
{
    (void)state;
    assert_bad_header(header(2051, COUNT, HEIGHT, WIDTH), VALUES - 1,
                      "the header (magic number 2051, 5x3x4) announces 60 values, the file holds 59");
    assert_bad_header(header(2051, COUNT, HEIGHT, WIDTH), 0, "announces 60 values, the file holds 0");
    assert_bad_header(header(2051, COUNT, HEIGHT, WIDTH), VALUES + 1, "more values follow than its header");
    assert_bad_header(header(2051, INT32_MAX, 1, 1), VALUES,
                      "announces 2147483647 values, the file holds 60");
    assert_bad_header(header(2049, COUNT, HEIGHT, WIDTH), VALUES,
                      "more values follow than its header (magic number 2049, 5)");
}

/* A header may not make the program ask for memory that no payload backs. */
static void test_no_memory_for_empty_promises(void **state)
{
    (void)state;
    bytes file = header(2051, 1u << 31, 4, 4);
    add_values(&file, VALUES);
    const bytes zipped = bytes_zipped(&file);
    const char *path = scratch_write("promise", &zipped);
    struct rusage before, after;
    cnn_idx idx;
    getrusage(RUSAGE_SELF, &before);
    assert_int_equal(cnn_idx_read(path, &idx), CNN_BAD_FILE);
    getrusage(RUSAGE_SELF, &after);
    assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 64 << 10); /* KiB */
}

static void test_damaged_gzip(void **state)
{
    (void)state;
    const bytes plain = images(), whole = bytes_zipped(&plain);
    for (size_t size = 2; size < whole.size; size++) {
        bytes cut = whole;
        cut.size = size;
        assert_bad(&cut, "the gzip stream is cut short after ");
    }
    bytes damaged = whole;
    damaged.at[whole.size - 8] ^= 1;
    assert_bad(&damaged, "the gzip stream is damaged: incorrect data check");
    damaged = whole;
    damaged.at[whole.size - 1] ^= 1;
    assert_bad(&damaged, "the gzip stream is damaged: incorrect length check");

    bytes twice = whole;
    bytes_add(&twice, whole.at, whole.size);
    assert_bad(&twice, "a second gzip member begins at byte");
    bytes trailing = whole;
    bytes_add_text(&trailing, "xyz");
    assert_bad(&trailing, "3 bytes follow the end of the gzip stream");
}

static void test_not_a_file(void **state)
{
    (void)state;
    cnn_idx idx;
    const char *path = scratch_path("absent");
    assert_failed(cnn_idx_read(path, &idx), CNN_IO_FAILED, path, "cannot be opened: No such file");
    path = scratch_path("");
    assert_failed(cnn_idx_read(path, &idx), CNN_BAD_FILE, path, "is not a regular file");
    path = scratch_path("fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_failed(cnn_idx_read(path, &idx), CNN_BAD_FILE, path, "is not a regular file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_gzip_under_any_name),
        cmocka_unit_test(test_one_and_four_dimensions),
        cmocka_unit_test(test_no_images_at_all),
        cmocka_unit_test(test_awkward_paths),
        cmocka_unit_test(test_not_idx),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_header_and_payload_differ),
        cmocka_unit_test(test_no_memory_for_empty_promises),
        cmocka_unit_test(test_damaged_gzip),
        cmocka_unit_test(test_not_a_file),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
