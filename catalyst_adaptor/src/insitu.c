/* SPDX-License-Identifier: BSD-3-Clause */
#include "weightscape/insitu.h"
#include "bridge.h"
#include "check.h"
#include "display.h"
#include "frame.h"
#include "history.h"
#include "layer.h"
#include "paths.h"
#include "script.h"
#include "status.h"
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { MOST_LAYERS = 4096 };

static const double default_script_seconds = 120;

struct ws_insitu {
    volatile uint64_t next; /* published: the next step that somebody wants to see */
    char *output, *history_path;
    char **script_texts;
    ws_script *scripts;
    int script_count; /* of scripts; script_texts has as many once started */
    uint32_t text_count;
    uint64_t first_step;
    double script_seconds;
    int required, read_only, started;
    void (*log)(void *context, ws_log_level level, const char *line);
    void *log_context;
    ws_layer_state *layers;
    int layer_count;
    uint64_t generation;
    ws_history history;
    ws_row last_row; /* the state that is shown */
    ws_norms *norms; /* of a row, when the host gives none */
    ws_frame_buffer buffer;
    ws_display display;
    void *plugin;
    const ws_bridge_api *bridge_api;
    ws_bridge *bridge;
    ws_report report;
};

static double steady_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void log_to_stderr(void *context, ws_log_level level, const char *line)
{
    (void)context;
    fprintf(stderr, "weightscape: %s%s\n",
            level == WS_LOG_ERROR     ? "error: "
            : level == WS_LOG_WARNING ? "warning: "
                                      : "",
            line);
}

static void tell(const ws_insitu *insitu, ws_log_level level, const char *line)
{
    insitu->log(insitu->log_context, level, line);
}

/* ---- creation ---- */

static int copy_options(const ws_options *options, ws_insitu *insitu)
{
    insitu->output = options->output ? strdup(options->output) : NULL;
    insitu->history_path = options->history ? strdup(options->history) : NULL;
    insitu->script_texts = calloc((size_t)options->script_count + 1, sizeof *insitu->script_texts);
    insitu->scripts = calloc((size_t)options->script_count + 1, sizeof *insitu->scripts);
    int missing = (options->output && !insitu->output) || (options->history && !insitu->history_path) ||
                  !insitu->script_texts || !insitu->scripts;
    for (uint32_t i = 0; !missing && i < options->script_count; i++) {
        insitu->script_texts[i] = strdup(options->scripts[i]);
        missing = !insitu->script_texts[i];
        insitu->text_count += !missing;
    }
    return missing ? ws_fail(WS_NO_MEMORY, "insitu: no memory for its options") : WS_OK;
}

int ws_insitu_create(const ws_options *options, ws_insitu **out)
{
    if (options->size != sizeof *options)
        return ws_fail(WS_BAD_ARGUMENT, "ws_options.size: %u, this library's is %zu", options->size,
                       sizeof *options);
    if (options->script_count && (!options->scripts || !options->output))
        return ws_fail(WS_BAD_ARGUMENT, "insitu: %u scripts need a list and an output folder",
                       options->script_count);
    if (!(options->script_seconds >= 0) || options->script_seconds > 1e6)
        return ws_fail(WS_BAD_ARGUMENT, "insitu: script_seconds is not in 0..1e6");
    ws_insitu *insitu = calloc(1, sizeof *insitu);
    if (!insitu)
        return ws_fail(WS_NO_MEMORY, "insitu: no memory");
    insitu->next = WS_NEVER;
    insitu->history.fd = -1;
    insitu->first_step = options->first_step;
    insitu->script_seconds = options->script_seconds > 0 ? options->script_seconds : default_script_seconds;
    insitu->required = options->required;
    insitu->read_only = options->read_only;
    insitu->log = options->log ? options->log : log_to_stderr;
    insitu->log_context = options->log_context;
    insitu->last_row = (ws_row){.size = sizeof(ws_row),
                                .step = options->first_step,
                                .epoch = NAN,
                                .time_s = NAN,
                                .loss = NAN,
                                .accuracy = NAN,
                                .learning_rate = NAN,
                                .validation_loss = NAN,
                                .validation_accuracy = NAN};
    const int status = copy_options(options, insitu);
    if (status)
        ws_insitu_free(insitu);
    else
        *out = insitu;
    return status;
}

