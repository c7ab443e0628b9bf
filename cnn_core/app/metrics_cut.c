/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics_cut.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "file_tail.h"
#include "regular_file.h"
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_STEP, CELL_TIME = 2, CELL_VALIDATION_LOSS = 6, CELL_VALIDATION_ACCURACY, CELLS_READ };

/* Splits the row in place; returns how many of the first CELLS_READ cells it has. */
static int split_row(char *line, char *cells[CELLS_READ])
{
    int count = 0;
    line[strcspn(line, "\n")] = '\0';
    for (char *rest = line, *cell; count < CELLS_READ && (cell = strsep(&rest, ","));)
        cells[count++] = cell;
    return count;
}

/* Reads a complete row into *past if it follows the rows before and is of a step <= `last`. */
static int take_row(char *line, uint64_t last, metrics_past *past)
{
    char *cells[CELLS_READ];
    uint64_t step;
    metrics_past next = *past;
    if (!strchr(line, '\n') || split_row(line, cells) < CELLS_READ ||
        cnn_parse_whole("step", cells[CELL_STEP], past->last_step + 1, last, &step) ||
        cnn_parse_real("time_s", cells[CELL_TIME], 0, DBL_MAX, &next.time_s))
        return 0;
    next.rows++;
    next.last_step = step;
    double loss, accuracy;
    /* Empty, or not finite: the value before it stays the last one. */
    if (!cnn_parse_real("loss", cells[CELL_VALIDATION_LOSS], 0, DBL_MAX, &loss) &&
        !cnn_parse_real("accuracy", cells[CELL_VALIDATION_ACCURACY], 0, 1, &accuracy)) {
        next.validation.loss = loss;
        next.validation.accuracy = accuracy;
        next.validation_step = step;
    }
    *past = next;
    return 1;
}

/* Reads the rows that stay; returns the offset of their end, or -1 if the header is another one. *is_cut: a
 * line could not be read, or there is no memory for it. */
static off_t read_rows(FILE *file, const char *header, uint64_t step, metrics_past *past, int *is_cut)
{
    char *line = NULL;
    size_t room = 0;
    off_t end = -1;
    ssize_t length = getline(&line, &room, file);
    if (length > 0 && !strcmp(line, header)) {
        end = ftello(file);
        while ((length = getline(&line, &room, file)) > 0 && take_row(line, step, past))
            end = ftello(file);
    }
    *is_cut = ferror(file) || (length < 0 && !feof(file));
    free(line);
    return end;
}

int metrics_cut(const char *path, const char *header, uint64_t step, metrics_past *past)
{
    FILE *file;
    off_t size;
    int status = regular_file_open(path, &file, &size);
    if (status)
        return status;
    int is_cut;
    const off_t end = read_rows(file, header, step, past, &is_cut);
    if (is_cut)
        status = cnn_fail(CNN_IO_FAILED, "%s: cannot be read", path);
    else if (end < 0)
        status = cnn_fail(CNN_BAD_FILE, "%s: its first line is not that of this network's metrics", path);
    else if (end < size)
        status = file_tail_cut(file, path, end, step, "rows");
    fclose(file);
    return status;
}
