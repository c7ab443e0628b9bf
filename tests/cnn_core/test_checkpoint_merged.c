/* SPDX-License-Identifier: BSD-3-Clause */
/* Checkpoints of networks with merged units. */
#include "cmocka_headers.h"
#include "cnn/checkpoint.h"
#include "cnn/merge.h"
#include "cnn/status.h"
#include "made_nets.h"
#include "reference.h"
#include "scratch.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char spec[] = "conv 6 3x3, relu, maxpool 2, conv 5 3x3, relu, linear 7, relu, linear 4";

typedef struct training {
    cnn_net *net;
    cnn_optimizer *optimizer;
} training;

static void free_training(training *t)
{
    cnn_net_free(t->net);
    cnn_optimizer_free(t->optimizer);
}

static training fresh(const char *text, uint64_t seed)
{
    const cnn_optimizer_options adam = cnn_optimizer_defaults(CNN_ADAM);
    training t = {made_net(text, seed), NULL};
    assert_int_equal(cnn_optimizer_create(&adam, t.net, &t.optimizer), CNN_OK);
    reference_fill(1, t.net->gradients, t.net->parameter_count);
    reference_fill(2, t.optimizer->moments[0], t.optimizer->count);
    for (size_t i = 0; i < t.optimizer->count; i++)
        t.optimizer->moments[1][i] = (float)i / 7;
    return t;
}

static void merge(training *t, const char *layer, cnn_merge_method method, int keep, double measured)
{
    const cnn_dataset probe = made_images(0, 48);
    const cnn_merge_options options = {
        .method = method, .threshold = -1.0 / 3, .keep = keep, .minimum = 1, .seed = 3};
    cnn_merge_plan plan;
    training merged;
    int index;
    assert_int_equal(cnn_merge_find_layer(t->net, layer, &index), CNN_OK);
    assert_int_equal(cnn_merge_plan_make(t->net, index, &options, &probe, NULL, &plan), CNN_OK);
    assert_int_equal(plan.after, keep);
    assert_int_equal(cnn_merge_apply(&plan, t->net, t->optimizer, 1000, &merged.net, &merged.optimizer),
                     CNN_OK);
    merged.net->merges[merged.net->merge_count - 1].measured = measured;
    cnn_merge_plan_free(&plan);
    free_training(t);
    *t = merged;
}

/* conv1 merged twice, fc1 once. */
static training merged_training(void)
{
    training t = fresh(spec, 9);
    merge(&t, "conv1", CNN_MERGE_SIMILAR, 5, 1.0 / 3);
    merge(&t, "fc1", CNN_MERGE_RANDOM, 4, NAN);
    merge(&t, "conv1", CNN_MERGE_NORM, 3, -1e-300);
    return t;
}

static cnn_safetensors *saved(const char *name, const training *t)
{
    cnn_safetensors *file;
    if (cnn_checkpoint_save(scratch_path(name), t->net, t->optimizer, 1234) ||
        cnn_safetensors_open(scratch_path(name), &file))
        fail_msg("%s", cnn_message());
    return file;
}

static void assert_same_record(const cnn_merge_record *a, const cnn_merge_record *b)
{
    assert_int_equal(a->step, b->step);
    assert_int_equal(a->layer, b->layer);
    assert_int_equal(a->before, b->before);
    assert_int_equal(a->after, b->after);
    assert_int_equal(a->method, b->method);
    const double reals[][2] = {
        {a->threshold, b->threshold}, {a->predicted, b->predicted}, {a->measured, b->measured}};
    for (int i = 0; i < 3; i++)
        assert_true(reals[i][0] == reals[i][1] || (isnan(reals[i][0]) && isnan(reals[i][1])));
}

