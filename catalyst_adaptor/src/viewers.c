/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* asprintf */
#include "viewers.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_BYTES 4096

static void write_hex(const uint8_t id[WS_RING_ID_SIZE], char out[2 * WS_RING_ID_SIZE + 1])
{
    for (int i = 0; i < WS_RING_ID_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02x", id[i]);
}

static int read_hex(const char *text, uint8_t id[WS_RING_ID_SIZE])
{
    if (strlen(text) != 2 * WS_RING_ID_SIZE)
        return 0;
    for (int i = 0; i < WS_RING_ID_SIZE; i++) {
        const char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
        char *end;
        id[i] = (uint8_t)strtoul(pair, &end, 16);
        if (*end)
            return 0;
    }
    return 1;
}

int ws_viewers_tell(const char *path, int descriptor, const uint8_t id[WS_RING_ID_SIZE])
{
    char *aside = NULL, hex[2 * WS_RING_ID_SIZE + 1];
    if (asprintf(&aside, "%s.part", path) < 0)
        return ws_fail(WS_NO_MEMORY, "no memory for the name %s", path);
    write_hex(id, hex);
    json_t *note = json_pack("{s:i, s:I, s:i, s:s}", "version", WS_RING_VERSION, "process",
                             (json_int_t)getpid(), "descriptor", descriptor, "id", hex);
    int status = WS_OK;
    if (json_dump_file(note, aside, JSON_INDENT(1)) != 0 || rename(aside, path) != 0)
        status = ws_fail(WS_IO_FAILED, "%s: cannot be written: %s", path, strerror(errno));
    if (status)
        unlink(aside);
    json_decref(note);
    free(aside);
    return status;
}

/* The note, NULL if there is none. */
static int read_note(const char *path, json_t **out)
{
    char bytes[MOST_BYTES];
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT ? 0 : ws_fail(WS_IO_FAILED, "%s: cannot be read: %s", path, strerror(errno));
    const size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    *out = json_loadb(bytes, count, 0, NULL);
    return *out ? 1 : ws_fail(WS_BAD_FILE, "%s: does not tell where a training is", path);
}

int ws_viewers_open(const char *path, int *descriptor, uint8_t id[WS_RING_ID_SIZE])
{
    json_t *note;
    int status = read_note(path, &note);
    if (status <= 0)
        return status;
    const char *hex;
    json_int_t process;
    int number;
    if (json_unpack(note, "{s:I, s:i, s:s}", "process", &process, "descriptor", &number, "id", &hex) != 0 ||
        !read_hex(hex, id))
        status = ws_fail(WS_BAD_FILE, "%s: does not tell where a training is", path);
    json_decref(note);
    if (status < 0)
        return status;
    char place[64];
    snprintf(place, sizeof place, "/proc/%lld/fd/%d", (long long)process, number);
    *descriptor = open(place, O_RDWR | O_CLOEXEC);
    if (*descriptor >= 0)
        return 1;
    if (errno == ENOENT || errno == ESRCH)
        return 0;
    return ws_fail(WS_IO_FAILED, "the training of process %lld cannot be watched: %s", (long long)process,
                   strerror(errno));
}
