/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "command.h"
#include "help.h"
#include "tell.h"
#include "text.h"
#include <jansson.h>
#include <popt.h>
#include <stdlib.h>
#include <string.h>

typedef struct text_list {
    char **texts;
    size_t count;
    int given; /* by the call */
} text_list;

struct option_values {
    const app_option *table;
    text_list *lists; /* one per row of the table */
    text_list operands;
};

static size_t table_length(const app_option *table)
{
    size_t length = 0;
    while (table[length].name)
        length++;
    return length;
}

static void list_add(text_list *list, const char *text)
{
    char **texts = memory_of(list->count + 1, sizeof *texts);
    if (list->count)
        memcpy(texts, list->texts, list->count * sizeof *texts);
    texts[list->count++] = text_copy(text);
    free(list->texts);
    list->texts = texts;
}

static void list_clear(text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->texts[i]);
    free(list->texts);
    *list = (text_list){0};
}

/* The row of `name`; the callers' names are literals of the same table. */
static size_t row_of(const option_values *values, const char *name)
{
    size_t row = 0;
    while (strcmp(values->table[row].name, name))
        row++;
    return row;
}

static int check_choice(const app_option *option, const char *text)
{
    for (const char *word = option->argument; *word; word += *word == '|') {
        const size_t length = strcspn(word, "|");
        if (length == strlen(text) && !memcmp(word, text, length))
            return CNN_OK;
        word += length;
    }
    return cnn_fail(CNN_BAD_ARGUMENT, "--%s: \"%s\" is not one of %s", option->name, text, option->argument);
}

/* Texts are recorded as JSON, which has no other encoding. */
static int check_utf8(const app_option *option, const char *text)
{
    json_t *string = json_string(text);
    if (!string)
        return cnn_fail(CNN_BAD_ARGUMENT, "--%s: \"%s\" is not UTF-8", option->name, text);
    json_decref(string);
    return CNN_OK;
}

int option_check(const app_option *option, const char *text)
{
    char *name = text_format("--%s", option->name);
    uint64_t whole;
    double real;
    int status = check_utf8(option, text);
    if (!status && option->kind == OPTION_WHOLE)
        status = cnn_parse_whole(name, text, option->least, option->most, &whole);
    else if (!status && option->kind == OPTION_REAL)
        status = cnn_parse_real(name, text, option->low, option->high, &real);
    else if (!status && option->kind == OPTION_CHOICE)
        status = check_choice(option, text);
    else if (!status && option->kind == OPTION_TEXT && !*text)
        status = cnn_fail(CNN_BAD_ARGUMENT, "--%s: is empty, %s is wanted", option->name, option->argument);
    free(name);
    return status;
}

int option_can_be_undone(const app_option *option)
{
    return option->kind == OPTION_FLAG && option->rule == OPTION_OF_RUN;
}

/* Takes the options that popt finds into `values`. */
static int take_options(poptContext context, option_values *values)
{
    int code;
    const int help = (int)table_length(values->table) + 1;
    while ((code = poptGetNextOpt(context)) > 0) {
        if (code == help)
            return OPTIONS_HELPED;
        if (code > help) {
            list_clear(&values->lists[code - help - 1]);
            values->lists[code - help - 1].given = 1;
            continue;
        }
        const app_option *option = &values->table[code - 1];
        text_list *list = &values->lists[code - 1];
        char *text = option->kind == OPTION_FLAG ? text_copy("1") : poptGetOptArg(context);
        if (!text && !option->implied) {
            tell_error("--%s: no memory for its value", option->name);
            return OPTIONS_BAD;
        }
        if (!text)
            text = text_copy(option->implied);
        const int status = option_check(option, text);
        if (!status) {
            if (!option->repeatable)
                list_clear(list);
            list_add(list, text);
            list->given = 1;
        }
        free(text);
        if (status) {
            tell_error("%s", cnn_message());
            return OPTIONS_BAD;
        }
    }
    if (code < -1) {
        tell_error("%s: %s", poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(code));
        return OPTIONS_BAD;
    }
    return OPTIONS_GOOD;
}

