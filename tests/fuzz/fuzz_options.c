/* SPDX-License-Identifier: BSD-3-Clause */
/* A command line: its words are lines, the first one the command. */
#include "command.h"
#include "fuzz.h"
#include "train_options.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 64 };

/* What `train` makes of its options. Files are not looked at: --net must be no path. */
static void plan(option_values *values)
{
    train_plan made = {0};
    if (!train_options_check(values) && !option_given(values, "net") && !train_plan_make(values, &made)) {
        const cnn_course course = cnn_course_begin(1000, made.trainer.batch);
        train_plan_total(&made, &course, 0);
    }
    train_plan_free(&made);
}

static void read_words(const app_command *command, int count, char **words)
{
    option_values *values;
    if (options_parse(command, count, words, &values) != OPTIONS_GOOD)
        return;
    for (const app_option *option = option_table(values); option->name; option++) {
        const char *text = option_text(values, option->name);
        fuzz_require(!text || option->kind == OPTION_FLAG || !option_given(values, option->name) ||
                         !option_check(option, text),
                     "an option that was taken is within its limits");
    }
    if (command == &command_train)
        plan(values);
    options_free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *rest = text, *words[MOST_WORDS + 1] = {0};
    int count = 0;
    fuzz_hush();
    for (char *word; count < MOST_WORDS && (word = strsep(&rest, "\n"));)
        words[count++] = word;
    const app_command *command = command_find(words[0]);
    if (command)
        read_words(command, count, words);
    free(text);
    return 0;
}