int ws_insitu_add_layer(ws_insitu *insitu, const ws_layer *layer)
{
    if (insitu->started)
        return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": layers are added before the start", layer->name);
    if (insitu->layer_count == MOST_LAYERS)
        return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": there are %d layers already", layer->name,
                       MOST_LAYERS);
    ws_layer_state copy;
    const int status = ws_layer_copy(layer, &copy);
    if (status)
        return status;
    for (int i = 0; i < insitu->layer_count; i++)
        if (!strcmp(insitu->layers[i].name, copy.name))
            return ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": is there already", copy.name);
    ws_layer_state *larger = realloc(insitu->layers, (size_t)(insitu->layer_count + 1) * sizeof *larger);
    if (!larger)
        return ws_fail(WS_NO_MEMORY, "layer \"%s\": no memory", copy.name);
    insitu->layers = larger;
    insitu->layers[insitu->layer_count] = copy;
    return insitu->layer_count++;
}

int ws_insitu_change_layer(ws_insitu *insitu, int index, const ws_layer *layer)
{
    if (index < 0 || index >= insitu->layer_count)
        return ws_fail(WS_BAD_ARGUMENT, "layer %d: there are %d", index, insitu->layer_count);
    ws_layer_state copy, *old = &insitu->layers[index];
    int status = ws_layer_copy(layer, &copy);
    if (!status && (strcmp(copy.name, old->name) || copy.given.kind != old->given.kind))
        status = ws_fail(WS_BAD_ARGUMENT, "layer \"%s\": name and kind must stay", old->name);
    if (status)
        return status;
    const int reshaped = memcmp(copy.given.shape, old->given.shape, sizeof copy.given.shape) != 0;
    if (!reshaped && !copy.given.initial) {
        copy.initial = old->initial;
        old->initial = NULL;
    }
    if (insitu->started)
        status = ws_layer_keep_initial(&copy);
    if (status)
        return status;
    ws_layer_clear(old);
    *old = copy;
    insitu->generation += (uint64_t)reshaped;
    return WS_OK;
}

/* ---- start ---- */

static int open_plugin(ws_insitu *insitu)
{
    char path[WS_PATH_SIZE];
    if (!ws_find_bridge(WS_BRIDGE_PLUGIN, path))
        return ws_fail(WS_NO_PICTURES, "no ParaView bridge: %s was not found", WS_BRIDGE_PLUGIN);
    /* Python's extension modules look for its symbols in the whole process. */
    insitu->plugin = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!insitu->plugin)
        return ws_fail(WS_NO_PICTURES, "no ParaView bridge: %s", dlerror());
    ws_bridge_get_function *get;
    /* POSIX's way to turn an object pointer into a function's. */
    *(void **)&get = dlsym(insitu->plugin, WS_BRIDGE_SYMBOL);
    const ws_bridge_api *api = get ? get() : NULL;
    if (!api || api->version != WS_BRIDGE_VERSION)
        return ws_fail(WS_NO_PICTURES, "no ParaView bridge: %s has version %u, %d is needed", path,
                       api ? api->version : 0, WS_BRIDGE_VERSION);
    insitu->bridge_api = api;
    return WS_OK;
}

static int make_folder(const char *path)
{
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return ws_fail(WS_IO_FAILED, "%s: cannot be made: %s", path, strerror(errno));
    return WS_OK;
}

static int parse_scripts(ws_insitu *insitu)
{
    int status = make_folder(insitu->output);
    for (uint32_t i = 0; !status && i < insitu->text_count; i++) {
        status = ws_script_parse(insitu->script_texts[i], insitu->output, insitu->scripts,
                                 insitu->script_count, &insitu->scripts[insitu->script_count]);
        insitu->script_count += !status;
    }
    return status;
}

/* Publishes the next step that somebody wants to see. */
static void look_for_next(ws_insitu *insitu, uint64_t from)
{
    insitu->next = insitu->bridge_api->next(insitu->bridge, from);
}

static void told_import(void *context, int script, const ws_bridge_script *about)
{
    /* The child has imported it before; it can still fail here, if the file
     * changed or memory is short. */
    const ws_insitu *insitu = context;
    if (about->good)
        return;
    char line[1024];
    snprintf(line, sizeof line, "script %s: %s; training goes on without it", insitu->scripts[script].path,
             about->problem);
    tell(insitu, WS_LOG_WARNING, line);
}

