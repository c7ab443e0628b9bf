/* SPDX-License-Identifier: BSD-3-Clause */
#include "run_likeness.h"
#include "cnn/status.h"
#include "run_record.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

/* 1 if the bits depend on the option. The length matters to a schedule that ends with it. */
static int matters(const app_option *option, const option_values *values)
{
    static const char *const always[] = {"net", "lr", "schedule"}, *const at_times[] = {"epochs", "steps"};
    const int is_cosine = !strncmp(option_text(values, "schedule"), "cosine", strlen("cosine"));
    if (option->rule == OPTION_FIXED)
        return 1;
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (!strcmp(option->name, always[i]))
            return 1;
    for (size_t i = 0; is_cosine && i < sizeof at_times / sizeof *at_times; i++)
        if (!strcmp(option->name, at_times[i]))
            return 1;
    return 0;
}

/* `text` and one more thing; frees `text`. */
static char *add(char *text, const char *more)
{
    char *longer = text_format("%s%s%s", text, *text ? ", " : "", more);
    free(text);
    return longer;
}

static char *differences(const json_t *record, const option_values *values, const data_print *data)
{
    char *list = text_copy("");
    for (const app_option *option = option_table(values); option->name; option++) {
        char *other = matters(option, values) ? run_record_other(record, values, option) : NULL;
        if (!other)
            continue;
        char *one = text_format("--%s %s", option->name, other);
        list = add(list, one);
        free(one);
        free(other);
    }
    return run_record_check_data(record, data) ? add(list, "other --data") : list;
}

int run_likeness_tell(const char *path, const option_values *values, const data_print *data)
{
    json_t *record;
    char *file = text_format("%s/run.json", path);
    const int status = run_record_read(file, &record);
    free(file);
    if (status)
        return status;
    char *list = differences(record, values, data);
    if (*list)
        tell_warning("--replay-steering: %s has %s: the result will be another one", path, list);
    free(list);
    json_decref(record);
    return CNN_OK;
}
