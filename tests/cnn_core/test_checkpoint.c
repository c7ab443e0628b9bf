/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka_headers.h"
#include "cnn/checkpoint.h"
#include "cnn/status.h"
#include "cnn/trainer.h"
#include "scratch.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char small_spec[] = "conv 2 3x2, relu, maxpool 2, conv 3 2x2, linear 4, dropout 0.5, linear 3";
static const cnn_shape small_input = {2, 6, 5};
enum { SMALL_CLASSES = 3, TENSORS_MOST = 32 };

static cnn_net *make_net(const char *spec, uint64_t seed)
{
    cnn_net *net;
    if (cnn_net_create(spec, small_input, SMALL_CLASSES, seed, &net))
        fail_msg("%s", cnn_message());
    for (size_t i = 0; i < net->parameter_count; i++)
        net->gradients[i] = (float)i / 3;
    return net;
}

static cnn_optimizer *make_optimizer(cnn_optimizer_kind kind, const cnn_net *net, float scale)
{
    const cnn_optimizer_options options = cnn_optimizer_defaults(kind);
    cnn_optimizer *optimizer;
    assert_int_equal(cnn_optimizer_create(&options, net, &optimizer), CNN_OK);
    for (int m = 0; m < optimizer->moment_count; m++)
        for (size_t i = 0; i < optimizer->count; i++)
            optimizer->moments[m][i] = scale * (float)(i + 1) / (float)(m + 7);
    return optimizer;
}

static cnn_safetensors *open_file(const char *path)
{
    cnn_safetensors *file;
    if (cnn_safetensors_open(path, &file))
        fail_msg("%s", cnn_message());
    return file;
}

/* A checkpoint of a network with seed 5 after 1234 steps. */
static const char *save(const char *name, const cnn_net *net, cnn_optimizer_kind kind)
{
    cnn_optimizer *optimizer = make_optimizer(kind, net, 1);
    const char *path = scratch_path(name);
    if (cnn_checkpoint_save(path, net, optimizer, 1234))
        fail_msg("%s", cnn_message());
    cnn_optimizer_free(optimizer);
    return path;
}

static void assert_same_floats(const float *left, const float *right, size_t count)
{
    assert_memory_equal(left, right, count * sizeof *left);
}

/* ---- what is saved ---- */

static void test_names_and_layouts_are_pytorchs(void **state)
{
    (void)state;
    static const struct {
        const char *name, *shape;
    } expected[] = {
        {"random.state", "2"},
        {"conv1.weight", "2 2 3 2"},
        {"conv1.bias", "2"},
        {"conv2.weight", "3 2 2 2"},
        {"conv2.bias", "3"},
        {"fc1.weight", "4 18"},
        {"fc1.bias", "4"},
        {"fc2.weight", "3 4"},
        {"fc2.bias", "3"},
        {"optimizer.conv1.weight.momentum_buffer", "2 2 3 2"},
        {"optimizer.conv1.bias.momentum_buffer", "2"},
        {"optimizer.conv2.weight.momentum_buffer", "3 2 2 2"},
        {"optimizer.conv2.bias.momentum_buffer", "3"},
        {"optimizer.fc1.weight.momentum_buffer", "4 18"},
        {"optimizer.fc1.bias.momentum_buffer", "4"},
        {"optimizer.fc2.weight.momentum_buffer", "3 4"},
        {"optimizer.fc2.bias.momentum_buffer", "3"},
        {"gradient.conv1.weight", "2 2 3 2"},
        {"gradient.conv2.weight", "3 2 2 2"},
    };
    cnn_net *net = make_net(small_spec, 5);
    cnn_safetensors *file = open_file(save("names", net, CNN_MOMENTUM));
    assert_int_equal(cnn_safetensors_count(file), sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < cnn_safetensors_count(file); i++) {
        const cnn_tensor *tensor = cnn_safetensors_at(file, i);
        char shape[64] = "";
        for (int d = 0; d < tensor->rank; d++)
            snprintf(shape + strlen(shape), sizeof shape - strlen(shape), d ? " %d" : "%d",
                     (int)tensor->shape[d]);
        assert_string_equal(tensor->name, expected[i].name);
        assert_string_equal(shape, expected[i].shape);
        assert_int_equal(tensor->dtype, i ? CNN_F32 : CNN_U64);
    }
    assert_memory_equal(cnn_safetensors_find(file, "fc1.weight")->data, cnn_net_layer(net, "fc1")->weight,
                        4 * 18 * sizeof(float));
    cnn_safetensors_close(file);
    cnn_net_free(net);
}