/* What can be found out before anything on disk is changed. */
static int try_scripts(ws_insitu *insitu)
{
    ws_check check;
    int status = ws_check_scripts(insitu->scripts, insitu->script_count, insitu->layers, insitu->layer_count,
                                  insitu->script_seconds, &check);
    if (!status && check.views > 0 && check.display != 1)
        status = ws_display_start(&insitu->display);
    if (!status)
        status = open_plugin(insitu);
    return status;
}

static int start_pictures(ws_insitu *insitu)
{
    int status = ws_frame_build(&insitu->buffer, insitu->layers, insitu->layer_count, UINT64_MAX,
                                &insitu->last_row, insitu->first_step, insitu->generation);
    if (status)
        return status;
    const ws_bridge_options options = {.scripts = insitu->scripts,
                                       .script_count = insitu->script_count,
                                       .history = &insitu->history,
                                       .frame = insitu->buffer.frame,
                                       .script_seconds = insitu->script_seconds,
                                       .log = insitu->log,
                                       .log_context = insitu->log_context};
    char message[1024] = "";
    status =
        insitu->bridge_api->open(&options, told_import, insitu, &insitu->bridge, message, sizeof message);
    if (status)
        return ws_fail(status, "%s", message);
    insitu->report.pictures = 1;
    /* A resumed run has shown its first step already. */
    look_for_next(insitu, insitu->first_step ? insitu->first_step + 1 : 0);
    return WS_OK;
}

/* Without pictures the run goes on, unless they are required. */
static int without_pictures(ws_insitu *insitu)
{
    ws_display_stop(&insitu->display);
    if (insitu->required)
        return WS_NO_PICTURES;
    char line[1024];
    snprintf(line, sizeof line, "%s; training goes on without pictures", ws_message());
    tell(insitu, WS_LOG_WARNING, line);
    return WS_OK;
}

int ws_insitu_start(ws_insitu *insitu)
{
    if (insitu->started)
        return ws_fail(WS_BAD_ARGUMENT, "insitu: was started already");
    int status = WS_OK;
    for (int i = 0; !status && i < insitu->layer_count; i++)
        status = ws_layer_keep_initial(&insitu->layers[i]);
    insitu->norms = calloc((size_t)insitu->layer_count + 1, sizeof *insitu->norms);
    if (!status && !insitu->norms)
        status = ws_fail(WS_NO_MEMORY, "insitu: no memory for %d layers", insitu->layer_count);
    if (!status && insitu->text_count)
        status = parse_scripts(insitu);
    if (!status && insitu->script_count)
        status = try_scripts(insitu);
    const int pictures = insitu->script_count && !status;
    if (status == WS_NO_PICTURES)
        status = without_pictures(insitu);
    if (!status)
        status = ws_history_open(insitu->history_path, insitu->layers, insitu->layer_count,
                                 insitu->first_step, insitu->read_only, &insitu->history);
    if (!status && pictures)
        status = start_pictures(insitu);
    if (status == WS_NO_PICTURES)
        status = without_pictures(insitu);
    insitu->started = !status;
    if (!status && insitu->history.count) {
        const double *numbers = ws_history_numbers(&insitu->history, insitu->history.count - 1);
        insitu->last_row = (ws_row){.size = sizeof(ws_row),
                                    .step = (uint64_t)numbers[WS_STEP],
                                    .epoch = numbers[WS_EPOCH],
                                    .time_s = numbers[WS_TIME],
                                    .loss = numbers[WS_LOSS],
                                    .accuracy = numbers[WS_ACCURACY],
                                    .learning_rate = numbers[WS_LEARNING_RATE],
                                    .validation_loss = numbers[WS_VALIDATION_LOSS],
                                    .validation_accuracy = numbers[WS_VALIDATION_ACCURACY]};
    }
    return status;
}

const volatile uint64_t *ws_insitu_next(const ws_insitu *insitu)
{
    return &insitu->next;
}

/* ---- steps ---- */

