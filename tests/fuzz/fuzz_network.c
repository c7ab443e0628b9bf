/* SPDX-License-Identifier: BSD-3-Clause */
/* The line of a network, the line of a schedule, and the numbers in them. */
#include "cnn/net.h"
#include "cnn/number.h"
#include "cnn/schedule.h"
#include "cnn/status.h"
#include "fuzz.h"
#include "spec.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PARAMETERS = 1 << 20 };

static void read_network(const char *text)
{
    cnn_spec spec, again;
    if (cnn_spec_parse(text, &spec)) {
        fuzz_require_line(cnn_message(), "net: ");
        return;
    }
    /* The canonical form means the same, and is canonical itself. */
    fuzz_require(!cnn_spec_parse(spec.text, &again), "the canonical form of a network is a network");
    fuzz_require(!strcmp(spec.text, again.text) && spec.count == again.count,
                 "the canonical form is canonical");
    const cnn_spec_layer *last = &spec.layers[spec.count - 1];
    const cnn_shape shapes[] = {{1, 28, 28}, {3, 5, 7}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int classes = last->outputs ? last->outputs : 1;
        size_t parameters;
        cnn_net *net;
        if (cnn_net_measure(text, shapes[i], classes, &parameters) || parameters > MOST_PARAMETERS)
            continue;
        fuzz_require(!cnn_net_create(text, shapes[i], classes, 1, &net), "what can be measured can be made");
        fuzz_require(net->parameter_count == parameters, "a network has as many parameters as was measured");
        cnn_net_free(net);
    }
    cnn_spec_free(&spec);
    cnn_spec_free(&again);
}

static void read_schedule(const char *text)
{
    cnn_schedule schedule;
    if (cnn_schedule_parse(text, &schedule)) {
        fuzz_require_line(cnn_message(), "");
        return;
    }
    fuzz_require(!cnn_schedule_check(&schedule), "a schedule that was read is within its limits");
    const uint64_t steps[] = {1, 2, 1000, UINT64_MAX};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const double rate = cnn_schedule_rate(&schedule, 0.1, steps[i], 1000);
        fuzz_require(rate >= 0 && rate <= 0.1000001, "a rate is between 0 and its base");
    }
}

static void read_numbers(const char *text)
{
    double real, again;
    uint64_t whole;
    char buffer[CNN_NUMBER_SIZE];
    if (cnn_parse_real("number", text, -HUGE_VAL, HUGE_VAL, &real))
        fuzz_require_line(cnn_message(), "number");
    else
        fuzz_require(
            isfinite(real) &&
                !cnn_parse_real("number", cnn_format_real(real, buffer), -HUGE_VAL, HUGE_VAL, &again) &&
                real == again,
            "a number reads back to itself");
    if (cnn_parse_whole("number", text, 3, 1000, &whole))
        fuzz_require_line(cnn_message(), "number");
    else
        fuzz_require(whole >= 3 && whole <= 1000, "a whole number is within its limits");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    read_network(text);
    read_schedule(text);
    read_numbers(text);
    free(text);
    return 0;
}