static void assert_same_net(const cnn_net *a, const cnn_net *b)
{
    const size_t size = a->parameter_count * sizeof(float);
    assert_string_equal(a->spec, b->spec);
    assert_int_equal(a->parameter_count, b->parameter_count);
    assert_memory_equal(a->parameters, b->parameters, size);
    assert_memory_equal(a->initial, b->initial, size);
    for (int i = 0; i < a->layer_count; i++) {
        assert_int_equal(a->layers[i].source == NULL, b->layers[i].source == NULL);
        if (a->layers[i].source)
            assert_memory_equal(a->layers[i].source, b->layers[i].source,
                                (size_t)a->layers[i].out.c * sizeof(int32_t));
    }
    assert_int_equal(a->merge_count, b->merge_count);
    for (int i = 0; i < a->merge_count; i++)
        assert_same_record(&a->merges[i], &b->merges[i]);
}

static void assert_same_files(const char *a, const char *b)
{
    enum { MOST = 1 << 17 };
    static char content[2][MOST];
    size_t size[2];
    const char *const names[] = {a, b};
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(scratch_path(names[i]), "rb");
        assert_non_null(file);
        size[i] = fread(content[i], 1, MOST, file);
        fclose(file);
    }
    assert_in_range(size[0], 1000, MOST - 1);
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(content[0], content[1], size[0]);
}

static int notes;
static void count_note(void *context, const char *line)
{
    (void)context;
    (void)line;
    notes++;
}

static void test_all_of_a_merged_network_comes_back_to_the_bit(void **state)
{
    (void)state;
    training t = merged_training();
    assert_string_equal(t.net->spec,
                        "conv 3 3x3, relu, maxpool 2, conv 5 3x3, relu, linear 4, relu, linear 4");
    cnn_safetensors *file = saved("merged.safetensors", &t);
    cnn_checkpoint_info info;
    assert_int_equal(cnn_checkpoint_describe(file, &info), CNN_OK);
    assert_string_equal(info.net, t.net->spec);
    training back = fresh(info.net, info.seed);
    notes = 0;
    if (cnn_checkpoint_load(file, back.net, count_note, NULL) ||
        cnn_checkpoint_load_optimizer(file, back.net, back.optimizer))
        fail_msg("%s", cnn_message());
    assert_int_equal(notes, 0);
    assert_same_net(t.net, back.net);
    assert_int_equal(cnn_checkpoint_load_gradients(file, back.net), 2);
    cnn_net *made;
    if (cnn_checkpoint_make_net(file, spec, NULL, NULL, &made))
        fail_msg("%s", cnn_message());
    assert_same_net(t.net, made);
    cnn_net_free(made);
    assert_failed(cnn_checkpoint_make_net(file, "conv 2 3x3, relu, linear 4", NULL, NULL, &made),
                  CNN_BAD_FILE, scratch_path("merged.safetensors"),
                  "has 8 layers, \"conv 2 3x3, relu, linear 4\" has 3");
    for (int i = 0; i < 2; i++)
        assert_memory_equal(t.optimizer->moments[i], back.optimizer->moments[i],
                            t.optimizer->count * sizeof(float));
    cnn_safetensors_close(file);
    /* And saves again as the same bytes. */
    file = saved("again.safetensors", &back);
    assert_same_files("merged.safetensors", "again.safetensors");
    cnn_safetensors_close(file);
    free_training(&back);
    free_training(&t);
}

static void test_without_a_merge_nothing_is_added(void **state)
{
    (void)state;
    training t = fresh("conv 2 3x3, relu, linear 4", 9);
    cnn_safetensors *file = saved("plain.safetensors", &t);
    assert_null(cnn_safetensors_metadata(file, "merges"));
    for (size_t i = 0; i < cnn_safetensors_count(file); i++) {
        const char *name = cnn_safetensors_at(file, i)->name;
        assert_false(!strncmp(name, "initial.", 8) || !strncmp(name, "source.", 7));
    }
    /* Loading it leaves the initial values that the seed gave. */
    training other = fresh("conv 2 3x3, relu, linear 4", 10);
    float first = other.net->initial[0];
    assert_int_equal(cnn_checkpoint_load(file, other.net, NULL, NULL), CNN_OK);
    assert_true(other.net->initial[0] == first);
    assert_int_equal(other.net->merge_count, 0);
    cnn_safetensors_close(file);
    free_training(&other);
    free_training(&t);
}

