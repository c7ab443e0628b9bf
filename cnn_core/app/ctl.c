/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `ctl`: asks a training for something through its socket. */
#include "cnn/number.h"
#include "cnn/status.h"
#include "command.h"
#include "control.h"
#include "control_socket.h"
#include "exit_status.h"
#include "run_folder.h"
#include "run_record.h"
#include "run_state.h"
#include "signals.h"
#include "tell.h"
#include "text.h"
#include "warnings_text.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char details[] =
    "COMMAND is one of: status (unless given): how the training stands; get [NAME...]: the values of the "
    "knobs; set "
    "NAME VALUE [NAME VALUE...]: turns knobs, all of them or, if one is refused, none; pause; continue (or "
    "resume); "
    "step [N]: goes on for N steps, 1 unless given, and rests again; checkpoint: saves the state now; stop: "
    "ends "
    "the training after its step, with a checkpoint; stop-after-epoch: ends it when the epoch does; merge "
    "[SPEC]: merges similar filters now, as --merge says unless SPEC (threshold=0.9,layers=conv1,...) is "
    "given; "
    "undo-merge: goes back to the state before the last merge.\n\n"
    "The knobs are learning_rate, schedule, momentum, weight_decay, dropout, batch, merge_threshold, "
    "overhead, "
    "live_rate, pause_at "
    "and stop_after_epoch. What is turned is used by the next step, and is written to steering.jsonl in the "
    "run's folder: `weightscape train --replay-steering RUN` turns it again.\n\n"
    "Only the user who trains is let in.\n\n"
    "Exit status: 0 done; 1 the training refuses, does not answer, or nothing trains there; 2 the call "
    "cannot be "
    "understood, or there is no such run.";

static const app_option options[] = {
    {.name = "json", .kind = OPTION_FLAG, .help = "Print the training's answer as an object"},
    {.name = "wait",
     .kind = OPTION_REAL,
     .argument = "SECONDS",
     .fallback = "60",
     .low = 0.001,
     .high = 86400,
     .help = "How long to wait for an answer: a training listens between two steps"},
    {0},
};

/* ---- from words to a request ---- */

/* The words after the command's name. */
typedef struct words {
    const option_values *values;
    size_t first, count;
} words;

static const char *word(const words *given, size_t index)
{
    return operand_at(given->values, given->first + index);
}

static int take_nothing(const words *given, json_t *request)
{
    (void)request;
    return given->count ? cnn_fail(CNN_BAD_ARGUMENT, "\"%s\" is one argument too many", word(given, 0))
                        : CNN_OK;
}

static int take_names(const words *given, json_t *request)
{
    json_t *names = json_array();
    for (size_t i = 0; i < given->count; i++)
        json_array_append_new(names, json_string(word(given, i)));
    if (given->count)
        json_object_set(request, "names", names);
    json_decref(names);
    return CNN_OK;
}

static int take_pairs(const words *given, json_t *request)
{
    if (!given->count)
        return cnn_fail(CNN_BAD_ARGUMENT, "set: NAME VALUE is missing");
    if (given->count % 2)
        return cnn_fail(CNN_BAD_ARGUMENT, "set: the value of \"%s\" is missing",
                        word(given, given->count - 1));
    json_t *values = json_object();
    int status = CNN_OK;
    for (size_t i = 0; i < given->count && !status; i += 2) {
        if (json_object_get(values, word(given, i)))
            status = cnn_fail(CNN_BAD_ARGUMENT, "set: \"%s\" is set twice", word(given, i));
        else if (json_object_set_new(values, word(given, i), json_string(word(given, i + 1))))
            status = cnn_fail(CNN_BAD_ARGUMENT, "set: \"%s\" \"%s\" is not UTF-8", word(given, i),
                              word(given, i + 1));
    }
    json_object_set(request, "values", values);
    json_decref(values);
    return status;
}

