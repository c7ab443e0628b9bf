/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/dataset.h"
#include "cnn/status.h"
#include "scratch.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRAIN = 7, TEST = 3, SIDE = 2, CLASSES = 10 };

static bytes images_of(int count, int side)
{
    bytes file = {.size = 0};
    bytes_add_big32(&file, 2051);
    bytes_add_big32(&file, (uint32_t)count);
    bytes_add_big32(&file, (uint32_t)side);
    bytes_add_big32(&file, (uint32_t)side);
    for (int i = 0; i < count * side * side; i++)
        bytes_add(&file, &(uint8_t){(uint8_t)(i % 256)}, 1);
    return file;
}

static bytes labels_of(const uint8_t *labels, int count)
{
    bytes file = {.size = 0};
    bytes_add_big32(&file, 2049);
    bytes_add_big32(&file, (uint32_t)count);
    bytes_add(&file, labels, (size_t)count);
    return file;
}

static const uint8_t good_labels[] = {3, 1, 4, 1, 5, 9, 2};

/* FOLDER/set/<name><ending>; the path is relative to the scratch folder. */
static const char *write_part(const char *set, const char *name, const bytes *content)
{
    char relative[1024];
    snprintf(relative, sizeof relative, "%s/%s", set, name);
    return scratch_write(relative, content);
}

/* A right set in a new folder of this name; `ending` with %d for the number of dimensions. */
static const char *write_set(const char *set, const char *ending, int zipped)
{
    assert_int_equal(mkdir(scratch_path(set), 0777), 0);
    for (int part = 0; part < 4; part++) {
        static const char *const names[] = {"train-images", "train-labels", "t10k-images", "t10k-labels"};
        const int labels = part % 2, count = part < 2 ? TRAIN : TEST;
        bytes content = labels ? labels_of(good_labels, count) : images_of(count, SIDE);
        if (zipped)
            content = bytes_zipped(&content);
        char name[64] = "";
        strcat(name, names[part]);
        snprintf(name + strlen(name), sizeof name - strlen(name), ending, labels ? 1 : 3);
        write_part(set, name, &content);
    }
    return scratch_path(set);
}

static cnn_data_options options_with(uint32_t validation)
{
    return (cnn_data_options){.classes = CLASSES, .validation = validation};
}

static void assert_loads(const char *folder)
{
    const cnn_data_options options = options_with(2);
    cnn_data data;
    if (cnn_data_load(folder, &options, &data))
        fail_msg("%s", cnn_message());
    assert_int_equal(data.train.count, TRAIN - 2);
    assert_int_equal(data.validation.count, 2);
    assert_int_equal(data.test.count, TEST);
    assert_int_equal(data.train.shape.c, 1);
    assert_int_equal(data.train.shape.h, SIDE);
    assert_int_equal(data.train.shape.w, SIDE);
    assert_int_equal(data.train.classes, CLASSES);
    /* The end of the training file validates. */
    assert_int_equal(data.validation.pixels[0], (TRAIN - 2) * SIDE * SIDE);
    assert_memory_equal(data.validation.labels, good_labels + TRAIN - 2, 2);
    assert_memory_equal(data.train.labels, good_labels, TRAIN - 2);
    assert_memory_equal(data.test.labels, good_labels, TEST);
    cnn_data_free(&data);
}

static void test_all_spellings(void **state)
{
    (void)state;
    assert_loads(write_set("dash", "-idx%d-ubyte", 0));
    assert_loads(write_set("dot", ".idx%d-ubyte", 0));
    assert_loads(write_set("dash gz", "-idx%d-ubyte.gz", 1));
    assert_loads(write_set("dot gz", ".idx%d-ubyte.gz", 1));
    assert_loads(write_set("gzip under a plain name", "-idx%d-ubyte", 1));
    assert_loads(write_set("plain under a .gz name", "-idx%d-ubyte.gz", 0));
    assert_loads(write_set("tëst 'x\" \n Ω", ".idx%d-ubyte", 0));
}

static void test_a_path_longer_than_a_name(void **state)
{
    (void)state;
    char name[1024] = "";
    for (int i = 0; i < 4; i++) {
        const size_t at = strlen(name);
        memset(name + at, 'a' + i, 100);
        name[at + 100] = '\0';
        if (i < 3) {
            assert_int_equal(mkdir(scratch_path(name), 0777), 0);
            strcat(name, "/");
        }
    }
    assert_loads(write_set(name, "-idx%d-ubyte", 0));
}

typedef struct notes {
    int count;
    char last[512];
} notes;

static void take_note(void *context, const char *line)
{
    notes *n = context;
    n->count++;
    snprintf(n->last, sizeof n->last, "%s", line);
}

