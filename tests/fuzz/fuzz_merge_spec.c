/* SPDX-License-Identifier: BSD-3-Clause */
/* The line that says what is to be merged. */
#include "cnn/status.h"
#include "fuzz.h"
#include "merge_spec.h"
#include <stdlib.h>
#include <string.h>

static void use(const merge_spec *spec, const cnn_net *net)
{
    const cnn_course course = cnn_course_begin(100, 10);
    const uint64_t steps[] = {1, 10, 500, UINT64_MAX};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        fuzz_require(!merge_spec_is_due(spec, &course, steps[i]) || merge_spec_has_time(spec),
                     "what has no time is never due");
    if (merge_spec_check("--merge", spec, net) || merge_spec_check_keep("--merge", spec, net)) {
        fuzz_require_line(cnn_message(), "--merge");
        return;
    }
    const int count = merge_spec_layer_count(spec, net);
    for (int i = 0; i < count; i++) {
        const cnn_merge_options options = merge_spec_options(spec, i, 1);
        fuzz_require(cnn_net_layer((cnn_net *)net, merge_spec_layer(spec, net, i)) != NULL,
                     "what is merged is a layer");
        fuzz_require(options.minimum >= 1, "a layer keeps a unit");
    }
    char *text = merge_spec_text(spec, net);
    merge_spec again;
    fuzz_require(!merge_spec_parse("--merge", text, &again), "a line that was written can be read");
    fuzz_require(again.layer_count == count, "a line that was written names its layers");
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static cnn_net *net;
    if (!net)
        fuzz_require(!cnn_net_create("conv 6 3x3, relu, conv 8 3x3, relu, linear 12, relu, linear 3",
                                     (cnn_shape){1, 6, 6}, 3, 1, &net),
                     "there is a network");
    char *text = fuzz_text(data, size);
    merge_spec spec;
    if (merge_spec_parse("--merge", text, &spec))
        fuzz_require_line(cnn_message(), "--merge");
    else
        use(&spec, net);
    free(text);
    return 0;
}
