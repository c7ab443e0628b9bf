/* SPDX-License-Identifier: BSD-3-Clause */
/* [mpirun -np N] bench_ranks ROUNDS: what ranks of a training say to each other, without the training: a sum
 * of gradients as the program makes it (each rank adds a block, in the order of ranks, and sends it to all),
 * a row of each rank to all, what is shown to rank 0, and a picture put together from what each rank has
 * drawn (halves of it change hands, which takes a power of two). Rounds take turns; rank 0 prints medians as
 * one line of JSON. */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SMALL = 16 << 10,
    MIDDLE = 256 << 10,
    LARGE = 1663370 * 4, /* gradients of the poster's network */
    ROW = 40,
    IMAGES = 10 * (16 * 28 * 28 + 32 * 14 * 14) * 4, /* activations that are shown of it */
    PICTURE = 1024 * 768 * 8,                        /* colour and depth */
    KINDS = 6,
    MOST_ROUNDS = 1000
};

static int rank, ranks;
static char *own, *other;

static size_t block(size_t bytes, int number)
{
    return bytes / 4 * (size_t)number / (size_t)ranks * 4;
}

static void add(char *to, const char *from, size_t bytes)
{
    float *sums = (float *)(void *)to;
    const float *values = (const float *)(const void *)from;
    for (size_t i = 0; i < bytes / 4; i++)
        sums[i] += values[i];
}

/* Parts of my block come, parts of others' go; or my block goes to all, and theirs come. */
static void exchange(size_t bytes, int is_back)
{
    MPI_Request requests[512];
    const size_t mine = block(bytes, rank + 1) - block(bytes, rank);
    int count = 0;
    for (int step = 1; step < ranks; step++) {
        const int from = (rank + ranks - step) % ranks, to = (rank + step) % ranks;
        const size_t from_bytes = block(bytes, from + 1) - block(bytes, from),
                     to_bytes = block(bytes, to + 1) - block(bytes, to);
        MPI_Irecv(is_back ? own + block(bytes, from) : other + mine * (size_t)from,
                  (int)(is_back ? from_bytes : mine), MPI_BYTE, from, is_back, MPI_COMM_WORLD,
                  &requests[count++]);
        MPI_Isend(own + block(bytes, is_back ? rank : to), (int)(is_back ? mine : to_bytes), MPI_BYTE, to,
                  is_back, MPI_COMM_WORLD, &requests[count++]);
    }
    MPI_Waitall(count, requests, MPI_STATUSES_IGNORE);
}

static void sum(size_t bytes)
{
    const size_t mine = block(bytes, rank + 1) - block(bytes, rank);
    exchange(bytes, 0);
    for (int from = 0; from < ranks; from++)
        if (from != rank)
            add(own + block(bytes, rank), other + mine * (size_t)from, mine);
    exchange(bytes, 1);
}

static void rows(void)
{
    MPI_Allgather(own, ROW, MPI_BYTE, other, ROW, MPI_BYTE, MPI_COMM_WORLD);
}

static void show(void)
{
    MPI_Gather(own, IMAGES / ranks, MPI_BYTE, other, IMAGES / ranks, MPI_BYTE, 0, MPI_COMM_WORLD);
}

/* The nearer of two pixels. */
static void put_together(char *to, const char *from, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += 8) {
        float mine, theirs;
        memcpy(&mine, to + at + 4, 4);
        memcpy(&theirs, from + at + 4, 4);
        if (theirs < mine)
            memcpy(to + at, from + at, 8);
    }
}

static void swap(void)
{
    size_t from = 0, bytes = PICTURE;
    for (int apart = 1; apart < ranks; apart *= 2) {
        const size_t half = bytes / 16 * 8, kept = rank & apart ? from + half : from,
                     sent = rank & apart ? from : from + half;
        MPI_Sendrecv(own + sent, (int)half, MPI_BYTE, rank ^ apart, 2, other, (int)half, MPI_BYTE,
                     rank ^ apart, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        put_together(own + kept, other, half);
        from = kept;
        bytes = half;
    }
    MPI_Gather(own + from, (int)bytes, MPI_BYTE, other, (int)bytes, MPI_BYTE, 0, MPI_COMM_WORLD);
}

static void call(int kind)
{
    static const size_t sizes[] = {SMALL, MIDDLE, LARGE};
    if (kind < 3)
        sum(sizes[kind]);
    else if (kind == 3)
        rows();
    else if (kind == 4)
        show();
    else
        swap();
}

static int compare(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

/* Until the last rank has it. */
static double measure(int kind)
{
    MPI_Barrier(MPI_COMM_WORLD);
    const double began = MPI_Wtime();
    call(kind);
    const double mine = MPI_Wtime() - began;
    double slowest = 0;
    MPI_Reduce(&mine, &slowest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    return slowest;
}

int main(int argc, char **argv)
{
    static const char *const names[KINDS] = {"sum_16k", "sum_256k", "sum_all", "rows", "show", "picture"};
    static double seconds[KINDS][MOST_ROUNDS];
    const int rounds = argc > 1 ? atoi(argv[1]) : 15;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    own = calloc(1, 2 * PICTURE);
    other = calloc(1, 2 * PICTURE);
    if (!own || !other || rounds < 1 || rounds > MOST_ROUNDS || ranks > 250)
        MPI_Abort(MPI_COMM_WORLD, 2);
    const int kinds = ranks & (ranks - 1) ? KINDS - 1 : KINDS;
    for (int kind = 0; kind < kinds; kind++)
        call(kind); /* connections are made when they are first used */
    for (int round = 0; round < rounds; round++)
        for (int kind = 0; kind < kinds; kind++)
            seconds[kind][round] = measure(kind);
    for (int kind = 0; rank == 0 && kind < kinds; kind++) {
        qsort(seconds[kind], (size_t)rounds, sizeof **seconds, compare);
        printf("%s\"%s\": %.9f", kind ? ", " : "{", names[kind], seconds[kind][rounds / 2]);
    }
    if (rank == 0)
        printf("}\n");
    free(own);
    free(other);
    MPI_Finalize();
    return 0;
}
