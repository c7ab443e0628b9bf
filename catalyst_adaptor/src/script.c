/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"
#include "status.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Length of "key" if `text` is "key=...", else 0. */
static size_t key_length(const char *text)
{
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_' || text[length] == '-')
        length++;
    return text[length] == '=' ? length : 0;
}

/* The next comma that a key follows, or the end. */
static const char *argument_end(const char *text)
{
    for (; *text; text++)
        if (*text == ',' && key_length(text + 1))
            break;
    return text;
}

static int parse_arguments(const char *text, ws_script *script)
{
    for (const char *c = text; *c; c++)
        script->argument_count += *c == ',';
    script->arguments = calloc((size_t)script->argument_count + 1, sizeof *script->arguments);
    if (!script->arguments)
        return ws_fail(WS_NO_MEMORY, "script: no memory for its arguments");
    script->argument_count = 0;
    while (*text) {
        const char *end = argument_end(text + 1);
        const size_t length = (size_t)(end - text - 1);
        char *argument = malloc(length + 3);
        if (!argument)
            return ws_fail(WS_NO_MEMORY, "script: no memory for its arguments");
        snprintf(argument, length + 3, "--%.*s", (int)length, text + 1);
        script->arguments[script->argument_count++] = argument;
        text = end;
    }
    return WS_OK;
}

static int check_readable(const char *path)
{
    struct stat about;
    if (stat(path, &about) < 0 || access(path, R_OK) < 0)
        return ws_fail(WS_BAD_SCRIPT, "script %s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode))
        return ws_fail(WS_BAD_SCRIPT, "script %s: is neither a file nor a package", path);
    return WS_OK;
}

static int is_taken(const char *folder, const ws_script *others, int number)
{
    for (int i = 0; i < number; i++)
        if (!strcmp(others[i].folder, folder))
            return 1;
    return 0;
}

/* OUTPUT/NAME.cdb; NAME-2 if that is another script's. */
static int choose_folder(const char *output, const ws_script *others, int number, ws_script *script)
{
    char *absolute = realpath(output, NULL);
    const char *slash = strrchr(script->path, '/'), *name = slash ? slash + 1 : script->path;
    const char *dot = strrchr(name, '.');
    const int length = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
    const size_t size = (absolute ? strlen(absolute) : 0) + (size_t)length + 32;
    script->folder = malloc(size);
    if (!absolute || !script->folder) {
        const int reason = errno;
        free(absolute);
        return ws_fail(WS_IO_FAILED, "%s: %s", output, strerror(reason));
    }
    snprintf(script->folder, size, "%s/%.*s.cdb", absolute, length, name);
    for (int i = 2; is_taken(script->folder, others, number); i++)
        snprintf(script->folder, size, "%s/%.*s-%d.cdb", absolute, length, name, i);
    free(absolute);
    return WS_OK;
}

int ws_script_parse(const char *text, const char *output, const ws_script *others, int number, ws_script *out)
{
    ws_script script = {0};
    const char *end = argument_end(text);
    script.path = strndup(text, (size_t)(end - text));
    int status =
        script.path ? check_readable(script.path) : ws_fail(WS_NO_MEMORY, "script: no memory for its path");
    if (!status)
        status = parse_arguments(end, &script);
    if (!status)
        status = choose_folder(output, others, number, &script);
    if (status)
        ws_script_clear(&script);
    else
        *out = script;
    return status;
}

void ws_script_clear(ws_script *script)
{
    for (int i = 0; i < script->argument_count; i++)
        free(script->arguments[i]);
    free(script->arguments);
    free(script->path);
    free(script->folder);
    *script = (ws_script){0};
}
