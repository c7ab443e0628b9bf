/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics.h"
#include "cnn/number.h"
#include "cnn/replacement.h"
#include "cnn/status.h"
#include "metrics_cut.h"
#include "tell.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Cells before those of layers, and as much again for the step's number and the end. */
enum { ROW_CELLS = 16 };

struct app_metrics {
    char *path;
    const cnn_net *net;
    char *row; /* room for the longest one */
    int fd;
    off_t size; /* of the complete rows */
    int failed;
};

/* The header line; the caller frees it. */
static char *header_of(const cnn_net *net)
{
    char *text =
        text_copy("step,epoch,time_s,loss,accuracy,learning_rate,validation_loss,validation_accuracy");
    for (int i = 0; i < net->layer_count; i++) {
        const cnn_layer *layer = &net->layers[i];
        if (!cnn_layer_has_parameters(layer))
            continue;
        char *longer = text_format("%s,%s_weight_l2,%s_gradient_l2,%s_distance_l2", text, layer->name,
                                   layer->name, layer->name);
        free(text);
        text = longer;
    }
    char *line = text_format("%s\n", text);
    free(text);
    return line;
}

/* The first failure; what is written later is left out. */
static int fail_writing(app_metrics *metrics, const char *what)
{
    metrics->failed = 1;
    return cnn_fail(CNN_IO_FAILED, "%s: cannot be %s: %s", metrics->path, what, strerror(errno));
}

/* Appends a whole row, or takes back what has arrived of it. */
static int append(app_metrics *metrics, const char *row, size_t length)
{
    for (size_t done = 0; done < length;) {
        const ssize_t written = write(metrics->fd, row + done, length - done);
        if (written > 0) {
            done += (size_t)written;
        } else if (written == 0 || errno != EINTR) {
            const int status = fail_writing(metrics, "written");
            if (cnn_cut_file(metrics->fd, metrics->size) < 0)
                tell_warning("%s: its last row is torn (--resume mends it)", metrics->path);
            return status;
        }
    }
    metrics->size += (off_t)length;
    return CNN_OK;
}

/* Opens the file for appending at its end. */
static int open_file(const char *path, const cnn_net *net, app_metrics **out)
{
    const int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return cnn_fail(CNN_IO_FAILED, "%s: %s", path, strerror(errno));
    app_metrics *opened = memory_of(1, sizeof *opened);
    *opened = (app_metrics){.path = text_copy(path),
                            .net = net,
                            .row = memory_of(ROW_CELLS + 3 * (size_t)net->layer_count, CNN_NUMBER_SIZE + 1),
                            .fd = fd,
                            .size = lseek(fd, 0, SEEK_END)};
    *out = opened;
    return CNN_OK;
}

int metrics_create(const char *path, const cnn_net *net, app_metrics **out)
{
    char *header = header_of(net);
    const int status = cnn_replacement_all(path, header, strlen(header));
    free(header);
    return status ? status : open_file(path, net, out);
}

int metrics_resume(const char *path, const cnn_net *net, uint64_t step, metrics_past *past, app_metrics **out)
{
    *past = (metrics_past){.validation = {.loss = NAN, .accuracy = NAN}};
    if (access(path, F_OK) < 0 && errno == ENOENT)
        return metrics_create(path, net, out);
    char *header = header_of(net);
    int status = metrics_cut(path, header, step, past);
    free(header);
    if (!status)
        status = open_file(path, net, out);
    return status;
}

void metrics_follow(app_metrics *metrics, const cnn_net *net)
{
    metrics->net = net;
}

/* Adds a cell, and returns the end of the row. */
static char *add_cell(char *end, double value)
{
    char text[CNN_NUMBER_SIZE];
    return end + sprintf(end, ",%s", cnn_format_real(value, text));
}

/* Makes the row as text, for which there is room, and returns its length. */
static size_t make_row(const cnn_net *net, const metrics_row *row, char *text)
{
    const cnn_step *step = row->step;
    char *end = text + sprintf(text, "%llu", (unsigned long long)step->step);
    const double cells[] = {step->epoch, row->time_s, step->loss, step->accuracy, step->learning_rate};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        end = add_cell(end, cells[i]);
    if (row->validation) {
        end = add_cell(end, row->validation->loss);
        end = add_cell(end, row->validation->accuracy);
    } else {
        end += sprintf(end, ",,");
    }
    for (int i = 0; i < net->layer_count; i++) {
        if (!cnn_layer_has_parameters(&net->layers[i]))
            continue;
        end = add_cell(end, step->norms[i].weight);
        end = add_cell(end, step->norms[i].gradient);
        end = add_cell(end, step->norms[i].distance);
    }
    *end++ = '\n';
    return (size_t)(end - text);
}

int metrics_write(app_metrics *metrics, const metrics_row *row)
{
    if (metrics->failed)
        return CNN_OK;
    return append(metrics, metrics->row, make_row(metrics->net, row, metrics->row));
}

int metrics_sync(app_metrics *metrics)
{
    return metrics->failed || cnn_sync_file(metrics->fd) == 0 ? CNN_OK
                                                              : fail_writing(metrics, "made durable");
}

int metrics_close(app_metrics *metrics)
{
    if (!metrics)
        return CNN_OK;
    const int failed = metrics->failed;
    close(metrics->fd);
    free(metrics->path);
    free(metrics->row);
    free(metrics);
    return failed ? CNN_IO_FAILED : CNN_OK;
}
