/* SPDX-License-Identifier: BSD-3-Clause */
#include "checkpoints.h"
#include "clock.h"
#include "session_parts.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>

/* Tells a fresh text and frees it. */
static void tell_text(char *text)
{
    tell_line(text);
    free(text);
}

static void tell_steps(const app_session *session)
{
    char time[TEXT_TIME_SIZE];
    const cnn_trainer *trainer = session->trainer;
    const uint64_t steps = trainer->step - session->first_step;
    if (!steps) {
        tell_text(text_format("nothing to do: all %llu steps are done (--steps or --epochs sets a later end)",
                              (unsigned long long)trainer->step));
        return;
    }
    text_of_time(clock_seconds() - session->progress.started, time);
    tell_text(text_format(
        "%llu steps in %s, %.0f images/s; the run is at step %llu, %.2f epochs", (unsigned long long)steps,
        time, progress_images_per_second(&session->progress, trainer->step),
        (unsigned long long)trainer->step, (double)trainer->step / (double)session->steps_per_epoch));
}

static void tell_pictures(const app_session *session)
{
    if (!session->plan->pictures)
        return;
    const ws_report report = insitu_link_report(session->link);
    tell_text(text_format("pictures: %llu of %llu images written in %s",
                          (unsigned long long)report.images_written,
                          (unsigned long long)report.images_expected, session->folder->images));
    if (!report.pictures)
        tell_line("pictures: none could be made here (weightscape doctor tells why)");
    if (report.script_failures)
        tell_text(
            text_format("pictures: scripts failed %llu times", (unsigned long long)report.script_failures));
}

void session_tell_summary(const app_session *session)
{
    tell_steps(session);
    if (session->validation_step && session->validation_step == session->trainer->step)
        tell_text(text_format("validation: loss %.4f, accuracy %.2f %% of %u images",
                              session->validation.loss, 100 * session->validation.accuracy,
                              session->data.validation.count));
    tell_pictures(session);
    if (!session->saved_step)
        return;
    char *last = checkpoint_last_path(session->folder->checkpoints);
    char *word = text_shell_word(last), *data = text_shell_word(session->plan->data);
    tell_text(text_format("checkpoint: %s", last));
    tell_text(text_format("next: weightscape eval --data %s %s", data, word));
    free(last);
    free(word);
    free(data);
}
