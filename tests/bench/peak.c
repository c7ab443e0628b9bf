/* SPDX-License-Identifier: BSD-3-Clause */
/* peak THREADS: what the machine itself can do, as an answer to each line `SECONDS` on stdin, one line of
 * JSON: fused multiplications and additions in registers alone (GFLOP/s, two to each), and bytes through
 * memory in arrays that no cache holds (GB/s, as many as the program names: reading one, a = b, a = b +
 * factor c). So many threads do it at once, each on arrays of its own. */
#include "clock.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "cnn/threads.h"
#include "peak_flops.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Floats of one array of all threads together: 64 MB, of which there are three. */
enum { VALUES = 1 << 24, MOST_THREADS = 256, PARTS = 4 };

typedef enum job { FLOPS, READ, COPY, TRIAD } job;

typedef struct work {
    job job;
    double seconds;
    size_t count; /* of one thread */
    float *a, *b, *c;
    double done[MOST_THREADS]; /* FLOP or bytes */
    double sink[MOST_THREADS]; /* so that nothing is left out */
} work;

/* Sums in so many lanes that the additions do not wait for each other. */
static double read_all(const float *a, size_t count)
{
    enum { LANES = 64 };
    float sum[LANES] = {0};
    for (size_t i = 0; i + LANES <= count; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            sum[lane] += a[i + (size_t)lane];
    double total = 0;
    for (int lane = 0; lane < LANES; lane++)
        total += (double)sum[lane];
    return total;
}

/* One round of a job; what it did. */
static double go(work *w, int thread)
{
    const size_t at = (size_t)thread * w->count;
    float *a = w->a + at;
    const float *b = w->b + at, *c = w->c + at;
    const double bytes = (double)(w->count * sizeof *a);
    switch (w->job) {
    case FLOPS:
        return peak_flops(&w->sink[thread]);
    case READ:
        w->sink[thread] += read_all(a, w->count);
        return bytes;
    case COPY:
        memcpy(a, b, w->count * sizeof *a);
        return 2 * bytes;
    case TRIAD:
        for (size_t i = 0; i < w->count; i++)
            a[i] = b[i] + 0.5f * c[i];
        return 3 * bytes;
    }
    return 0;
}

static void task(void *context, int index, int thread)
{
    (void)thread;
    work *w = context;
    const double until = clock_seconds() + w->seconds;
    double done = 0;
    do
        done += go(w, index);
    while (clock_seconds() < until);
    w->done[index] = done;
}

/* Billions a second; all threads begin at once. */
static double rate(work *w, job kind, double seconds, cnn_threads *threads)
{
    const int count = cnn_threads_count(threads);
    w->job = kind;
    w->seconds = seconds;
    const double start = clock_seconds();
    cnn_threads_run(threads, count, task, w);
    const double took = clock_seconds() - start;
    double done = 0;
    for (int i = 0; i < count; i++)
        done += w->done[i];
    return done / took / 1e9;
}

static int answer(work *w, cnn_threads *threads)
{
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        double seconds;
        if (cnn_parse_real("SECONDS", line, 1e-3, 60, &seconds) != CNN_OK) {
            fprintf(stderr, "peak: %s\n", cnn_message());
            return 1;
        }
        const double share = seconds / PARTS;
        const double flops = rate(w, FLOPS, share, threads), reading = rate(w, READ, share, threads);
        const double copying = rate(w, COPY, share, threads), triad = rate(w, TRIAD, share, threads);
        printf("{\"instructions\": \"%s\", \"gflops\": %.6g, \"read_gb_s\": %.6g, \"copy_gb_s\": %.6g, "
               "\"triad_gb_s\": %.6g}\n",
               peak_name(), flops, reading, copying, triad);
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t count;
    if (argc != 2 || cnn_parse_whole("THREADS", argv[1], 1, MOST_THREADS, &count) != CNN_OK) {
        fprintf(stderr, "usage: peak THREADS\n");
        return 2;
    }
    static work w;
    cnn_threads *threads = NULL;
    const size_t bytes = (size_t)VALUES * sizeof(float);
    w = (work){.count = VALUES / count, .a = malloc(bytes), .b = malloc(bytes), .c = malloc(bytes)};
    int failed = 1;
    if (!w.a || !w.b || !w.c) {
        fprintf(stderr, "peak: no memory for %d values\n", VALUES);
    } else if (cnn_threads_create((int)count, &threads) != CNN_OK) {
        fprintf(stderr, "peak: %s\n", cnn_message());
    } else {
        for (size_t i = 0; i < VALUES; i++)
            w.a[i] = w.b[i] = w.c[i] = (float)(i % 7);
        failed = answer(&w, threads);
    }
    cnn_threads_free(threads);
    free(w.a);
    free(w.b);
    free(w.c);
    return failed;
}
