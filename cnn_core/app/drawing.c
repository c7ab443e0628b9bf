/* SPDX-License-Identifier: BSD-3-Clause */
#include "drawing.h"
#include "exit_status.h"
#include "insitu_link.h"
#include "picture_progress.h"
#include "script_text.h"
#include "signals.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

drawing_scripts drawing_scripts_of_call(const option_values *values)
{
    const size_t count = option_count(values, "pipeline");
    drawing_scripts scripts = {memory_of(count + 1, sizeof *scripts.texts), (uint32_t)count};
    for (size_t i = 0; i < count; i++)
        scripts.texts[i] = option_at(values, "pipeline", i);
    return scripts;
}

drawing_scripts drawing_scripts_of_run(const json_t *record)
{
    const json_t *list = json_object_get(json_object_get(record, "options"), "pipeline");
    const size_t count = json_array_size(list);
    drawing_scripts scripts = {memory_of(count + 1, sizeof *scripts.texts), 0};
    for (size_t i = 0; i < count; i++)
        if (json_is_string(json_array_get(list, i)))
            scripts.texts[scripts.count++] = json_string_value(json_array_get(list, i));
    return scripts;
}

char *drawing_name(const char *script)
{
    const size_t length = script_text_path_length(script);
    char *path = text_format("%.*s", (int)length, script);
    const char *slash = strrchr(path, '/');
    char *name = text_copy(slash ? slash + 1 : path), *dot = strrchr(name, '.');
    if (dot && dot > name)
        *dot = '\0';
    free(path);
    return name;
}

static int is_to_stop(void *context)
{
    (void)context;
    return signals_caught();
}

static void tell_progress(void *context, uint64_t drawn, uint64_t step)
{
    picture_progress_tell_step(context, drawn, step);
}

int drawing_tell_result(const ws_report *report, const char *output, int quiet)
{
    if (!quiet) {
        char *line = text_format("pictures: %llu of %llu images written in %s",
                                 (unsigned long long)report->images_written,
                                 (unsigned long long)report->images_expected, output);
        tell_line(line);
        free(line);
    }
    if (report->script_failures)
        tell_error("scripts failed %llu times", (unsigned long long)report->script_failures);
    if (report->steps_given_up)
        tell_error("%llu steps could not be drawn", (unsigned long long)report->steps_given_up);
    const int failed =
        report->script_failures || report->steps_given_up || report->images_written < report->images_expected;
    return failed ? EXIT_FAILED : EXIT_DONE;
}

static int tell_shown(const ws_report *report, int quiet)
{
    char *line = text_format("live: %llu steps shown", (unsigned long long)report->frames);
    if (!quiet)
        tell_line(line);
    free(line);
    if (report->script_failures)
        tell_error("scripts failed %llu times", (unsigned long long)report->script_failures);
    if (report->steps_given_up)
        tell_error("%llu steps could not be read", (unsigned long long)report->steps_given_up);
    return report->script_failures || report->steps_given_up ? EXIT_FAILED : EXIT_DONE;
}

int drawing_exit_status(int status)
{
    switch (status) {
    case WS_STOPPED:
        return 128 + signals_caught();
    case WS_BAD_ARGUMENT:
    case WS_BAD_SCRIPT:
    case WS_BAD_FILE:
        return EXIT_BAD_INPUT;
    default:
        return EXIT_FAILED;
    }
}

int drawing_run(ws_watch_options *options, int quiet)
{
    picture_progress progress = picture_progress_begin(quiet);
    options->size = sizeof *options;
    options->stop = is_to_stop;
    options->progress = tell_progress;
    options->context = &progress;
    options->log = insitu_tell;
    signals_catch();
    ws_report report = {.size = sizeof report};
    const int status = ws_watch(options, &report);
    if (status && status != WS_STOPPED) {
        tell_error("%s", ws_message());
        return drawing_exit_status(status);
    }
    const int result =
        options->live ? tell_shown(&report, quiet) : drawing_tell_result(&report, options->output, quiet);
    return status ? drawing_exit_status(status) : result;
}