/* Writes the file again with one tensor left out or changed, or another history. */
static const char *rewritten(const cnn_safetensors *file, const char *without, const cnn_tensor *instead,
                             const char *history)
{
    cnn_tensor tensors[64];
    cnn_metadata metadata[16];
    size_t count = 0, entries = 0;
    for (size_t i = 0; i < cnn_safetensors_count(file); i++) {
        tensors[count] = *cnn_safetensors_at(file, i);
        count += strcmp(tensors[count].name, without) != 0;
    }
    if (instead)
        tensors[count++] = *instead;
    while (cnn_safetensors_metadata_at(file, entries, &metadata[entries].key, &metadata[entries].value)) {
        if (history && !strcmp(metadata[entries].key, "merges"))
            metadata[entries].value = history;
        entries++;
    }
    if (cnn_safetensors_write(scratch_path("edited.safetensors"), tensors, count, metadata, entries))
        fail_msg("%s", cnn_message());
    return scratch_path("edited.safetensors");
}

static void assert_edited_is_refused(const char *path, const char *words)
{
    training t = fresh("conv 3 3x3, relu, maxpool 2, conv 5 3x3, relu, linear 4, relu, linear 4", 1);
    training same = fresh(t.net->spec, 1);
    cnn_safetensors *file;
    assert_int_equal(cnn_safetensors_open(path, &file), CNN_OK);
    assert_failed(cnn_checkpoint_load(file, t.net, NULL, NULL), CNN_BAD_FILE, path, words);
    assert_same_net(t.net, same.net);
    cnn_safetensors_close(file);
    free_training(&same);
    free_training(&t);
}

static void test_what_does_not_fit_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    training t = merged_training();
    cnn_safetensors *file = saved("good.safetensors", &t);
    assert_edited_is_refused(rewritten(file, "initial.conv1.weight", NULL, NULL),
                             "has no tensor \"initial.conv1.weight\" [3,2,3,3]");
    assert_edited_is_refused(rewritten(file, "source.fc1", NULL, NULL), "has no tensor \"source.fc1\"");
    const int32_t falling[] = {4, 1, 5}, negative[] = {-1, 1, 5};
    cnn_tensor source = {
        .name = "source.conv1", .dtype = CNN_I32, .rank = 1, .shape = {3}, .count = 3, .data = falling};
    assert_edited_is_refused(rewritten(file, "source.conv1", &source, NULL), "\"source.conv1\": 1 at 1");
    source.data = negative;
    assert_edited_is_refused(rewritten(file, "source.conv1", &source, NULL), "\"source.conv1\": -1 at 0");
    source.shape[0] = source.count = 2;
    assert_edited_is_refused(rewritten(file, "source.conv1", &source, NULL),
                             "\"source.conv1\" is not I32 [3]");
    assert_edited_is_refused(rewritten(file, "", NULL, "{}"), "metadata merges is not a JSON list");
    assert_edited_is_refused(rewritten(file, "", NULL, "[{\"step\": 1}]"), "metadata merges: entry 0");
    assert_edited_is_refused(
        rewritten(file, "", NULL,
                  "[{\"step\": 1, \"layer\": \"conv7\", \"before\": 4, \"after\": 3, \"method\": \"norm\", "
                  "\"threshold\": null, \"predicted\": 0, \"measured\": 0}]"),
        "metadata merges: entry 0 is not a merge of this network");
    cnn_safetensors_close(file);
    free_training(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_of_a_merged_network_comes_back_to_the_bit),
        cmocka_unit_test(test_without_a_merge_nothing_is_added),
        cmocka_unit_test(test_what_does_not_fit_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
