/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_publish [ROUNDS]: what it takes to publish a frame of 15 million floats, beside a plain copy of the
 * same bytes; the two take turns, medians count. Without a reader, then with one in another process that
 * reads every frame it gets. Prints one line of JSON. */
#include "ring.h"
#include "ring_frames.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { VALUES = 15000000, ROUNDS = 31, MOST_ROUNDS = 10000, WARM_UP = 3 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double publish(ws_ring *ring, const void *values, uint64_t step)
{
    const double start = now();
    char *memory = ws_ring_begin(ring, NULL, NULL);
    ring_frame_head(memory, VALUES, step);
    memcpy(memory + ring_frame_offset(), values, VALUES * sizeof(float));
    ws_ring_publish(ring, 0);
    return now() - start;
}

static double copy(void *to, const void *from)
{
    const double start = now();
    memcpy(to, from, VALUES * sizeof(float));
    return now() - start;
}

static int is_number(const char *text, int *out)
{
    char *end;
    const long value = strtol(text, &end, 10);
    *out = (int)value;
    return *text && !*end && value >= 1 && value <= MOST_ROUNDS;
}

/* What both ways have taken. */
typedef struct times {
    double publish_s, memcpy_s;
} times;

static times measure(ws_ring *ring, const float *from, float *to, int rounds, uint64_t *step)
{
    static double published[MOST_ROUNDS], copied[MOST_ROUNDS];
    for (int i = -WARM_UP; i < rounds; i++) {
        const int at = i < 0 ? 0 : i;
        published[at] = publish(ring, from, ++*step);
        copied[at] = copy(to, from);
    }
    return (times){median(published, rounds), median(copied, rounds)};
}

/* Another process: reads frames until it is killed. */
static void follow(const ws_ring *ring, int ready)
{
    ws_ring_reader *reader;
    uint64_t after = 0;
    volatile float sum = 0; /* so that the reading is done */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (ws_ring_attach(ws_ring_descriptor(ring), NULL, 0, NULL, 1, &reader) != WS_OK ||
        write(ready, "x", 1) != 1)
        _exit(1);
    for (;;) {
        const char *frame = ws_ring_take_newest(reader, after);
        if (!frame) {
            usleep(500);
            continue;
        }
        const float *values = (const float *)(frame + ring_frame_offset());
        for (size_t i = 0; i < VALUES; i++)
            sum += values[i];
        after = ws_frame_head(frame)->step;
        ws_ring_done(reader, after);
        ws_ring_release(reader);
    }
}

static pid_t start_follower(const ws_ring *ring)
{
    int ready[2];
    char byte;
    if (pipe(ready) != 0)
        return -1;
    const pid_t child = fork();
    if (child == 0)
        follow(ring, ready[1]);
    close(ready[1]);
    const int came = child > 0 && read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    return came ? child : -1;
}

static int run(ws_ring *ring, float *from, float *to, int rounds)
{
    uint64_t step = 0;
    const times alone = measure(ring, from, to, rounds, &step);
    const pid_t child = start_follower(ring);
    if (child < 0) {
        fprintf(stderr, "bench_publish: no reader comes: %s\n", ws_message());
        return 1;
    }
    const times followed = measure(ring, from, to, rounds, &step);
    ws_ring_progress progress;
    ws_ring_progress_of(ring, 1, &progress);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    if (progress.done <= (uint64_t)(rounds + WARM_UP)) {
        fprintf(stderr, "bench_publish: the reader has read no frame\n");
        return 1;
    }
    printf("{\"publish_s\": %.6f, \"memcpy_s\": %.6f, \"ratio\": %.4f, "
           "\"followed\": {\"publish_s\": %.6f, \"memcpy_s\": %.6f, \"ratio\": %.4f}}\n",
           alone.publish_s, alone.memcpy_s, alone.publish_s / alone.memcpy_s, followed.publish_s,
           followed.memcpy_s, followed.publish_s / followed.memcpy_s);
    return 0;
}

int main(int argc, char **argv)
{
    int rounds = ROUNDS;
    if (argc > 2 || (argc == 2 && !is_number(argv[1], &rounds))) {
        fprintf(stderr, "usage: bench_publish [ROUNDS], 1 to %d\n", MOST_ROUNDS);
        return 2;
    }
    const ws_ring_options options = {.frame_bytes = ring_frame_bytes(VALUES)};
    float *from = malloc(VALUES * sizeof *from), *to = malloc(VALUES * sizeof *to);
    ws_ring *ring = NULL;
    int failed = 1;
    if (!from || !to)
        fprintf(stderr, "bench_publish: no memory for %d floats\n", VALUES);
    else if (ws_ring_create(&options, &ring) != WS_OK)
        fprintf(stderr, "bench_publish: %s\n", ws_message());
    else {
        for (size_t i = 0; i < VALUES; i++)
            from[i] = to[i] = (float)i;
        failed = run(ring, from, to, rounds);
    }
    ws_ring_free(ring);
    free(from);
    free(to);
    return failed;
}
