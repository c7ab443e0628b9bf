/* SPDX-License-Identifier: BSD-3-Clause */
#include "row_layout.h"
#include "rows.h"

/* A head as runs have written it since the first version. */
#define SCALARS                                                                                              \
    "[\"step\", \"<f8\", 1], [\"epoch\", \"<f8\", 1], [\"time_s\", \"<f8\", 1], [\"loss\", \"<f8\", 1], "    \
    "[\"accuracy\", \"<f8\", 1], [\"learning_rate\", \"<f8\", 1], [\"validation_loss\", \"<f8\", 1], "       \
    "[\"validation_accuracy\", \"<f8\", 1]"
#define NORMS(L)                                                                                             \
    ", [\"" L "_weight_l2\", \"<f8\", 1], [\"" L "_gradient_l2\", \"<f8\", 1], [\"" L "_distance_l2\", "     \
    "\"<f8\", 1]"
#define WALK(L)         ", [\"" L "_w0\", \"<f8\", 1], [\"" L "_w1\", \"<f8\", 1]"
#define SKETCH(L)       ", [\"" L "_sketch\", \"<f4\", 64]"
#define HEAD_OF(INSIDE) "{\"version\": 1, \"columns\": [" INSIDE "]}\n"
#define HEAD            HEAD_OF(SCALARS NORMS("conv1") NORMS("fc1") WALK("conv1") SKETCH("conv1"))

#define NO_COLUMNS "{\"version\": 1, \"columns\": [[\"step\", \"<f8\", 1]"

static ws_layers two_layers(void)
{
    static ws_layer_arrays at[2];
    strcpy(at[0].name, "conv1");
    at[0].kind = WS_CONVOLUTION;
    strcpy(at[1].name, "fc1");
    at[1].kind = WS_OTHER;
    return (ws_layers){.at = at, .count = 2};
}

static void assert_two_layers(const ws_row_layout *layout)
{
    assert_int_equal(layout->layer_count, 2);
    assert_int_equal(layout->walks, 1);
    assert_int_equal(layout->norm_columns, WS_SCALAR_COLUMNS + 6);
    assert_int_equal(layout->column_count, WS_SCALAR_COLUMNS + 8);
    assert_int_equal(layout->row_bytes, 16 * sizeof(double) + WS_SKETCH_CELLS * sizeof(float));
    assert_string_equal(layout->layers[0], "conv1");
    assert_string_equal(layout->layers[1], "fc1");
    assert_int_equal(layout->kinds[0], WS_CONVOLUTION);
    assert_int_equal(layout->kinds[1], WS_OTHER);
    assert_string_equal(layout->names[0], "step");
    assert_string_equal(layout->names[7], "validation_accuracy");
    assert_string_equal(layout->names[8], "conv1_weight_l2");
    assert_string_equal(layout->names[13], "fc1_distance_l2");
    assert_string_equal(layout->names[14], "conv1_w0");
    assert_string_equal(layout->names[15], "conv1_w1");
    assert_string_equal(layout->head, HEAD);
}

static void test_of_layers(void **state)
{
    (void)state;
    const ws_layers layers = two_layers();
    ws_row_layout layout;
    assert_int_equal(ws_row_layout_of(&layers, &layout), WS_OK);
    assert_two_layers(&layout);
    ws_row_layout_free(&layout);
    assert_null(layout.head);
    ws_row_layout_free(&layout);
}

static void test_of_a_head(void **state)
{
    (void)state;
    ws_row_layout layout;
    assert_int_equal(ws_row_layout_read("x", HEAD, &layout), WS_OK);
    assert_two_layers(&layout);
    ws_row_layout_free(&layout);
}

/* Names that look like endings, many layers, none, longest names. */
static void test_there_and_back(void **state)
{
    (void)state;
    static const char *const names[] = {"a_weight_l2", "w_w0", "s_sketch", "x",
                                        "abcdefghijklmnopqrstuvwxyz_1234"};
    for (uint32_t kinds = 0; kinds < 32; kinds++) {
        ws_layer_arrays at[5] = {0};
        const ws_layers layers = {.at = at, .count = kinds % 6};
        for (uint32_t i = 0; i < 5; i++) {
            strcpy(at[i].name, names[i]);
            at[i].kind = kinds >> i & 1 ? WS_CONVOLUTION : WS_OTHER;
        }
        ws_row_layout written, read;
        assert_int_equal(ws_row_layout_of(&layers, &written), WS_OK);
        assert_int_equal(ws_row_layout_read("x", written.head, &read), WS_OK);
        assert_string_equal(read.head, written.head);
        assert_int_equal(read.layer_count, layers.count);
        assert_int_equal(read.row_bytes, written.row_bytes);
        for (uint32_t i = 0; i < layers.count; i++) {
            assert_string_equal(read.layers[i], names[i]);
            assert_int_equal(read.kinds[i], at[i].kind);
        }
        for (uint32_t i = 0; i < read.column_count; i++)
            assert_string_equal(read.names[i], written.names[i]);
        ws_row_layout_free(&written);
        ws_row_layout_free(&read);
    }
    ws_row_layout many = make_layout(2000, 1000), read;
    assert_int_equal(ws_row_layout_read("x", many.head, &read), WS_OK);
    assert_string_equal(read.head, many.head);
    ws_row_layout_free(&many);
    ws_row_layout_free(&read);
}