static void test_choice_among_candidates_is_told(void **state)
{
    (void)state;
    const char *folder = write_set("both", "-idx%d-ubyte", 0);
    const bytes other = images_of(TEST, 1), labels = labels_of(good_labels, TRAIN);
    write_part("both", "t10k-images.idx3-ubyte", &other);
    notes n = {0};
    cnn_data_options options = options_with(0);
    options.note = take_note;
    options.note_context = &n;
    cnn_data data;
    assert_int_equal(cnn_data_load(folder, &options, &data), CNN_OK);
    assert_int_equal(data.test.shape.h, SIDE);
    assert_int_equal(data.validation.count, 0);
    cnn_data_free(&data);
    assert_int_equal(n.count, 1);
    assert_non_null(strstr(n.last, "/both/t10k-images-idx3-ubyte is read; 1 other file of its kind is not"));

    write_part("both", "t10k-images-idx3-ubyte.gz", &other);
    write_part("both", "train-labels.idx1-ubyte", &labels);
    assert_int_equal(cnn_data_load(folder, &options, &data), CNN_OK);
    cnn_data_free(&data);
    assert_int_equal(n.count, 3);
    assert_non_null(strstr(n.last, "t10k-images-idx3-ubyte is read; 2 other files of its kind are not"));
}

static void test_colour_images(void **state)
{
    (void)state;
    const char *folder = write_set("colour", "-idx%d-ubyte", 0);
    bytes file = {.size = 0};
    const uint32_t head[] = {2052, TEST, 3, 2, 4};
    for (int i = 0; i < 5; i++)
        bytes_add_big32(&file, head[i]);
    for (int i = 0; i < TEST * 3 * 2 * 4; i++)
        bytes_add(&file, &(uint8_t){(uint8_t)i}, 1);
    write_part("colour", "t10k-images-idx3-ubyte", &file);
    cnn_data_options options = options_with(0);
    options.test_only = 1;
    cnn_data data;
    assert_int_equal(cnn_data_load(folder, &options, &data), CNN_OK);
    assert_int_equal(data.test.shape.c, 3);
    assert_int_equal(data.test.shape.h, 2);
    assert_int_equal(data.test.shape.w, 4);
    assert_int_equal(data.train.count, 0);
    cnn_data_free(&data);

    options.test_only = 0;
    assert_failed(cnn_data_load(folder, &options, &data), CNN_BAD_FILE, folder,
                  "training images are 1x2x2, test images 3x2x4");
}

/* Fails the test unless the set, with its training labels replaced, is refused at the labels file. */
static void assert_bad_labels(const uint8_t *labels, int count, const char *words)
{
    const bytes content = labels_of(labels, count);
    const char *path = write_part("labels", "train-labels-idx1-ubyte", &content);
    const cnn_data_options options = options_with(2);
    cnn_data data = {.train.count = 77};
    assert_failed(cnn_data_load(scratch_path("labels"), &options, &data), CNN_BAD_FILE, path, words);
    assert_int_equal(data.train.count, 77);
}

static void test_labels_out_of_range(void **state)
{
    (void)state;
    write_set("labels", "-idx%d-ubyte", 0);
    assert_bad_labels((const uint8_t[]){0, 1, 2, 10, 4, 255, 6}, TRAIN,
                      "label 10 of record 3 is not in 0..9");
    assert_bad_labels((const uint8_t[]){0, 1, 2, 3, 4, 5, 255}, TRAIN,
                      "label 255 of record 6 is not in 0..9");
    assert_bad_labels((const uint8_t[]){1, 2, 3, 10, 5, 6, 7}, TRAIN,
                      "label 10 of record 3 is not in 0..9 (labels seem to count from 1)");
    assert_bad_labels((const uint8_t[]){0, 1, 2, 3, 4, 5, 10}, TRAIN, "label 10 of record 6 is not in 0..9");
    assert_null(strstr(cnn_message(), "count from 1"));
}

static void test_few_classes_present(void **state)
{
    (void)state;
    static const uint8_t sets[][TRAIN] = {{0}, {3, 7, 3, 3, 7, 7, 3}, {9, 9, 9, 9, 9, 9, 9}};
    const char *folder = write_set("few", "-idx%d-ubyte", 0);
    for (int i = 0; i < 3; i++) {
        const bytes content = labels_of(sets[i], TRAIN);
        write_part("few", "train-labels-idx1-ubyte", &content);
        const cnn_data_options options = options_with(0);
        cnn_data data;
        assert_int_equal(cnn_data_load(folder, &options, &data), CNN_OK);
        assert_memory_equal(data.train.labels, sets[i], TRAIN);
        cnn_data_free(&data);
    }
}

static void test_counts_differ(void **state)
{
    (void)state;
    const char *folder = write_set("counts", "-idx%d-ubyte", 0);
    const bytes content = labels_of(good_labels, TRAIN - 1);
    const char *path = write_part("counts", "train-labels-idx1-ubyte", &content);
    const cnn_data_options options = options_with(0);
    cnn_data data;
    assert_failed(cnn_data_load(folder, &options, &data), CNN_BAD_FILE, path,
                  "6 labels for the 7 images of ");
}

