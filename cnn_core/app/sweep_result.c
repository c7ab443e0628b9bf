/* SPDX-License-Identifier: BSD-3-Clause */
#include "sweep_result.h"
#include "cnn/number.h"
#include "cnn/replacement.h"
#include "cnn/status.h"
#include "run_folder.h"
#include "run_record.h"
#include "tell.h"
#include "text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- reading ---- */

static double number_of(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static sweep_outcome outcome_of(const json_t *record)
{
    const char *status = run_record_text(record, "status");
    if (status && !strcmp(status, "complete"))
        return SWEEP_COMPLETE;
    if (status && !strcmp(status, "failed"))
        return SWEEP_DIVERGED;
    return status && !strcmp(status, "interrupted") ? SWEEP_STOPPED : SWEEP_WAITS;
}

sweep_result sweep_result_read(const char *path)
{
    sweep_result result = {.seconds = NAN, .loss = NAN, .accuracy = NAN};
    run_folder folder = run_folder_of(path);
    json_t *record;
    if (access(folder.record, F_OK) == 0 && !run_record_read(folder.record, &record)) {
        const json_t *validation = json_object_get(record, "validation");
        result = (sweep_result){.outcome = outcome_of(record),
                                .step = (uint64_t)json_integer_value(json_object_get(record, "step")),
                                .seconds = number_of(json_object_get(record, "seconds")),
                                .loss = number_of(json_object_get(validation, "loss")),
                                .accuracy = number_of(json_object_get(validation, "accuracy"))};
        /* What was measured before a value was lost says nothing of the end. */
        if (result.outcome == SWEEP_DIVERGED)
            result.loss = result.accuracy = NAN;
        json_decref(record);
    }
    run_folder_close(&folder);
    return result;
}

const char *sweep_outcome_name(sweep_outcome outcome)
{
    static const char *const names[] = {"waits", "complete", "diverged", "stopped", "failed"};
    return names[outcome];
}

/* ---- the order ---- */

/* 1 if `a` is to stand before `b`. */
static int is_better(const sweep_result *a, const sweep_result *b)
{
    if (isnan(a->accuracy) || isnan(b->accuracy))
        return !isnan(a->accuracy) && isnan(b->accuracy);
    if (a->accuracy != b->accuracy)
        return a->accuracy > b->accuracy;
    return a->loss < b->loss;
}

size_t *sweep_result_order(const sweep_plan *plan, const sweep_result *results)
{
    size_t *order = memory_of(plan->run_count, sizeof *order);
    for (size_t i = 0; i < plan->run_count; i++) {
        size_t place = i;
        for (; place > 0 && is_better(&results[i], &results[order[place - 1]]); place--)
            order[place] = order[place - 1];
        order[place] = i;
    }
    return order;
}

/* ---- the file ---- */

/* A cell, in quotes where commas, quotes or line ends would split it. */
static void print_text(FILE *file, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, file);
        return;
    }
    putc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', file);
        putc(*text, file);
    }
    putc('"', file);
}

static void print_number(FILE *file, double value)
{
    char text[CNN_NUMBER_SIZE];
    fprintf(file, ",%s", isnan(value) ? "" : cnn_format_real(value, text));
}

static void print_row(FILE *file, const sweep_plan *plan, const sweep_run *run, const sweep_result *result)
{
    print_text(file, run->name);
    for (size_t i = 0; i < plan->axis_count; i++) {
        putc(',', file);
        print_text(file, run->values[i]);
    }
    fprintf(file, ",%s", sweep_outcome_name(result->outcome));
    print_number(file, result->accuracy);
    print_number(file, result->loss);
    fprintf(file, ",%llu,%llu", (unsigned long long)result->step, (unsigned long long)run->steps);
    print_number(file, result->seconds);
    putc('\n', file);
}

static char *table_text(const sweep_plan *plan, const sweep_result *results, size_t *length)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, length);
    if (!file)
        return NULL;
    fputs("run", file);
    for (size_t i = 0; i < plan->axis_count; i++)
        fprintf(file, ",%s", plan->axes[i].option->name);
    fputs(",status,validation_accuracy,validation_loss,step,steps,seconds\n", file);
    size_t *order = sweep_result_order(plan, results);
    for (size_t i = 0; i < plan->run_count; i++)
        print_row(file, plan, &plan->runs[order[i]], &results[order[i]]);
    free(order);
    if (fclose(file) == 0)
        return text;
    free(text);
    return NULL;
}

int sweep_result_write(const char *path, const sweep_plan *plan, const sweep_result *results)
{
    size_t length;
    char *text = table_text(plan, results, &length);
    if (!text)
        return cnn_fail(CNN_NO_MEMORY, "%s: no memory to write it", path);
    const int status = cnn_replacement_all(path, text, length);
    free(text);
    return status;
}

/* ---- for people ---- */

static int width_of(const sweep_plan *plan, size_t axis)
{
    size_t width = strlen(plan->axes[axis].option->name);
    for (size_t i = 0; i < plan->run_count; i++)
        if (strlen(plan->runs[i].values[axis]) > width)
            width = strlen(plan->runs[i].values[axis]);
    return (int)width;
}

/* `text` and a cell that is padded to `width`; frees `text`. */
static char *add_cell(char *text, const char *cell, int width)
{
    char *longer = text_format("%s  %-*s", text, width, cell);
    free(text);
    return longer;
}

static void tell_trimmed(char *line)
{
    for (size_t length = strlen(line); length && line[length - 1] == ' ';)
        line[--length] = '\0';
    tell_line(line);
    free(line);
}

static void tell_row(const sweep_plan *plan, const sweep_run *run, const sweep_result *result)
{
    char accuracy[24] = "-", loss[24] = "-", time[TEXT_TIME_SIZE] = "-";
    if (!isnan(result->accuracy))
        snprintf(accuracy, sizeof accuracy, "%.2f %%", 100 * result->accuracy);
    if (!isnan(result->loss))
        snprintf(loss, sizeof loss, "%.4f", result->loss);
    if (!isnan(result->seconds))
        text_of_time(result->seconds, time);
    char *line =
        text_format("%10s  %8s  %8llu  %12s", accuracy, loss, (unsigned long long)result->step, time);
    for (size_t i = 0; i < plan->axis_count; i++)
        line = add_cell(line, run->values[i], width_of(plan, i));
    if (result->outcome != SWEEP_COMPLETE)
        line = add_cell(line, sweep_outcome_name(result->outcome), 0);
    tell_trimmed(line);
}

void sweep_result_tell(const sweep_plan *plan, const sweep_result *results)
{
    char *head = text_format("%10s  %8s  %8s  %12s", "validation", "loss", "steps", "time");
    for (size_t i = 0; i < plan->axis_count; i++)
        head = add_cell(head, plan->axes[i].option->name, width_of(plan, i));
    tell_trimmed(head);
    size_t *order = sweep_result_order(plan, results);
    for (size_t i = 0; i < plan->run_count; i++)
        tell_row(plan, &plan->runs[order[i]], &results[order[i]]);
    free(order);
}