static int take_operands(poptContext context, const app_command *command, option_values *values)
{
    for (const char *text; (text = poptGetArg(context));)
        list_add(&values->operands, text);
    const size_t count = values->operands.count;
    if (count < (size_t)command->least) {
        tell_error("%s is missing (weightscape %s --help)", command->operands, command->name);
        return OPTIONS_BAD;
    }
    if (count > (size_t)command->most) {
        tell_error("\"%s\" is one argument too many", values->operands.texts[command->most]);
        return OPTIONS_BAD;
    }
    return OPTIONS_GOOD;
}

int options_parse(const app_command *command, int argc, char **argv, option_values **out)
{
    option_values *values = memory_of(1, sizeof *values);
    values->table = command->options;
    values->lists = memory_of(table_length(command->options), sizeof *values->lists);

    struct poptOption *table = help_popt_table(command);
    poptContext context = poptGetContext("weightscape", argc, (const char **)argv, table, 0);
    int result = OPTIONS_BAD;
    if (context)
        result = take_options(context, values);
    else
        tell_error("no memory for the options");
    if (result == OPTIONS_HELPED)
        help_of_command(command, context);
    if (result == OPTIONS_GOOD)
        result = take_operands(context, command, values);
    poptFreeContext(context);
    help_free_popt_table(table);
    if (result == OPTIONS_GOOD)
        *out = values;
    else
        options_free(values);
    return result;
}

void options_free(option_values *values)
{
    if (!values)
        return;
    for (size_t i = 0; values->table[i].name; i++)
        list_clear(&values->lists[i]);
    list_clear(&values->operands);
    free(values->lists);
    free(values);
}

int option_given(const option_values *values, const char *name)
{
    return values->lists[row_of(values, name)].given;
}

void options_forget_call(option_values *values)
{
    for (size_t i = 0; values->table[i].name; i++)
        values->lists[i].given = 0;
}

const char *option_text(const option_values *values, const char *name)
{
    const size_t row = row_of(values, name);
    const text_list *list = &values->lists[row];
    return list->count ? list->texts[list->count - 1] : values->table[row].fallback;
}

uint64_t option_whole(const option_values *values, const char *name)
{
    const app_option *option = &values->table[row_of(values, name)];
    uint64_t value = 0;
    cnn_parse_whole(name, option_text(values, name), option->least, option->most, &value);
    return value;
}

double option_real(const option_values *values, const char *name)
{
    const app_option *option = &values->table[row_of(values, name)];
    double value = 0;
    cnn_parse_real(name, option_text(values, name), option->low, option->high, &value);
    return value;
}

size_t option_count(const option_values *values, const char *name)
{
    return values->lists[row_of(values, name)].count;
}

const char *option_at(const option_values *values, const char *name, size_t index)
{
    return values->lists[row_of(values, name)].texts[index];
}

int option_set(option_values *values, const char *name, const char *text)
{
    text_list *list = &values->lists[row_of(values, name)];
    const int status = text ? option_check(&values->table[row_of(values, name)], text) : CNN_OK;
    if (status)
        return status;
    list_clear(list);
    if (text)
        list_add(list, text);
    return CNN_OK;
}

int option_add(option_values *values, const char *name, const char *text)
{
    const size_t row = row_of(values, name);
    const int status = option_check(&values->table[row], text);
    if (!status)
        list_add(&values->lists[row], text);
    return status;
}

int option_replace(option_values *values, const char *name, size_t index, const char *text)
{
    const size_t row = row_of(values, name);
    const int status = option_check(&values->table[row], text);
    if (status)
        return status;
    free(values->lists[row].texts[index]);
    values->lists[row].texts[index] = text_copy(text);
    return CNN_OK;
}

const app_option *option_table(const option_values *values)
{
    return values->table;
}

size_t operand_count(const option_values *values)
{
    return values->operands.count;
}

const char *operand_at(const option_values *values, size_t index)
{
    return values->operands.texts[index];
}