/* Spaces do not matter: the layout has the head that this program writes. */
static void test_another_spelling(void **state)
{
    (void)state;
    char spelled[2 * sizeof HEAD];
    size_t length = 0;
    for (const char *c = HEAD; *c; c++) {
        if (*c != ' ')
            spelled[length++] = *c;
        if (*c == ',')
            spelled[length++] = '\n';
    }
    spelled[length] = 0;
    ws_row_layout layout;
    assert_int_equal(ws_row_layout_read("x", spelled, &layout), WS_OK);
    assert_two_layers(&layout);
    ws_row_layout_free(&layout);
}

static void assert_refused(const char *head, const char *words)
{
    ws_row_layout layout = {.layer_count = 77};
    const int status = ws_row_layout_read("runs/history.ws", head, &layout);
    if (status != WS_BAD_FILE || strncmp(ws_message(), "runs/history.ws: ", 17) != 0 ||
        !strstr(ws_message(), words))
        fail_msg("status %d, message \"%s\"; expected \"%s\"", status, ws_message(), words);
    assert_int_equal(layout.layer_count, 77);
    assert_null(layout.head);
}

static void test_bad_heads(void **state)
{
    (void)state;
    static const struct {
        const char *head, *words;
    } cases[] = {
        {"", "is no JSON"},
        {"step,loss", "is no JSON: byte"},
        {NO_COLUMNS, "is no JSON"},
        {HEAD HEAD, "is no JSON"},
        {"{\"version\": 1, \"version\": 1, \"columns\": []}", "duplicate"},
        {"[]", "its head is no JSON object"},
        {"{}", "names no version"},
        {"{\"version\": \"1\", \"columns\": []}", "names no version"},
        {"{\"version\": 2, \"columns\": []}", "has version 2, this program reads 1"},
        {"{\"version\": 1}", "has no list of columns"},
        {"{\"version\": 1, \"columns\": {}}", "has no list of columns"},
        {HEAD_OF(""), "names 0 columns, its 0 layers have 8"},
        {NO_COLUMNS "]}", "names 1 columns, its 0 layers have 8"},
        {NO_COLUMNS ", 7]}", "column 1 of its head is not [name, type, count]"},
        {NO_COLUMNS ", []]}", "column 1 of its head is not [name, type, count]"},
        {NO_COLUMNS ", [\"epoch\", \"<f8\"]]}", "column 1 of its head is not [name, type, count]"},
        {NO_COLUMNS ", [\"epoch\", \"<f8\", 1, 1]]}", "column 1 of its head is not [name, type, count]"},
        {NO_COLUMNS ", [\"epoch\", \"<f8\", 1.0]]}", "column 1 of its head is not [name, type, count]"},
        {NO_COLUMNS ", [\"epoch\", \">f8\", 1]]}", "\"epoch\" has type \">f8\", of the other byte order"},
        {NO_COLUMNS ", [\"epoch\", \"<f4\", 1]]}",
         "[\"epoch\", \"<f4\", 1], must be [\"epoch\", \"<f8\", 1]"},
        {NO_COLUMNS ", [\"epoch\", \"\", 1]]}", "column 1 of its head is [\"epoch\", \"\", 1], must be"},
        {NO_COLUMNS ", [\"epoch\", \"<f8\", 2]]}",
         "[\"epoch\", \"<f8\", 2], must be [\"epoch\", \"<f8\", 1]"},
        {NO_COLUMNS ", [\"loss\", \"<f8\", 1]]}", "column 1 of its head is [\"loss\", \"<f8\", 1], must be"},
        {HEAD_OF(SCALARS ", [\"conv1_weight\", \"<f8\", 1]"), "names 9 columns, its 0 layers have 8"},
        {HEAD_OF(SCALARS ", [\"conv1_weight_l2\", \"<f8\", 1]"), "names 9 columns, its 1 layers have 11"},
        {HEAD_OF(SCALARS NORMS("1conv")), "\"1conv_weight_l2\": a layer's name is a letter"},
        {HEAD_OF(SCALARS NORMS("_")), "\"__weight_l2\": a layer's name is a letter"},
        {HEAD_OF(SCALARS NORMS("con v")), "\"con v_weight_l2\": a layer's name is a letter"},
        {HEAD_OF(SCALARS NORMS("\\u00e9")), "a layer's name is a letter"},
        {HEAD_OF(SCALARS NORMS("abcdefghijklmnopqrstuvwxyz_12345")), "at most 31"},
        {HEAD_OF(SCALARS NORMS("a") NORMS("b") NORMS("a")), "has two layers \"a\""},
        {HEAD_OF(SCALARS NORMS("a") SKETCH("a")), "\"a_sketch\", \"<f4\", 64], must be [\"a_w0\""},
        {HEAD_OF(SCALARS NORMS("a") WALK("a")), "names 13 columns, its 1 layers have 11"},
        {HEAD_OF(SCALARS NORMS("a") WALK("a") SKETCH("b")), "\"b_sketch\", is no sketch of a next layer"},
        {HEAD_OF(SCALARS NORMS("a") WALK("a") SKETCH("a") SKETCH("a")), "is no sketch of a next layer"},
        {HEAD_OF(SCALARS NORMS("a") NORMS("b") WALK("a") WALK("b") SKETCH("b") SKETCH("a")),
         "\"a_sketch\", is no sketch of a next layer"},
        {HEAD_OF(SCALARS NORMS("a") SKETCH("a") WALK("a")), "is no sketch of a next layer"},
        {HEAD_OF(SCALARS NORMS("a") WALK("a") ", [\"a_sketch\", \"<f4\", 32]"),
         "[\"a_sketch\", \"<f4\", 64]"},
        {HEAD_OF(SCALARS NORMS("a") WALK("a") ", [\"a_sketch\", \"<f8\", 64]"), "names 14 columns, its 1"},
        {HEAD_OF(SCALARS NORMS("a") ", [\"more\", \"<f8\", 1]"), "names 12 columns, its 1 layers have 11"},
        {HEAD_OF(SCALARS SKETCH("a")), "\"a_sketch\", is no sketch of a next layer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].head, cases[i].words);
}

/* Cut anywhere, or with any byte changed, a head is refused or still means a layout. */
static void test_damaged_heads(void **state)
{
    (void)state;
    char damaged[] = HEAD;
    for (size_t i = 0; i + 2 < sizeof damaged; i++) {
        const char before = damaged[i];
        damaged[i] = 0;
        assert_refused(damaged, "is no JSON");
        for (int flip = 1; flip < 256; flip <<= 1) {
            damaged[i] = (char)(before ^ flip);
            ws_row_layout layout = {0};
            if (ws_row_layout_read("x", damaged, &layout) == WS_OK)
                assert_int_equal(layout.row_bytes % 8, 0);
            ws_row_layout_free(&layout);
        }
        damaged[i] = before;
    }
}

static void test_a_long_head(void **state)
{
    (void)state;
    char *head = malloc(WS_HEAD_MOST + 2);
    memset(head, ' ', WS_HEAD_MOST + 1);
    memcpy(head, HEAD, strlen(HEAD));
    head[WS_HEAD_MOST + 1] = 0;
    assert_refused(head, "has 4194305 bytes, at most 4194304 are read");
    head[WS_HEAD_MOST] = 0;
    ws_row_layout layout;
    assert_int_equal(ws_row_layout_read("x", head, &layout), WS_OK);
    assert_two_layers(&layout);
    ws_row_layout_free(&layout);
    free(head);
}

static void test_steps_and_scalars(void **state)
{
    (void)state;
    static const struct {
        double value;
        uint64_t step;
    } cases[] = {
        {0, 0},
        {-0.0, 0},
        {12345678, 12345678},
        {9007199254740992.0, (uint64_t)1 << 53},
        {9007199254740994.0, WS_NO_STEP},
        {-1, WS_NO_STEP},
        {0.5, WS_NO_STEP},
        {1e300, WS_NO_STEP},
        {INFINITY, WS_NO_STEP},
        {-INFINITY, WS_NO_STEP},
        {NAN, WS_NO_STEP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shifted[sizeof(double) + 1];
        memcpy(shifted + 1, &cases[i].value, sizeof(double));
        assert_true(ws_row_step(shifted + 1) == cases[i].step);
    }
    const double values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    ws_scalars scalars;
    ws_row_scalars(values, &scalars);
    assert_true(scalars.epoch == 2 && scalars.time_s == 3 && scalars.loss == 4 && scalars.accuracy == 5);
    assert_true(scalars.learning_rate == 6 && scalars.validation_loss == 7 &&
                scalars.validation_accuracy == 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_layers),      cmocka_unit_test(test_of_a_head),
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_another_spelling),
        cmocka_unit_test(test_bad_heads),      cmocka_unit_test(test_damaged_heads),
        cmocka_unit_test(test_a_long_head),    cmocka_unit_test(test_steps_and_scalars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
