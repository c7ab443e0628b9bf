/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `info`: what a checkpoint, an IDX file, a recording or a run holds. */
#include "cnn/status.h"
#include "command.h"
#include "exit_status.h"
#include "info_parts.h"
#include "tell.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char details[] =
    "FILE is a checkpoint (safetensors, ours or anyone's), an IDX file, plain or gzip, a recording, or the "
    "folder "
    "of a run. Files are checked completely.\n\n"
    "Exit status: 0 done; 2 the file cannot be read or does not hold what it should.";

static const app_option options[] = {
    {.name = "json", .kind = OPTION_FLAG, .help = "Print an object"},
    {0},
};

typedef enum file_kind { A_CHECKPOINT, AN_IDX_FILE, A_RECORDING, A_RUN } file_kind;

static const char recording_begins[] = "WSREC";

/* Tells by the first bytes what a file should be; anything else is taken for a checkpoint, whose reader says
 * what is wrong with it. */
static int find_kind(const char *path, file_kind *out)
{
    struct stat about;
    unsigned char first[sizeof recording_begins - 1] = {0};
    if (stat(path, &about) < 0)
        return cnn_fail(CNN_IO_FAILED, "%s: %s", path, strerror(errno));
    if (S_ISDIR(about.st_mode)) {
        *out = A_RUN;
        return CNN_OK;
    }
    FILE *file = fopen(path, "re");
    if (!file)
        return cnn_fail(CNN_IO_FAILED, "%s: %s", path, strerror(errno));
    const size_t count = fread(first, 1, sizeof first, file);
    fclose(file);
    const int is_gzip = count >= 2 && first[0] == 0x1f && first[1] == 0x8b;
    const int is_idx =
        count >= 4 && !first[0] && !first[1] && first[2] == 8 && first[3] >= 1 && first[3] <= 4;
    const int is_recording = count == sizeof first && !memcmp(first, recording_begins, sizeof first);
    *out = is_gzip || is_idx ? AN_IDX_FILE : is_recording ? A_RECORDING : A_CHECKPOINT;
    return CNN_OK;
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    static int (*const read[])(const char *path, json_t **out) = {[A_CHECKPOINT] = info_of_checkpoint,
                                                                  [AN_IDX_FILE] = info_of_idx,
                                                                  [A_RECORDING] = info_of_recording,
                                                                  [A_RUN] = info_of_run};
    static void (*const print[])(const json_t *info) = {[A_CHECKPOINT] = info_print_checkpoint,
                                                        [AN_IDX_FILE] = info_print_idx,
                                                        [A_RECORDING] = info_print_recording,
                                                        [A_RUN] = info_print_run};
    const char *path = operand_at(values, 0);
    file_kind kind = A_CHECKPOINT;
    json_t *info = NULL;
    int status = find_kind(path, &kind);
    if (!status)
        status = read[kind](path, &info);
    if (status) {
        tell_error("%s", cnn_message());
        return status == CNN_NO_MEMORY ? EXIT_FAILED : EXIT_BAD_INPUT;
    }
    if (option_text(values, "json")) {
        json_dumpf(info, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print[kind](info);
    }
    json_decref(info);
    return EXIT_DONE;
}

const app_command command_info = {.name = "info",
                                  .operands = "FILE",
                                  .least = 1,
                                  .most = 1,
                                  .summary = "what a checkpoint, an IDX file, a recording or a run holds",
                                  .details = details,
                                  .options = options,
                                  .run = run};
