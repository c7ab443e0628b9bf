/* SPDX-License-Identifier: BSD-3-Clause */
/* Who watches a pass hears of its layers, forward and then backward, and changes nothing. */
#include "cmocka_headers.h"
#include "cnn/pass.h"
#include "cnn/status.h"
#include "pass_watch.h"
#include "reference.h"
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 5, LAYERS = 8, DIRECTIONS = 2 };
static const char *const SPEC =
    "dropout 0.2, conv 3 3x3, relu, maxpool 2, conv 5 3x3 stride 2, linear 9, relu, linear 4";
enum { FIRST_PARAMETERS = 1 };

typedef struct calls {
    int of[LAYERS + 1][DIRECTIONS];
    int count, losses;
} calls;

static void note(void *context, int thread, int layer, cnn_pass_direction direction)
{
    calls *heard = context;
    assert_true(thread == CNN_PASS_ALL_THREADS || thread == 0);
    heard->count++;
    if (layer == CNN_PASS_NO_LAYER)
        return;
    assert_in_range(layer, 0, LAYERS);
    assert_int_equal(direction, heard->losses ? CNN_PASS_BACKWARD : CNN_PASS_FORWARD);
    heard->losses += layer == LAYERS;
    heard->of[layer][direction]++;
}

static void set_up(cnn_net **net, cnn_pass **pass)
{
    assert_int_equal(cnn_net_create(SPEC, (cnn_shape){2, 8, 9}, 4, 11, net), CNN_OK);
    assert_int_equal((*net)->layer_count, LAYERS);
    assert_int_equal(cnn_pass_create(*net, IMAGES, CNN_PASS_TRAIN, NULL, pass), CNN_OK);
    reference_fill(21, cnn_pass_images(*pass), IMAGES * cnn_shape_count((*net)->input));
}

/* All with parameters, and none backward that lies before them. */
static void check_heard(const calls *heard, const cnn_net *net, int backward)
{
    assert_int_equal(heard->losses, 1);
    assert_int_equal(heard->of[LAYERS][CNN_PASS_BACKWARD], 0);
    for (int i = 0; i < LAYERS; i++) {
        if (cnn_layer_has_parameters(&net->layers[i])) {
            assert_true(heard->of[i][CNN_PASS_FORWARD] > 0);
            assert_int_equal(heard->of[i][CNN_PASS_BACKWARD] > 0, backward);
        }
        if (i < FIRST_PARAMETERS)
            assert_int_equal(heard->of[i][CNN_PASS_BACKWARD], 0);
    }
}

static void test_layers_are_told(void **state)
{
    (void)state;
    cnn_net *net;
    cnn_pass *pass;
    calls heard = {0}, then = {0}, none = {0};
    set_up(&net, &pass);
    cnn_pass_set_watch(pass, note, &heard);
    cnn_pass_train(pass, IMAGES, 3);
    check_heard(&heard, net, 1);
    cnn_pass_set_watch(pass, note, &then);
    cnn_pass_forward(pass, IMAGES);
    check_heard(&then, net, 0);
    cnn_pass_set_watch(pass, NULL, &none);
    cnn_pass_train(pass, IMAGES, 3);
    assert_int_equal(none.count, 0);
    cnn_pass_free(pass);
    cnn_net_free(net);
}

static void test_watching_changes_no_bit(void **state)
{
    (void)state;
    cnn_net *net[2];
    cnn_pass *pass[2];
    calls heard = {0};
    for (int i = 0; i < 2; i++)
        set_up(&net[i], &pass[i]);
    cnn_pass_set_watch(pass[1], note, &heard);
    assert_true(cnn_pass_train(pass[0], IMAGES, 3).loss_sum == cnn_pass_train(pass[1], IMAGES, 3).loss_sum);
    assert_memory_equal(net[0]->gradients, net[1]->gradients, net[0]->parameter_count * sizeof(float));
    for (int i = 0; i < 2; i++) {
        cnn_pass_free(pass[i]);
        cnn_net_free(net[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers_are_told),
        cmocka_unit_test(test_watching_changes_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
