/* SPDX-License-Identifier: BSD-3-Clause */
#include "progress.h"
#include "clock.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>

#define LIVE_SECONDS  0.2
#define PLAIN_SECONDS 10.0

typedef unsigned long long number;

app_progress progress_begin(const cnn_trainer *trainer, int quiet)
{
    const double now = clock_seconds();
    return (app_progress){.quiet = quiet,
                          .first = trainer->step,
                          .total = trainer->options.total_steps,
                          .steps_per_epoch = trainer->steps_per_epoch,
                          .images_per_epoch = trainer->set->count,
                          .started = now,
                          .told = now};
}

void progress_end(app_progress *progress)
{
    progress->ended = clock_seconds();
}

double progress_seconds(const app_progress *progress)
{
    return (progress->ended > 0 ? progress->ended : clock_seconds()) - progress->started;
}

double progress_images_per_second(const app_progress *progress, uint64_t step)
{
    const double epochs = (double)(step - progress->first) / (double)progress->steps_per_epoch;
    return epochs * (double)progress->images_per_epoch / progress_seconds(progress);
}

int progress_is_due(const app_progress *progress, const cnn_evaluation *validation)
{
    if (progress->quiet)
        return 0;
    const double waited = clock_seconds() - progress->told;
    return validation || waited >= (tell_is_live() ? LIVE_SECONDS : PLAIN_SECONDS);
}

static char *line_of(const app_progress *progress, const cnn_step *step, double insitu_seconds)
{
    char left[TEXT_TIME_SIZE], insitu[TEXT_SHARE_SIZE];
    const double spent = progress_seconds(progress);
    const double steps_to_go = (double)(progress->total - step->step),
                 steps = (double)(step->step - progress->first);
    text_of_time(spent / steps * steps_to_go, left);
    text_of_share(insitu_seconds / spent, insitu);
    const number epoch = (step->step - 1) / progress->steps_per_epoch + 1,
                 epochs = (progress->total - 1) / progress->steps_per_epoch + 1;
    return text_format(
        "epoch %llu/%llu  step %llu/%llu  %.0f images/s  loss %.4f  accuracy %.1f %%  in situ %s  "
        "left %s",
        epoch, epochs, (number)step->step, (number)progress->total,
        progress_images_per_second(progress, step->step), step->loss, 100 * step->accuracy, insitu, left);
}

void progress_tell(app_progress *progress, const cnn_step *step, double insitu_seconds,
                   const cnn_evaluation *validation)
{
    progress->told = clock_seconds();
    char *line = line_of(progress, step, insitu_seconds);
    if (validation) {
        char *longer = text_format("%s  validation: loss %.4f, accuracy %.2f %%", line, validation->loss,
                                   100 * validation->accuracy);
        tell_line(longer);
        free(longer);
    } else if (tell_is_live()) {
        tell_live(line);
    } else {
        tell_line(line);
    }
    free(line);
}
