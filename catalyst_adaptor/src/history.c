/* SPDX-License-Identifier: BSD-3-Clause */
#include "history.h"
#include "status.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char magic[8] = "WSHIST1";

typedef struct file_header {
    char magic[8];
    uint32_t layer_count;
    uint32_t row_size;
} file_header;

/* ---- bytes to and from a file ---- */

static int write_all(int fd, const void *bytes, size_t size)
{
    const char *from = bytes;
    while (size) {
        const ssize_t done = write(fd, from, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        from += done;
        size -= (size_t)done;
    }
    return 0;
}

/* Returns the bytes read, fewer only at the end of the file, or -1. */
static ssize_t read_all(int fd, void *bytes, size_t size)
{
    size_t got = 0;
    while (got < size) {
        const ssize_t done = read(fd, (char *)bytes + got, size - got);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        if (done == 0)
            break;
        got += (size_t)done;
    }
    return (ssize_t)got;
}

static double steady_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- rows in memory ---- */

void ws_sketch_add(float sketch[WS_SKETCH_SIZE], uint64_t index, float difference)
{
    /* SplitMix64's mixing step (Steele, Lea, Flood 2014) on the index and a fixed
     * seed. */
    uint64_t z = index + 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    sketch[z % WS_SKETCH_SIZE] += z >> 63 ? -difference : difference;
}

static int reserve(ws_history *history, size_t rows)
{
    if (rows <= history->capacity)
        return WS_OK;
    const size_t capacity = rows > 2 * history->capacity ? rows : 2 * history->capacity;
    char *larger = capacity <= SIZE_MAX / 2 / history->row_size
                       ? realloc(history->rows, capacity * history->row_size)
                       : NULL;
    if (!larger)
        return ws_fail(WS_NO_MEMORY, "history: no memory for %zu rows of %zu bytes", capacity,
                       history->row_size);
    history->rows = larger;
    history->capacity = capacity;
    return WS_OK;
}

static uint64_t last_step(const ws_history *history)
{
    return (uint64_t)ws_history_numbers(history, history->count - 1)[WS_STEP];
}

static void take_walk(const ws_layer_state *layer, float *walk)
{
    memset(walk, 0, WS_WALK_SIZE * sizeof *walk);
    walk[0] = layer->given.weight[0];
    walk[1] = layer->count > 1 ? layer->given.weight[ws_layer_offset(layer, 1)] : NAN;
    for (int64_t i = 0; i < layer->count; i++) {
        const int64_t at = ws_layer_offset(layer, i);
        const float initial = layer->given.initial ? layer->given.initial[at] : layer->initial[i];
        ws_sketch_add(walk + 2, (uint64_t)i, layer->given.weight[at] - initial);
    }
}

int ws_history_append(ws_history *history, const ws_row *row, const ws_norms *norms,
                      const ws_layer_state *layers)
{
    if (history->count && row->step <= last_step(history))
        return ws_fail(WS_BAD_ARGUMENT, "history: step %llu does not follow step %llu",
                       (unsigned long long)row->step, (unsigned long long)last_step(history));
    const int status = reserve(history, history->count + 1);
    if (status)
        return status;
    double *numbers = (double *)(void *)(history->rows + history->count * history->row_size);
    const double scalars[WS_SCALARS] = {[WS_STEP] = (double)row->step,
                                        [WS_EPOCH] = row->epoch,
                                        [WS_TIME] = row->time_s,
                                        [WS_LOSS] = row->loss,
                                        [WS_ACCURACY] = row->accuracy,
                                        [WS_LEARNING_RATE] = row->learning_rate,
                                        [WS_VALIDATION_LOSS] = row->validation_loss,
                                        [WS_VALIDATION_ACCURACY] = row->validation_accuracy};
    memcpy(numbers, scalars, sizeof scalars);
    numbers += WS_SCALARS;
    for (int i = 0; i < history->layer_count; i++) {
        *numbers++ = norms[i].weight;
        *numbers++ = norms[i].gradient;
        *numbers++ = norms[i].distance;
    }
    float *walk = (float *)(void *)numbers;
    for (int i = 0; i < history->layer_count; i++)
        if (layers[i].given.kind == WS_CONVOLUTION) {
            take_walk(&layers[i], walk);
            walk += WS_WALK_SIZE;
        }
    history->count++;
    /* A kill loses at most about a second. */
    return steady_seconds() - history->last_write > 1 ? ws_history_flush(history) : WS_OK;
}

int ws_history_flush(ws_history *history)
{
    history->last_write = steady_seconds();
    if (history->fd < 0 || history->written == history->count)
        return WS_OK;
    if (write_all(history->fd, history->rows + history->written * history->row_size,
                  (history->count - history->written) * history->row_size)) {
        const int status =
            ws_fail(WS_IO_FAILED, "%s: cannot be written: %s; the history goes on in memory only",
                    history->path, strerror(errno));
        close(history->fd);
        history->fd = -1;
        return status;
    }
    history->written = history->count;
    return WS_OK;
}

/* ---- the file ---- */

static size_t header_size(const ws_history *history)
{
    return sizeof(file_header) + (size_t)history->layer_count * sizeof *history->layers;
}

static int write_header(ws_history *history)
{
    file_header header = {.layer_count = (uint32_t)history->layer_count,
                          .row_size = (uint32_t)history->row_size};
    memcpy(header.magic, magic, sizeof magic);
    if (write_all(history->fd, &header, sizeof header) ||
        write_all(history->fd, history->layers, (size_t)history->layer_count * sizeof *history->layers))
        return ws_fail(WS_IO_FAILED, "%s: cannot be written: %s", history->path, strerror(errno));
    return WS_OK;
}

/* Whether the file begins with the header that these layers would write. */
static int read_header(const ws_history *history)
{
    file_header header;
    if (read_all(history->fd, &header, sizeof header) != (ssize_t)sizeof header ||
        memcmp(header.magic, magic, sizeof magic))
        return ws_fail(WS_BAD_FILE, "%s: is not a history of Weightscape", history->path);
    const size_t bytes = (size_t)history->layer_count * sizeof *history->layers;
    ws_history_layer *layers = malloc(bytes);
    if (!layers)
        return ws_fail(WS_NO_MEMORY, "history: no memory for %d layers", history->layer_count);
    const int same =
        header.layer_count == (uint32_t)history->layer_count && header.row_size == history->row_size &&
        read_all(history->fd, layers, bytes) == (ssize_t)bytes && !memcmp(layers, history->layers, bytes);
    free(layers);
    return same ? WS_OK : ws_fail(WS_BAD_FILE, "%s: is the history of other layers", history->path);
}

/* Keeps rows [first, count) in a file of their own, under a name that is free.
 */
static int set_aside(const ws_history *history, size_t first, uint64_t step)
{
    const size_t size = strlen(history->path) + 64;
    char *path = malloc(size);
    int fd = -1;
    for (int i = 0; path && fd < 0 && (i == 0 || errno == EEXIST); i++) {
        snprintf(path, size, i ? "%s.after-%llu.%d" : "%s.after-%llu", history->path,
                 (unsigned long long)step, i + 1);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    ws_history copy = *history;
    copy.fd = fd;
    copy.path = path;
    int status = fd < 0 ? ws_fail(WS_IO_FAILED, "%s: rows after step %llu cannot be set aside: %s",
                                  history->path, (unsigned long long)step, strerror(errno))
                        : write_header(&copy);
    if (!status && write_all(fd, history->rows + first * history->row_size,
                             (history->count - first) * history->row_size))
        status = ws_fail(WS_IO_FAILED, "%s: cannot be written: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(path);
    return status;
}

static int read_rows(ws_history *history, uint64_t first_step, int read_only)
{
    struct stat about;
    if (fstat(history->fd, &about) < 0)
        return ws_fail(WS_IO_FAILED, "%s: %s", history->path, strerror(errno));
    const size_t rows = ((size_t)about.st_size - header_size(history)) / history->row_size;
    int status = reserve(history, rows);
    if (status)
        return status;
    if (rows && read_all(history->fd, history->rows, rows * history->row_size) < 0)
        return ws_fail(WS_IO_FAILED, "%s: cannot be read: %s", history->path, strerror(errno));
    history->count = rows;
    size_t kept = rows;
    while (kept && ws_history_numbers(history, kept - 1)[WS_STEP] > (double)first_step)
        kept--;
    if (!read_only && kept < rows)
        status = set_aside(history, kept, first_step);
    history->count = history->written = kept;
    const off_t end = (off_t)(header_size(history) + kept * history->row_size);
    if (!status && !read_only && (ftruncate(history->fd, end) < 0 || lseek(history->fd, end, SEEK_SET) < 0))
        status = ws_fail(WS_IO_FAILED, "%s: cannot be cut: %s", history->path, strerror(errno));
    return status;
}

static int open_file(ws_history *history, uint64_t first_step, int read_only)
{
    history->fd = open(history->path, (read_only ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC, 0666);
    if (history->fd < 0)
        return ws_fail(WS_IO_FAILED, "%s: cannot be opened: %s", history->path, strerror(errno));
    struct stat about;
    if (fstat(history->fd, &about) < 0 || !S_ISREG(about.st_mode))
        return ws_fail(WS_BAD_FILE, "%s: is not a regular file", history->path);
    if (about.st_size == 0 && !read_only)
        return write_header(history);
    int status = read_header(history);
    if (!status)
        status = read_rows(history, first_step, read_only);
    if (!status && read_only) {
        close(history->fd);
        history->fd = -1;
    }
    return status;
}

int ws_history_open(const char *path, const ws_layer_state *layers, int layer_count, uint64_t first_step,
                    int read_only, ws_history *out)
{
    ws_history history = {.layer_count = layer_count, .fd = -1, .last_write = steady_seconds()};
    history.layers = calloc((size_t)layer_count + 1, sizeof *history.layers);
    history.path = path ? strdup(path) : NULL;
    int status =
        history.layers && (!path || history.path) ? WS_OK : ws_fail(WS_NO_MEMORY, "history: no memory");
    for (int i = 0; !status && i < layer_count; i++) {
        strcpy(history.layers[i].name, layers[i].name);
        history.layers[i].kind = layers[i].given.kind;
        history.convolution_count += layers[i].given.kind == WS_CONVOLUTION;
    }
    history.row_size = (size_t)(WS_SCALARS + 3 * layer_count) * sizeof(double) +
                       (size_t)history.convolution_count * WS_WALK_SIZE * sizeof(float);
    if (!status && path)
        status = open_file(&history, first_step, read_only);
    if (status)
        ws_history_close(&history);
    else
        *out = history;
    return status;
}

void ws_history_close(ws_history *history)
{
    if (history->fd >= 0)
        close(history->fd);
    free(history->path);
    free(history->layers);
    free(history->rows);
    *history = (ws_history){.fd = -1};
}