static void test_files_mixed_up(void **state)
{
    (void)state;
    const char *folder = write_set("mixed", "-idx%d-ubyte", 0);
    const cnn_data_options options = options_with(0);
    const bytes labels = labels_of(good_labels, TRAIN), images = images_of(TRAIN, SIDE);
    cnn_data data;
    const char *path = write_part("mixed", "train-images-idx3-ubyte", &labels);
    assert_failed(cnn_data_load(folder, &options, &data), CNN_BAD_FILE, path,
                  "is a labels file (1 dimension) where images belong");
    write_part("mixed", "train-images-idx3-ubyte", &images);
    path = write_part("mixed", "train-labels-idx1-ubyte", &images);
    assert_failed(cnn_data_load(folder, &options, &data), CNN_BAD_FILE, path,
                  "is an images file (3 dimensions) where labels belong");
}

static void test_no_images(void **state)
{
    (void)state;
    const char *folder = write_set("none", "-idx%d-ubyte", 0);
    const bytes none = images_of(0, SIDE);
    const char *path = write_part("none", "train-images-idx3-ubyte", &none);
    const cnn_data_options options = options_with(0);
    cnn_data data;
    assert_failed(cnn_data_load(folder, &options, &data), CNN_BAD_FILE, path, "holds no images");
}

static void test_folder_without_files(void **state)
{
    (void)state;
    const cnn_data_options options = options_with(0);
    cnn_data data;
    const char *folder = scratch_path("absent");
    assert_failed(cnn_data_load(folder, &options, &data), CNN_IO_FAILED, folder,
                  "No such file or directory (make data fetches MNIST)");
    folder = scratch_path("empty");
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_failed(cnn_data_load(folder, &options, &data), CNN_BAD_FILE, folder,
                  "has no train-images-idx3-ubyte, plain or .gz (make data fetches MNIST)");
    const bytes images = images_of(TRAIN, SIDE);
    write_part("empty", "train-images-idx3-ubyte", &images);
    assert_failed(cnn_data_load(folder, &options, &data), CNN_BAD_FILE, folder,
                  "has no train-labels-idx1-ubyte");
    folder = scratch_write("a file", &images);
    assert_failed(cnn_data_load(folder, &options, &data), CNN_BAD_FILE, folder, "is not a folder");
    folder = scratch_path("loop");
    assert_int_equal(symlink("loop", folder), 0);
    assert_failed(cnn_data_load(folder, &options, &data), CNN_IO_FAILED, folder, "symbolic links");
}

static void test_validation_takes_all(void **state)
{
    (void)state;
    const char *folder = write_set("split", "-idx%d-ubyte", 0);
    cnn_data_options options = options_with(TRAIN - 1);
    cnn_data data;
    assert_int_equal(cnn_data_load(folder, &options, &data), CNN_OK);
    assert_int_equal(data.train.count, 1);
    cnn_data_free(&data);
    for (options.validation = TRAIN; options.validation <= TRAIN + 1; options.validation++)
        assert_failed(cnn_data_load(folder, &options, &data), CNN_BAD_ARGUMENT,
                      "validation: ", "images of the 7 training images of ");
}

static void test_classes_out_of_limits(void **state)
{
    (void)state;
    static const int bad[] = {-1, 0, 257};
    for (int i = 0; i < 3; i++) {
        const cnn_data_options options = {.classes = bad[i]};
        cnn_data data;
        assert_failed(cnn_data_load("anywhere", &options, &data), CNN_BAD_ARGUMENT,
                      "classes: ", "is not in 1..256");
    }
}

static void test_gather(void **state)
{
    (void)state;
    const uint8_t pixels[] = {0, 255, 51, 1, 2, 3}, labels[] = {4, 5, 6};
    const cnn_dataset set = {
        .count = 3, .shape = {1, 1, 2}, .classes = 10, .pixels = pixels, .labels = labels};
    float images[6];
    uint8_t chosen[3];
    cnn_dataset_gather(&set, (const uint32_t[]){2, 0, 2}, 3, images, chosen);
    const float expected[] = {2 / 255.0f, 3 / 255.0f, 0, 1, 2 / 255.0f, 3 / 255.0f};
    assert_memory_equal(images, expected, sizeof expected);
    assert_memory_equal(chosen, ((const uint8_t[]){6, 4, 6}), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_spellings),
        cmocka_unit_test(test_a_path_longer_than_a_name),
        cmocka_unit_test(test_choice_among_candidates_is_told),
        cmocka_unit_test(test_colour_images),
        cmocka_unit_test(test_labels_out_of_range),
        cmocka_unit_test(test_few_classes_present),
        cmocka_unit_test(test_counts_differ),
        cmocka_unit_test(test_files_mixed_up),
        cmocka_unit_test(test_no_images),
        cmocka_unit_test(test_folder_without_files),
        cmocka_unit_test(test_validation_takes_all),
        cmocka_unit_test(test_classes_out_of_limits),
        cmocka_unit_test(test_gather),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