static int take_count(const words *given, json_t *request)
{
    uint64_t steps;
    if (!given->count)
        return CNN_OK;
    if (given->count > 1)
        return cnn_fail(CNN_BAD_ARGUMENT, "\"%s\" is one argument too many", word(given, 1));
    const int status = cnn_parse_whole("step", word(given, 0), 1, 1000000000000, &steps);
    if (!status)
        json_object_set_new(request, "count", json_integer((json_int_t)steps));
    return status;
}

static int take_epoch(const words *given, json_t *request)
{
    json_object_set_new(request, "values", json_pack("{s:s}", "stop_after_epoch", "1"));
    return take_nothing(given, request);
}

static int take_spec(const words *given, json_t *request)
{
    if (given->count > 1)
        return cnn_fail(CNN_BAD_ARGUMENT, "\"%s\" is one argument too many", word(given, 1));
    if (given->count && json_object_set_new(request, "spec", json_string(word(given, 0))))
        return cnn_fail(CNN_BAD_ARGUMENT, "merge: \"%s\" is not UTF-8", word(given, 0));
    return CNN_OK;
}

/* ---- what is printed of an answer ---- */

static long long step_of(const json_t *answer)
{
    return (long long)json_integer_value(json_object_get(answer, "step"));
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void print_knobs(const json_t *knobs, const char *indent, int width)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)knobs, name, value) {
        printf("%s%-*s %s\n", indent, width, name, json_is_string(value) ? json_string_value(value) : "-");
    }
}

static void print_get(const json_t *answer)
{
    print_knobs(json_object_get(answer, "knobs"), "", 0);
}

static void print_set(const json_t *answer)
{
    size_t i;
    json_t *change;
    const json_t *changes = json_object_get(answer, "changes");
    json_array_foreach(changes, i, change)
    {
        printf("%s: %s -> %s, from step %lld on\n", text_at(change, "name"), text_at(change, "old"),
               text_at(change, "new"), step_of(answer) + 1);
    }
}

static void print_pause(const json_t *answer)
{
    printf("paused after step %lld\n", step_of(answer));
}

static void print_on(const json_t *answer)
{
    printf("goes on after step %lld\n", step_of(answer));
}

static void print_saved(const json_t *answer)
{
    printf("saved the state after step %lld\n", step_of(answer));
}

static void print_stop(const json_t *answer)
{
    printf("ends after step %lld\n", step_of(answer));
}

