/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes a test of a fuzz target: TARGET FOLDER MUTATIONS gives it every file of the folder, and so many small
 * damages of each. A child does that; when it dies, or takes too long or too much, this tells of which input
 * and keeps it. */
#include "fuzz.h"
#include "mutate.h"
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined __SANITIZE_ADDRESS__
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

enum {
    MOST_BYTES = 1 << 20, /* of a file */
    ROOM = MOST_BYTES + 4096,
    MOST_SECONDS = 20,        /* for one input */
    MOST_KILOBYTES = 1 << 20, /* of memory, where no sanitizer takes much itself */
};

/* Which input is at work: shared with the parent. */
typedef struct progress {
    int seed;
    long mutation; /* 0: none */
    long done;
} progress;

static fuzz_bytes load(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    fuzz_require(file != NULL, "a file of the corpus can be read");
    fuzz_bytes bytes = {.at = malloc(ROOM), .room = ROOM};
    fuzz_require(bytes.at != NULL, "there is memory for a file of the corpus");
    bytes.size = fread(bytes.at, 1, MOST_BYTES, file);
    fclose(file);
    return bytes;
}

/* The input of this number, on memory that ends where it ends, so that a read beyond is seen. */
static fuzz_bytes input_of(const char *folder, const char *name, long mutation)
{
    fuzz_bytes whole = load(folder, name);
    if (mutation)
        fuzz_mutate(&whole, (uint64_t)mutation);
    fuzz_bytes tight = {.at = malloc(whole.size ? whole.size : 1), .size = whole.size, .room = whole.size};
    fuzz_require(tight.at != NULL, "there is memory for the input");
    memcpy(tight.at, whole.at, whole.size);
    free(whole.at);
    return tight;
}

static void run_all(const char *folder, struct dirent **files, int count, long mutations, progress *at)
{
    for (int i = 0; i < count; i++)
        for (long j = 0; j <= mutations; j++) {
            *at = (progress){i, j, at->done};
            fuzz_bytes input = input_of(folder, files[i]->d_name, j);
            alarm(MOST_SECONDS);
            fuzz_require(LLVMFuzzerTestOneInput(input.at, input.size) == 0, "a target returns 0");
            free(input.at);
            at->done++;
        }
    alarm(0);
}

static void keep(const char *folder, const char *name, long mutation)
{
    const fuzz_bytes input = input_of(folder, name, mutation);
    FILE *file = fopen("fuzz.finding", "wb");
    if (file && fwrite(input.at, 1, input.size, file) == input.size && !fclose(file))
        fprintf(stderr, "replay: the input is kept as fuzz.finding\n");
    free(input.at);
}

static int judge(const char *folder, struct dirent **files, const progress *at, int status, long kilobytes)
{
    const char *why = NULL;
    if (WIFSIGNALED(status))
        why = WTERMSIG(status) == SIGALRM ? "takes too long" : "ends the process by a signal";
    else if (WEXITSTATUS(status))
        why = "ends the process";
    else if (!IS_SANITIZED && kilobytes > MOST_KILOBYTES)
        why = "or an input before it takes more than 1 GB of memory";
    if (!why)
        return EXIT_SUCCESS;
    fprintf(stderr, "replay: mutation %ld of %s %s\n", at->mutation, files[at->seed]->d_name, why);
    keep(folder, files[at->seed]->d_name, at->mutation);
    return EXIT_FAILURE;
}

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int main(int argc, char **argv)
{
    fuzz_require(argc == 3, "the arguments are FOLDER MUTATIONS");
    struct dirent **files;
    const int count = scandir(argv[1], &files, is_file, by_name);
    fuzz_require(count > 0, "the corpus has files");
    progress *at = mmap(NULL, sizeof *at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fuzz_require(at != MAP_FAILED, "there is memory to share");
    const pid_t child = fork();
    fuzz_require(child >= 0, "there can be a child");
    if (child == 0)
        run_all(argv[1], files, count, strtol(argv[2], NULL, 10), at);
    int status = 0, result = EXIT_SUCCESS;
    struct rusage usage = {0};
    if (child > 0) {
        fuzz_require(wait4(child, &status, 0, &usage) == child, "the child can be waited for");
        result = judge(argv[1], files, at, status, usage.ru_maxrss);
        printf("%ld inputs, %ld MB\n", at->done, usage.ru_maxrss / 1024);
    }
    for (int i = 0; i < count; i++)
        free(files[i]);
    free(files);
    return result;
}