static const ws_norms *norms_of_row(ws_insitu *insitu, const ws_row *row)
{
    if (row->norm_count)
        return row->norms;
    const int computed = row->step >= insitu->next;
    for (int i = 0; i < insitu->layer_count; i++)
        insitu->norms[i] = computed ? ws_layer_norms(&insitu->layers[i]) : (ws_norms){NAN, NAN, NAN};
    return insitu->norms;
}

int ws_insitu_row(ws_insitu *insitu, const ws_row *row)
{
    const double start = steady_seconds();
    if (row->size != sizeof *row)
        return ws_fail(WS_BAD_ARGUMENT, "ws_row.size: %u, this library's is %zu", row->size, sizeof *row);
    if (!insitu->started)
        return ws_fail(WS_BAD_ARGUMENT, "insitu: a row before the start");
    if (row->norm_count && (row->norm_count != (uint32_t)insitu->layer_count || !row->norms))
        return ws_fail(WS_BAD_ARGUMENT, "insitu: norms of %u layers, there are %d", row->norm_count,
                       insitu->layer_count);
    const int status = ws_history_append(&insitu->history, row, norms_of_row(insitu, row), insitu->layers);
    if (status == WS_OK || status == WS_IO_FAILED) {
        insitu->last_row = *row;
        insitu->last_row.norms = NULL;
    }
    insitu->report.seconds += steady_seconds() - start;
    return status;
}

int ws_insitu_show(ws_insitu *insitu, uint64_t step)
{
    if (!insitu->bridge || step < insitu->next)
        return WS_OK;
    const double start = steady_seconds();
    int active;
    const uint64_t wanted = insitu->bridge_api->wanted(insitu->bridge, step, &active);
    int status = WS_OK;
    if (active)
        status = ws_frame_build(&insitu->buffer, insitu->layers, insitu->layer_count, wanted,
                                &insitu->last_row, step, insitu->generation);
    if (active && !status) {
        insitu->report.frames++;
        if (insitu->bridge_api->show(insitu->bridge, insitu->buffer.frame, &insitu->history))
            status = ws_fail(WS_SCRIPT_FAILED, "step %llu: a script failed", (unsigned long long)step);
        ws_history_flush(&insitu->history);
    }
    look_for_next(insitu, step + 1);
    insitu->report.seconds += steady_seconds() - start;
    return status;
}

int ws_insitu_export(ws_insitu *insitu, uint64_t step, const char *folder)
{
    int status = make_folder(folder);
    if (!status && !insitu->bridge_api)
        status = open_plugin(insitu);
    if (!status)
        status = ws_frame_build(&insitu->buffer, insitu->layers, insitu->layer_count, UINT64_MAX,
                                &insitu->last_row, step, insitu->generation);
    char message[1024] = "";
    if (!status &&
        insitu->bridge_api->write(insitu->buffer.frame, &insitu->history, folder, message, sizeof message))
        status = ws_fail(WS_IO_FAILED, "%s", message);
    return status;
}

void ws_insitu_report(const ws_insitu *insitu, ws_report *report)
{
    const uint32_t size = report->size;
    ws_report full = insitu->report;
    full.size = sizeof full;
    if (insitu->bridge)
        insitu->bridge_api->report(insitu->bridge, &full);
    memcpy(report, &full, size < sizeof full ? size : sizeof full);
    report->size = size;
}

void ws_insitu_free(ws_insitu *insitu)
{
    if (!insitu)
        return;
    if (insitu->bridge)
        insitu->bridge_api->close(insitu->bridge);
    /* The plug-in stays loaded: Python and VTK cannot be unloaded from a process.
     */
    ws_display_stop(&insitu->display);
    if (!insitu->read_only)
        ws_history_flush(&insitu->history);
    ws_history_close(&insitu->history);
    ws_frame_buffer_free(&insitu->buffer);
    for (int i = 0; i < insitu->layer_count; i++)
        ws_layer_clear(&insitu->layers[i]);
    for (int i = 0; i < insitu->script_count; i++)
        ws_script_clear(&insitu->scripts[i]);
    for (uint32_t i = 0; i < insitu->text_count; i++)
        free(insitu->script_texts[i]);
    free(insitu->script_texts);
    free(insitu->scripts);
    free(insitu->layers);
    free(insitu->norms);
    free(insitu->output);
    free(insitu->history_path);
    free(insitu);
}