static void test_same_state_same_bytes(void **state)
{
    (void)state;
    cnn_net *net = make_net(small_spec, 5);
    save("one", net, CNN_ADAM);
    save("two", net, CNN_ADAM);
    const bytes one = scratch_read("one"), two = scratch_read("two");
    assert_int_equal(one.size, two.size);
    assert_memory_equal(one.at, two.at, one.size);
    cnn_net_free(net);
}

/* ---- what a file says of itself ---- */

static void test_description(void **state)
{
    (void)state;
    cnn_net *net = make_net(small_spec, UINT64_MAX);
    cnn_safetensors *file = open_file(save("described", net, CNN_ADAM));
    cnn_checkpoint_info info;
    assert_int_equal(cnn_checkpoint_describe(file, &info), CNN_OK);
    assert_string_equal(info.net, net->spec);
    assert_memory_equal(&info.input, &small_input, sizeof info.input);
    assert_int_equal(info.classes, SMALL_CLASSES);
    assert_int_equal(info.step, 1234);
    assert_true(info.seed == UINT64_MAX);
    assert_int_equal(info.has_optimizer, 1);
    assert_int_equal(info.optimizer, CNN_ADAM);
    cnn_safetensors_close(file);

    const char *path = scratch_path("without");
    assert_int_equal(cnn_checkpoint_save(path, net, NULL, 0), CNN_OK);
    file = open_file(path);
    assert_int_equal(cnn_checkpoint_describe(file, &info), CNN_OK);
    assert_int_equal(info.has_optimizer, 0);
    assert_int_equal(info.step, 0);
    cnn_safetensors_close(file);
    cnn_net_free(net);
}

static const uint64_t seed_and_step[] = {5, 40};
static const cnn_tensor random_state = {
    .name = "random.state", .dtype = CNN_U64, .rank = 1, .shape = {2}, .count = 2, .data = seed_and_step};

static cnn_safetensors *write_and_open(const cnn_tensor *tensors, size_t count, const cnn_metadata *metadata,
                                       size_t metadata_count)
{
    const char *path = scratch_path("made");
    if (cnn_safetensors_write(path, tensors, count, metadata, metadata_count))
        fail_msg("%s", cnn_message());
    return open_file(path);
}

static void test_description_of_a_foreign_file(void **state)
{
    (void)state;
    cnn_safetensors *file = write_and_open(NULL, 0, NULL, 0);
    cnn_checkpoint_info info;
    assert_int_equal(cnn_checkpoint_describe(file, &info), CNN_OK);
    assert_null(info.net);
    assert_int_equal(info.input.c + info.input.h + info.input.w + info.classes + info.has_optimizer, 0);
    assert_true(info.step == 0 && info.seed == 0);
    cnn_safetensors_close(file);
}