static double real_at(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static long long whole_at(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static void print_merge(const json_t *answer)
{
    const json_t *merge = json_object_get(answer, "merge"), *layer, *refused;
    size_t i;
    json_array_foreach(json_object_get(merge, "layers"), i, layer)
    {
        char *groups = json_dumps(json_object_get(layer, "groups"), JSON_COMPACT);
        printf("%s: %lld -> %lld, groups %s; loss %+.6f, predicted %+.6f\n", text_at(layer, "layer"),
               whole_at(layer, "before"), whole_at(layer, "after"), groups, real_at(layer, "measured"),
               real_at(layer, "predicted"));
        free(groups);
    }
    json_array_foreach(json_object_get(merge, "refused"), i, refused)
        printf("refused: %s\n", json_string_value(refused));
    printf("merged after step %lld: loss %.6f to %.6f, accuracy %.2f %% to %.2f %% on %lld %s images\n",
           step_of(answer), real_at(merge, "loss_before"), real_at(merge, "loss_after"),
           100 * real_at(merge, "accuracy_before"), 100 * real_at(merge, "accuracy_after"),
           whole_at(merge, "images"), text_at(merge, "measured_on"));
}

static void print_undo(const json_t *answer)
{
    printf("merge %lld is undone: back after step %lld\n", whole_at(answer, "undone"),
           whole_at(answer, "back_to"));
}

/* With four digits after the dot, whatever the locale. */
static void print_number(const char *label, const json_t *value, double times, const char *unit)
{
    if (!json_is_number(value)) {
        printf("%-13s -\n", label);
        return;
    }
    printf("%-13s %.4f%s\n", label, times * json_number_value(value), unit);
}

static void print_status(const json_t *answer)
{
    const char *by = text_at(answer, "paused_by"), *refused = text_at(answer, "refused");
    printf("%-13s %s%s%s\n", "state", text_at(answer, "state"), *by ? " by " : "", by);
    printf("%-13s %lld of %lld\n", "step", step_of(answer),
           (long long)json_integer_value(json_object_get(answer, "total_steps")));
    print_number("epoch", json_object_get(answer, "epoch"), 1, "");
    print_number("loss", json_object_get(answer, "loss"), 1, "");
    print_number("accuracy", json_object_get(answer, "accuracy"), 100, " %");
    print_number("images/s", json_object_get(answer, "images_per_s"), 1, "");
    print_number("in situ", json_object_get(answer, "insitu_share"), 100, " % of the time");
    const char *widths = text_at(answer, "widths");
    if (*widths)
        printf("%-13s %s, %lld merges\n", "widths", widths, whole_at(answer, "merges"));
    printf("%-13s %lld\n", "process", (long long)json_integer_value(json_object_get(answer, "pid")));
    if (*refused)
        printf("%-13s %s\n", "refused", refused);
    warnings_print(json_object_get(answer, "warnings"), "", "warning", 13);
    puts("knobs");
    print_knobs(json_object_get(answer, "knobs"), "  ", 16);
}

/* ---- the commands ---- */

static const struct {
    const char *word, *command;
    int (*take)(const words *given, json_t *request);
    void (*print)(const json_t *answer);
} table[] = {
    {"status", "status", take_nothing, print_status},
    {"get", "get", take_names, print_get},
    {"set", "set", take_pairs, print_set},
    {"pause", "pause", take_nothing, print_pause},
    {"continue", "continue", take_nothing, print_on},
    {"resume", "continue", take_nothing, print_on},
    {"step", "step", take_count, print_on},
    {"checkpoint", "checkpoint", take_nothing, print_saved},
    {"stop", "stop", take_nothing, print_stop},
    {"stop-after-epoch", "set", take_epoch, print_set},
    {"merge", "merge", take_spec, print_merge},
    {"undo-merge", "undo_merge", take_nothing, print_undo},
};

enum { TABLE_COUNT = sizeof table / sizeof *table };

/* The request as a line, which the caller frees, and the row of the table that it is from. */
static int make_request(const option_values *values, char **line, size_t *row)
{
    const size_t count = operand_count(values);
    const char *name = count > 1 ? operand_at(values, 1) : "status";
    for (*row = 0; *row < TABLE_COUNT && strcmp(table[*row].word, name); ++*row)
        continue;
    if (*row == TABLE_COUNT)
        return cnn_fail(CNN_BAD_ARGUMENT, "\"%s\" is no command (weightscape ctl --help lists them)", name);
    json_t *request = json_pack("{s:s}", "command", table[*row].command);
    const words given = {values, 2, count > 2 ? count - 2 : 0};
    int status = table[*row].take(&given, request);
    char *text = status ? NULL : json_dumps(request, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(request);
    if (!status && !text)
        status = cnn_fail(CNN_BAD_ARGUMENT, "%s: an argument is not UTF-8", name);
    if (!status)
        *line = text_format("%s\n", text);
    free(text);
    if (!status && strlen(*line) > CONTROL_LINE_MOST) {
        free(*line);
        status =
            cnn_fail(CNN_BAD_ARGUMENT, "%s: its arguments are longer than %d bytes", name, CONTROL_LINE_MOST);
    }
    return status;
}

/* ---- asking ---- */

static int send_all(int socket, const char *line)
{
    for (size_t length = strlen(line); length;) {
        const ssize_t sent = send(socket, line, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return -1;
        line += sent > 0 ? sent : 0;
        length -= sent > 0 ? (size_t)sent : 0;
    }
    return 0;
}

/* The answer's line as an object; NULL if none comes. */
static json_t *receive(int socket)
{
    char *answer = memory_of(CONTROL_LINE_MOST + 1, 1);
    size_t used = 0;
    ssize_t got = 1;
    while (got > 0 && used < CONTROL_LINE_MOST && !memchr(answer, '\n', used)) {
        do
            got = recv(socket, answer + used, CONTROL_LINE_MOST - used, 0);
        while (got < 0 && errno == EINTR);
        used += got > 0 ? (size_t)got : 0;
    }
    const int reason = got < 0 ? errno : 0;
    json_t *object = json_loads(answer, JSON_REJECT_DUPLICATES, NULL);
    free(answer);
    errno = reason;
    return object;
}

/* Why nobody has answered. */
static void tell_silence(const run_folder *folder, const json_t *record, int reason)
{
    const run_state state = run_state_of(folder, record);
    const unsigned long long step = state.step;
    struct stat about;
    const int is_anothers = lstat(folder->control, &about) == 0 && about.st_uid != geteuid();
    if (reason == EACCES || reason == EPERM || (is_anothers && state.is_used))
        tell_error("%s: belongs to another user", folder->control);
    else if (reason == EAGAIN || reason == EWOULDBLOCK)
        tell_error("%s: the training does not answer (--wait sets for how long to wait)", folder->path);
    else if (state.is_killed)
        tell_error("%s does not train: it was killed at step %llu", folder->path, step);
    else if (!state.is_used)
        tell_error("%s does not train: it ended at step %llu", folder->path, step);
    else
        tell_error("%s: somebody is at work there, and does not listen: a training that begins or ends, or "
                   "weightscape watch (%s)",
                   folder->path, strerror(reason ? reason : ECONNRESET));
}

static int ask(const run_folder *folder, const json_t *record, const char *line, double seconds,
               json_t **answer)
{
    const int socket = control_socket_connect(folder->path, seconds);
    int reason = errno;
    *answer = NULL;
    if (socket >= 0) {
        *answer = send_all(socket, line) ? NULL : receive(socket);
        reason = errno;
        close(socket);
    }
    if (*answer)
        return EXIT_DONE;
    tell_silence(folder, record, reason);
    return EXIT_FAILED;
}

static int print_answer(const json_t *answer, int as_json, size_t row)
{
    const int is_good = json_is_true(json_object_get(answer, "ok"));
    if (as_json) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (is_good) {
        table[row].print(answer);
    }
    if (!is_good)
        tell_error("refused: %s", text_at(answer, "error"));
    return is_good ? EXIT_DONE : EXIT_FAILED;
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    signals_let_writes_fail();
    run_folder folder = run_folder_of(operand_at(values, 0));
    json_t *record = NULL, *answer = NULL;
    char *line = NULL;
    size_t row = 0;
    int exit_status = EXIT_BAD_INPUT;
    if (make_request(values, &line, &row) || run_state_record(&folder, &record))
        tell_error("%s", cnn_message());
    else
        exit_status = ask(&folder, record, line, option_real(values, "wait"), &answer);
    if (answer)
        exit_status = print_answer(answer, option_text(values, "json") != NULL, row);
    free(line);
    json_decref(answer);
    json_decref(record);
    run_folder_close(&folder);
    return exit_status;
}

const app_command command_ctl = {.name = "ctl",
                                 .operands = "RUN [COMMAND [ARGUMENT...]]",
                                 .least = 1,
                                 .most = 64,
                                 .words = "status|get|set|pause|continue|resume|step|checkpoint|stop|"
                                          "stop-after-epoch|merge|undo-merge",
                                 .summary = "ask a training how it stands, turn its knobs, pause, stop it",
                                 .details = details,
                                 .options = options,
                                 .run = run};
