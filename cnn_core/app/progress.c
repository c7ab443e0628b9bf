/* SPDX-License-Identifier: BSD-3-Clause */
#include "progress.h"
#include "clock.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>

#define LIVE_SECONDS  0.2
#define PLAIN_SECONDS 10.0

typedef unsigned long long number;

static double images_of(const cnn_trainer *trainer)
{
    const cnn_place place = cnn_course_at(&trainer->course, trainer->step);
    return (double)place.epoch * (double)trainer->set->count + (double)place.image;
}

app_progress progress_begin(const cnn_trainer *trainer, int quiet)
{
    const double now = clock_seconds();
    return (app_progress){.quiet = quiet,
                          .trainer = trainer,
                          .first = trainer->step,
                          .images_before = images_of(trainer),
                          .started = now,
                          .told = now};
}

void progress_end(app_progress *progress)
{
    progress_go_on(progress);
    progress->ended = clock_seconds();
}

void progress_rest(app_progress *progress)
{
    progress->rests_since = clock_seconds();
}

void progress_go_on(app_progress *progress)
{
    if (progress->rests_since > 0)
        progress->rested += clock_seconds() - progress->rests_since;
    progress->rests_since = 0;
}

double progress_seconds(const app_progress *progress)
{
    const double now = progress->ended > 0         ? progress->ended
                       : progress->rests_since > 0 ? progress->rests_since
                                                   : clock_seconds();
    return now - progress->started - progress->rested;
}

double progress_images(const app_progress *progress)
{
    return images_of(progress->trainer) - progress->images_before;
}

double progress_images_per_second(const app_progress *progress)
{
    return progress_images(progress) / progress_seconds(progress);
}

int progress_is_due(const app_progress *progress, const cnn_evaluation *validation)
{
    if (progress->quiet)
        return 0;
    const double waited = clock_seconds() - progress->told;
    return validation || waited >= (tell_is_live() ? LIVE_SECONDS : PLAIN_SECONDS);
}

/* The number of the epoch to which step `step` (from 1) belongs. */
static number epochs_begun(const cnn_course *course, uint64_t step)
{
    const cnn_place place = cnn_course_at(course, step);
    return place.epoch + (place.image > 0);
}

static char *line_of(const app_progress *progress, const cnn_step *step, double insitu_seconds)
{
    char left[TEXT_TIME_SIZE], insitu[TEXT_SHARE_SIZE];
    const double spent = progress_seconds(progress);
    const cnn_trainer *trainer = progress->trainer;
    const uint64_t total = trainer->options.total_steps;
    const double steps_to_go = (double)(total - step->step), steps = (double)(step->step - progress->first);
    text_of_time(spent / steps * steps_to_go, left);
    text_of_share(insitu_seconds / spent, insitu);
    const int ranks = step->rank_count;
    char *of_ranks = ranks > 1 ? text_format(" on %d ranks", ranks) : text_copy("");
    const number epoch = epochs_begun(&trainer->course, step->step),
                 epochs = epochs_begun(&trainer->course, total);
    char *line = text_format(
        "epoch %llu/%llu  step %llu/%llu  %.0f images/s%s  loss %.4f  accuracy %.1f %%  in situ %s  "
        "left %s",
        epoch, epochs, (number)step->step, (number)total, progress_images_per_second(progress), of_ranks,
        step->loss, 100 * step->accuracy, insitu, left);
    free(of_ranks);
    return line;
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