static void test_descriptions_that_contradict(void **state)
{
    (void)state;
    static const struct {
        cnn_metadata entry;
        const char *words;
    } cases[] = {
        {{"step", "41"}, "metadata says step 41, random.state says 40"},
        {{"seed", "6"}, "metadata says seed 6, random.state says 5"},
        {{"step", "-1"}, "metadata step: \"-1\" is not a whole number"},
        {{"step", "1e3"}, "metadata step: \"1e3\" is not a whole number"},
        {{"classes", "4294967296"},
         "metadata classes: \"4294967296\" is not a whole number in 0..2147483647"},
        {{"input", "1x28"}, "metadata input \"1x28\" is not CHANNELSxHEIGHTxWIDTH"},
        {{"input", "1x28x28x1"}, "metadata input \"1x28x28x1\""},
        {{"input", "1x0x28"}, "metadata input \"1x0x28\""},
        {{"input", "1xx28"}, "metadata input \"1xx28\""},
        {{"input", ""}, "metadata input \"\""},
        {{"input", "1x28x999999999999999999999999999999999999999999999"}, "is not CHANNELSxHEIGHTxWIDTH"},
        {{"optimizer", "lion"}, "metadata optimizer: \"lion\" is not one of sgd, momentum, adam"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cnn_safetensors *file = write_and_open(&random_state, 1, &cases[i].entry, 1);
        cnn_checkpoint_info info = {.classes = -7};
        assert_failed(cnn_checkpoint_describe(file, &info), CNN_BAD_FILE, cnn_safetensors_path(file),
                      cases[i].words);
        assert_int_equal(info.classes, -7);
        cnn_safetensors_close(file);
    }
    cnn_tensor narrow = random_state;
    narrow.dtype = CNN_U32;
    cnn_safetensors *file = write_and_open(&narrow, 1, NULL, 0);
    cnn_checkpoint_info info;
    assert_failed(cnn_checkpoint_describe(file, &info), CNN_BAD_FILE, cnn_safetensors_path(file),
                  "tensor \"random.state\" is not U64 [2]");
    cnn_safetensors_close(file);
}

/* ---- loading ---- */

static void test_parameters_come_back(void **state)
{
    (void)state;
    cnn_net *net = make_net(small_spec, 5), *other = make_net(small_spec, 6);
    cnn_safetensors *file = open_file(save("parameters", net, CNN_ADAM));
    assert_int_equal(cnn_checkpoint_load(file, other, NULL, NULL), CNN_OK);
    assert_same_floats(other->parameters, net->parameters, net->parameter_count);
    cnn_safetensors_close(file);
    cnn_net_free(net);
    cnn_net_free(other);
}

static void test_moments_come_back(void **state)
{
    (void)state;
    cnn_net *net = make_net(small_spec, 5);
    for (cnn_optimizer_kind kind = CNN_SGD; kind <= CNN_ADAM; kind++) {
        cnn_safetensors *file = open_file(save("moments", net, kind));
        cnn_optimizer *saved = make_optimizer(kind, net, 1), *loaded = make_optimizer(kind, net, 0);
        if (cnn_checkpoint_load_optimizer(file, net, loaded))
            fail_msg("%s", cnn_message());
        for (int i = 0; i < saved->moment_count; i++)
            assert_same_floats(loaded->moments[i], saved->moments[i], net->parameter_count);
        cnn_optimizer_free(saved);
        cnn_optimizer_free(loaded);
        cnn_safetensors_close(file);
    }
    cnn_net_free(net);
}

static void test_gradients_of_convolutions_come_back(void **state)
{
    (void)state;
    cnn_net *net = make_net(small_spec, 5), *other = make_net(small_spec, 6);
    memset(other->gradients, 0, other->parameter_count * sizeof(float));
    cnn_safetensors *file = open_file(save("gradients", net, CNN_SGD));
    assert_int_equal(cnn_checkpoint_load_gradients(file, other), 2);
    for (int i = 0; i < net->layer_count; i++) {
        const cnn_layer *from = &net->layers[i], *to = &other->layers[i];
        for (size_t j = 0; j < from->weight_count; j++)
            assert_true(to->weight_gradient[j] == (from->kind == CNN_CONV ? from->weight_gradient[j] : 0));
        for (size_t j = 0; j < from->bias_count; j++)
            assert_true(to->bias_gradient[j] == 0);
    }
    cnn_safetensors_close(file);

    file = write_and_open(&random_state, 1, NULL, 0);
    assert_int_equal(cnn_checkpoint_load_gradients(file, other), 0);
    cnn_safetensors_close(file);
    cnn_net_free(net);
    cnn_net_free(other);
}

/* A copy of a checkpoint's tensors, to be changed and written again. */
typedef struct altered {
    cnn_safetensors *file;
    cnn_tensor tensors[TENSORS_MOST];
    size_t count;
} altered;

static altered take(const char *path)
{
    altered a = {.file = open_file(path)};
    a.count = cnn_safetensors_count(a.file);
    assert_in_range(a.count, 1, TENSORS_MOST - 1);
    for (size_t i = 0; i < a.count; i++)
        a.tensors[i] = *cnn_safetensors_at(a.file, i);
    return a;
}

static cnn_tensor *tensor_of(altered *a, const char *name)
{
    for (size_t i = 0; i < a->count; i++)
        if (!strcmp(a->tensors[i].name, name))
            return &a->tensors[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

/* Fails the test unless the altered checkpoint is refused and the network keeps every bit. */
static void assert_not_loaded(const altered *a, const char *words)
{
    cnn_safetensors *file = write_and_open(a->tensors, a->count, NULL, 0);
    cnn_net *net = make_net(small_spec, 6), *untouched = make_net(small_spec, 6);
    assert_failed(cnn_checkpoint_load(file, net, NULL, NULL), CNN_BAD_FILE, cnn_safetensors_path(file),
                  words);
    assert_same_floats(net->parameters, untouched->parameters, net->parameter_count);
    cnn_net_free(net);
    cnn_net_free(untouched);
    cnn_safetensors_close(file);
}

static void test_tensors_that_do_not_fit(void **state)
{
    (void)state;
    cnn_net *net = make_net(small_spec, 5);
    save("fit", net, CNN_SGD);
    cnn_net_free(net);

    altered a = take(scratch_path("fit"));
    tensor_of(&a, "conv2.weight")->shape[1] = 4;
    tensor_of(&a, "conv2.weight")->shape[2] = 1;
    assert_not_loaded(&a, "tensor \"conv2.weight\" has shape [3,4,1,2], the network needs [3,2,2,2]");
    cnn_safetensors_close(a.file);

    a = take(scratch_path("fit"));
    cnn_tensor *bias = tensor_of(&a, "fc2.bias");
    bias->rank = 2;
    bias->shape[0] = 1;
    bias->shape[1] = 3;
    assert_not_loaded(&a, "tensor \"fc2.bias\" has shape [1,3], the network needs [3]");
    bias->shape[0] = 3;
    bias->shape[1] = 1;
    assert_not_loaded(&a, "tensor \"fc2.bias\" has shape [3,1], the network needs [3]");
    bias->rank = 0;
    bias->count = 1;
    assert_not_loaded(&a, "tensor \"fc2.bias\" has shape [], the network needs [3]");
    bias->rank = 2;
    bias->shape[0] = 0;
    bias->shape[1] = 3;
    bias->count = 0;
    assert_not_loaded(&a, "tensor \"fc2.bias\" has shape [0,3], the network needs [3]");
    bias->name = "fc2.bios";
    assert_not_loaded(&a, "has no tensor \"fc2.bias\" [3], which the network needs");
    cnn_safetensors_close(a.file);

    a = take(scratch_path("fit"));
    tensor_of(&a, "fc2.bias")->dtype = CNN_I32;
    assert_not_loaded(&a, "tensor \"fc2.bias\" has type I32, a floating type is needed");
    cnn_safetensors_close(a.file);

    a = take(scratch_path("fit"));
    const float bad[] = {0, 1, NAN};
    tensor_of(&a, "fc2.bias")->data = bad;
    assert_not_loaded(&a, "tensor \"fc2.bias\": value 2 is nan");
    cnn_safetensors_close(a.file);
}

static void test_checkpoint_of_another_network(void **state)
{
    (void)state;
    cnn_net *net = make_net("conv 4 3x2, relu, maxpool 2, conv 3 2x2, linear 4, linear 3", 5);
    cnn_net *wanted = make_net(small_spec, 5);
    const char *path = save("another", net, CNN_SGD);
    cnn_safetensors *file = open_file(path);
    assert_failed(cnn_checkpoint_load(file, wanted, NULL, NULL), CNN_BAD_FILE, path,
                  "tensor \"conv1.weight\" has shape [4,2,3,2], the network needs [2,2,3,2]");
    assert_failed(cnn_checkpoint_load_gradients(file, wanted), CNN_BAD_FILE, path,
                  "tensor \"gradient.conv1.weight\" has shape [4,2,3,2]");
    cnn_safetensors_close(file);
    cnn_net_free(net);
    cnn_net_free(wanted);
}

/* Order, further tensors and another floating type change nothing. */
static void test_odd_but_legal_files(void **state)
{
    (void)state;
    cnn_net *net = make_net(small_spec, 5), *other = make_net(small_spec, 6);
    altered a = take(save("odd", net, CNN_SGD));
    for (size_t i = 0; i < a.count / 2; i++) {
        const cnn_tensor swapped = a.tensors[i];
        a.tensors[i] = a.tensors[a.count - 1 - i];
        a.tensors[a.count - 1 - i] = swapped;
    }
    double wide[3];
    for (int i = 0; i < 3; i++)
        wide[i] = cnn_net_layer(net, "fc2")->bias[i];
    tensor_of(&a, "fc2.bias")->dtype = CNN_F64;
    tensor_of(&a, "fc2.bias")->data = wide;
    a.tensors[a.count++] = (cnn_tensor){.name = "x", .dtype = CNN_U8, .rank = 2, .shape = {0, 3}, .count = 0};
    cnn_safetensors *file = write_and_open(a.tensors, a.count, NULL, 0);
    assert_int_equal(cnn_checkpoint_load(file, other, NULL, NULL), CNN_OK);
    assert_same_floats(other->parameters, net->parameters, net->parameter_count);
    cnn_safetensors_close(file);
    cnn_safetensors_close(a.file);
    cnn_net_free(net);
    cnn_net_free(other);
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

static void test_unknown_tensors_are_reported(void **state)
{
    (void)state;
    cnn_net *net = make_net(small_spec, 5);
    for (cnn_optimizer_kind kind = CNN_SGD; kind <= CNN_ADAM; kind++) {
        altered a = take(save("unknown", net, kind));
        notes n = {0};
        assert_int_equal(cnn_checkpoint_load(a.file, net, take_note, &n), CNN_OK);
        assert_int_equal(n.count, 0);
        a.tensors[a.count++] =
            (cnn_tensor){.name = "fc9.weight", .dtype = CNN_F32, .rank = 2, .shape = {0, 2}};
        cnn_safetensors *file = write_and_open(a.tensors, a.count, NULL, 0);
        assert_int_equal(cnn_checkpoint_load(file, net, take_note, &n), CNN_OK);
        assert_int_equal(n.count, 1);
        assert_non_null(
            strstr(n.last, "tensor \"fc9.weight\" [0,2] is not part of the network and is left out"));
        cnn_safetensors_close(file);
        cnn_safetensors_close(a.file);
    }
    cnn_net_free(net);
}

static void assert_moments_refused(cnn_safetensors *file, const cnn_net *net, cnn_optimizer_kind kind,
                                   const char *words)
{
    cnn_optimizer *optimizer = make_optimizer(kind, net, 3), *untouched = make_optimizer(kind, net, 3);
    assert_failed(cnn_checkpoint_load_optimizer(file, net, optimizer), CNN_BAD_FILE,
                  cnn_safetensors_path(file), words);
    for (int i = 0; i < optimizer->moment_count; i++)
        assert_same_floats(optimizer->moments[i], untouched->moments[i], optimizer->count);
    cnn_optimizer_free(optimizer);
    cnn_optimizer_free(untouched);
    cnn_safetensors_close(file);
}

static void test_moments_that_do_not_fit(void **state)
{
    (void)state;
    cnn_net *net = make_net(small_spec, 5);
    const char *path = save("adam", net, CNN_ADAM);
    assert_moments_refused(open_file(path), net, CNN_MOMENTUM,
                           "holds the state of optimizer \"adam\", \"momentum\" is asked for");
    assert_moments_refused(open_file(path), net, CNN_SGD,
                           "holds the state of optimizer \"adam\", \"sgd\" is asked for");

    altered a = take(path);
    assert_moments_refused(write_and_open(a.tensors, a.count, NULL, 0), net, CNN_ADAM,
                           "holds no state of an optimizer, \"adam\" is asked for");
    const cnn_metadata metadata = {"optimizer", "adam"};
    tensor_of(&a, "optimizer.fc1.bias.exp_avg_sq")->name = "gone";
    assert_moments_refused(write_and_open(a.tensors, a.count, &metadata, 1), net, CNN_ADAM,
                           "has no tensor \"optimizer.fc1.bias.exp_avg_sq\" [4]");
    cnn_safetensors_close(a.file);
    cnn_net_free(net);
}

/* A trainer of `net` on a set of its own, with dropout, shuffling and a short last batch. */
static cnn_trainer *make_trainer(cnn_net *net)
{
    enum { IMAGES = 7, PIXELS = 2 * 6 * 5 };
    static uint8_t pixels[IMAGES * PIXELS];
    static const uint8_t labels[IMAGES] = {0, 1, 2, 0, 1, 2, 0};
    static const cnn_dataset set = {
        .count = IMAGES, .shape = {2, 6, 5}, .classes = SMALL_CLASSES, .pixels = pixels, .labels = labels};
    for (int i = 0; i < IMAGES * PIXELS; i++)
        pixels[i] = (uint8_t)(i * 37 % 256);
    const cnn_trainer_options options = {.optimizer = cnn_optimizer_defaults(CNN_ADAM),
                                         .schedule = {.kind = CNN_COSINE},
                                         .learning_rate = 0.01,
                                         .total_steps = 20,
                                         .batch = 3};
    cnn_trainer *trainer;
    if (cnn_trainer_create(&options, net, &set, NULL, &trainer))
        fail_msg("%s", cnn_message());
    return trainer;
}

static void train(cnn_trainer *trainer, int steps)
{
    for (int i = 0; i < steps; i++)
        assert_int_equal(cnn_trainer_step(trainer, NULL, NULL), CNN_OK);
}

/* Eight steps, saved, loaded into fresh memory, four more: the file of twelve steps, byte for byte. */
static void test_resumed_training_gives_the_same_file(void **state)
{
    (void)state;
    cnn_net *net = make_net(small_spec, 5);
    cnn_trainer *trainer = make_trainer(net);
    train(trainer, 8);
    assert_int_equal(cnn_checkpoint_save(scratch_path("at 8"), net, trainer->optimizer, trainer->step),
                     CNN_OK);
    train(trainer, 4);
    assert_int_equal(cnn_checkpoint_save(scratch_path("straight"), net, trainer->optimizer, trainer->step),
                     CNN_OK);
    cnn_trainer_free(trainer);
    cnn_net_free(net);

    cnn_safetensors *file = open_file(scratch_path("at 8"));
    cnn_checkpoint_info info;
    assert_int_equal(cnn_checkpoint_describe(file, &info), CNN_OK);
    net = make_net(info.net, info.seed);
    trainer = make_trainer(net);
    assert_int_equal(cnn_checkpoint_load(file, net, NULL, NULL), CNN_OK);
    assert_int_equal(cnn_checkpoint_load_optimizer(file, net, trainer->optimizer), CNN_OK);
    trainer->step = info.step;
    cnn_safetensors_close(file);
    train(trainer, 4);
    assert_int_equal(cnn_checkpoint_save(scratch_path("resumed"), net, trainer->optimizer, trainer->step),
                     CNN_OK);
    cnn_trainer_free(trainer);
    cnn_net_free(net);

    const bytes straight = scratch_read("straight"), resumed = scratch_read("resumed"),
                early = scratch_read("at 8");
    assert_int_equal(straight.size, resumed.size);
    assert_memory_equal(straight.at, resumed.at, straight.size);
    assert_memory_not_equal(straight.at, early.at, straight.size < early.size ? straight.size : early.size);
}

/* A network that would take 5 GB, told of in a file of some bytes. */
static void test_a_small_file_makes_no_huge_network(void **state)
{
    (void)state;
    const float value = 1;
    const cnn_tensor tensor = {.name = "fc1.bias", .rank = 1, .shape = {1}, .count = 1, .data = &value};
    const cnn_metadata said[] = {
        {"net", "linear 1048576, linear 3"}, {"input", "1x20x20"}, {"classes", "3"}, {"step", "0"}};
    const char *path = scratch_path("huge");
    assert_int_equal(cnn_safetensors_write(path, &tensor, 1, said, 4), CNN_OK);
    cnn_safetensors *file = open_file(path);
    cnn_net *untouched = (cnn_net *)&state;
    assert_failed(cnn_checkpoint_make_net(file, NULL, NULL, NULL, &untouched), CNN_BAD_FILE, path,
                  "its network has 423624707 parameters, its tensors have 4 bytes");
    assert_ptr_equal(untouched, &state);
    cnn_safetensors_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_layouts_are_pytorchs),
        cmocka_unit_test(test_same_state_same_bytes),
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_description_of_a_foreign_file),
        cmocka_unit_test(test_descriptions_that_contradict),
        cmocka_unit_test(test_parameters_come_back),
        cmocka_unit_test(test_moments_come_back),
        cmocka_unit_test(test_gradients_of_convolutions_come_back),
        cmocka_unit_test(test_tensors_that_do_not_fit),
        cmocka_unit_test(test_checkpoint_of_another_network),
        cmocka_unit_test(test_odd_but_legal_files),
        cmocka_unit_test(test_a_small_file_makes_no_huge_network),
        cmocka_unit_test(test_unknown_tensors_are_reported),
        cmocka_unit_test(test_moments_that_do_not_fit),
        cmocka_unit_test(test_resumed_training_gives_the_same_file),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
