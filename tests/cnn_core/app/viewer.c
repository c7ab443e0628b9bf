/* SPDX-License-Identifier: BSD-3-Clause */
/* A viewer that draws nothing: viewer RUN attaches to the training in that folder and does what the lines on
 * its standard input say, answering each with one line.
 *
 *     ask NAME[=VALUE]    gives a command: "asked", or "full"
 *     hold | let-go       wants the training to rest, or not any more: "done"
 *     status              the newest status that the training has told, or "none"
 *     step                the newest step that was shown to it, or "none" */
#include "frame.h"
#include "message.h"
#include "ring.h"
#include "viewers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ws_ring_reader *attach(const char *run)
{
    char path[4096];
    uint8_t id[WS_RING_ID_SIZE];
    int descriptor;
    ws_ring_reader *reader = NULL;
    snprintf(path, sizeof path, "%s/viewers", run);
    if (ws_viewers_open(path, &descriptor, id) != 1)
        return NULL;
    ws_ring_attach(descriptor, id, 0, NULL, 1, &reader);
    close(descriptor);
    return reader;
}

static const char *ask(ws_ring_reader *reader, char *what)
{
    char *value = strchr(what, '=');
    if (value)
        *value++ = '\0';
    return ws_ring_ask(reader, what, value ? value : "") ? "asked" : "full";
}

/* Takes the newest frame, and gives it back. */
static const char *newest(ws_ring_reader *reader, char text[32])
{
    static uint64_t seen = UINT64_MAX;
    const void *frame = ws_ring_take_newest(reader, seen);
    if (frame) {
        seen = ws_frame_head(frame)->step;
        ws_ring_release(reader);
        ws_ring_done(reader, seen);
    }
    snprintf(text, 32, "%llu", (unsigned long long)seen);
    return seen == UINT64_MAX ? "none" : text;
}

int main(int argc, char **argv)
{
    static char status[WS_STATUS_BYTES] = "none";
    char line[1024], text[32];
    ws_ring_reader *reader = argc == 2 ? attach(argv[1]) : NULL;
    if (!reader) {
        fprintf(stderr, "viewer: %s\n", ws_message());
        return 1;
    }
    puts("attached");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        const char *answer = "not understood";
        if (!strncmp(line, "ask ", 4)) {
            answer = ask(reader, line + 4);
        } else if (!strcmp(line, "hold") || !strcmp(line, "let-go")) {
            ws_ring_hold(reader, !strcmp(line, "hold"));
            answer = "done";
        } else if (!strcmp(line, "status")) {
            ws_ring_status(reader, status);
            answer = status;
        } else if (!strcmp(line, "step")) {
            answer = newest(reader, text);
        }
        puts(answer);
        fflush(stdout);
    }
    ws_ring_detach(reader);
    return 0;
}
