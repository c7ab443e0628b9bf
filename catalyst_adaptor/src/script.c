/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDING ".py"

static int no_memory(const char *text)
{
    return ws_fail(WS_NO_MEMORY, "no memory for script \"%s\"", text);
}

static size_t path_length(const char *text)
{
    for (const char *comma = strchr(text, ','); comma; comma = strchr(comma + 1, ','))
        if ((size_t)(comma - text) > strlen(ENDING) &&
            strncmp(comma - strlen(ENDING), ENDING, strlen(ENDING)) == 0)
            return (size_t)(comma - text);
    const size_t length = strlen(text);
    if (length > strlen(ENDING) && strcmp(text + length - strlen(ENDING), ENDING) == 0)
        return length;
    return strcspn(text, ",");
}

/* An absolute spelling of a path, which need not exist. */
static char *absolute(const char *path, size_t length)
{
    char folder[PATH_MAX] = "";
    if (path[0] != '/' && !getcwd(folder, sizeof folder))
        return NULL;
    const size_t size = strlen(folder) + length + 2;
    char *whole = malloc(size);
    if (whole)
        snprintf(whole, size, "%s%s%.*s", folder, path[0] == '/' ? "" : "/", (int)length, path);
    return whole;
}

static int is_argument(const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    if (!equals || equals == text || !isalpha((unsigned char)text[0]))
        return 0;
    for (const char *c = text; c < equals; c++)
        if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
            return 0;
    return 1;
}

static int parse_arguments(const char *text, const char *from, ws_script *out)
{
    size_t most = 1;
    for (const char *c = from; *c; c++)
        most += *c == ',';
    char **arguments = calloc(most, sizeof *arguments);
    if (!arguments)
        return no_memory(text);
    out->arguments = arguments;
    while (*from == ',') {
        const size_t length = strcspn(++from, ",");
        if (!is_argument(from, length))
            return ws_fail(WS_BAD_ARGUMENT, "script \"%s\": \"%.*s\" is not key=value", text, (int)length,
                           from);
        const size_t size = length + strlen("--") + 1;
        char *argument = malloc(size);
        if (!argument)
            return no_memory(text);
        snprintf(argument, size, "--%.*s", (int)length, from);
        arguments[out->argument_count++] = argument;
        from += length;
    }
    return WS_OK;
}

const char *ws_script_name(const ws_script *script)
{
    const char *slash = strrchr(script->path, '/');
    return slash ? slash + 1 : script->path;
}

static int is_taken(const ws_scripts *scripts, const char *folder)
{
    for (uint32_t i = 0; i < scripts->count; i++)
        if (strcmp(scripts->at[i].folder, folder) == 0)
            return 1;
    return 0;
}

static int name_folder(const char *text, const char *output, const ws_scripts *others, ws_script *out)
{
    const char *name = ws_script_name(out);
    const size_t length = strlen(name);
    const int has_ending = length > strlen(ENDING) && strcmp(name + length - strlen(ENDING), ENDING) == 0;
    const int stem = (int)(has_ending ? length - strlen(ENDING) : length);
    char *root = absolute(output, strlen(output));
    const size_t size = (root ? strlen(root) : 0) + length + 32;
    out->folder = malloc(size);
    if (!root || !out->folder) {
        free(root);
        return no_memory(text);
    }
    snprintf(out->folder, size, "%s/%.*s.cdb", root, stem, name);
    for (unsigned i = 2; is_taken(others, out->folder); i++)
        snprintf(out->folder, size, "%s/%.*s-%u.cdb", root, stem, name, i);
    free(root);
    return WS_OK;
}

void ws_script_free(ws_script *script)
{
    for (uint32_t i = 0; i < script->argument_count; i++)
        free(script->arguments[i]);
    free((void *)script->arguments);
    free(script->folder);
    free(script->path);
}

static int parse(const char *text, const char *output, const ws_scripts *others, ws_script *out)
{
    const size_t length = path_length(text);
    if (length == 0)
        return ws_fail(WS_BAD_ARGUMENT, "script \"%s\": has no path", text);
    out->path = absolute(text, length);
    if (!out->path)
        return no_memory(text);
    const int status = parse_arguments(text, text + length, out);
    return status ? status : name_folder(text, output, others, out);
}

int ws_scripts_parse(const char *const *texts, uint32_t count, const char *output, ws_scripts *out)
{
    *out = (ws_scripts){NULL, 0};
    if (count > 0 && (!output || !*output))
        return ws_fail(WS_BAD_ARGUMENT, "%u scripts, but no output folder for their pictures", count);
    out->at = calloc(count + 1, sizeof *out->at);
    if (!out->at)
        return ws_fail(WS_NO_MEMORY, "no memory for %u scripts", count);
    for (uint32_t i = 0; i < count; i++) {
        const int status = parse(texts[i], output, out, &out->at[i]);
        if (status) {
            ws_script_free(&out->at[i]);
            return status;
        }
        out->count++;
    }
    return WS_OK;
}

int ws_script_is_readable(const ws_script *script)
{
    struct stat status;
    if (access(script->path, R_OK) != 0 || stat(script->path, &status) != 0)
        return ws_fail(WS_BAD_SCRIPT, "script %s: cannot be opened: %s", script->path, strerror(errno));
    return WS_OK;
}

void ws_scripts_free(ws_scripts *scripts)
{
    for (uint32_t i = 0; i < scripts->count; i++)
        ws_script_free(&scripts->at[i]);
    free(scripts->at);
    *scripts = (ws_scripts){NULL, 0};
}
