/* SPDX-License-Identifier: BSD-3-Clause */
#include "checkpoints.h"
#include "recording_facts.h"
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
    text_of_time(progress_seconds(&session->progress), time);
    tell_text(text_format("%llu steps in %s, %.0f images/s; the run is at step %llu, %.2f epochs",
                          (unsigned long long)steps, time, progress_images_per_second(&session->progress),
                          (unsigned long long)trainer->step,
                          cnn_course_epochs(&trainer->course, trainer->step)));
}

/* Tells a count that is worth a line unless it is 0. */
static void tell_count(uint64_t count, const char *what)
{
    if (count)
        tell_text(text_format("pictures: %s: %llu", what, (unsigned long long)count));
}

static void tell_pictures(const app_session *session, const ws_report *report)
{
    if (!session->plan->insitu.draws)
        return;
    tell_text(text_format("pictures: %llu of %llu images written in %s",
                          (unsigned long long)report->images_written,
                          (unsigned long long)report->images_expected, session->folder->images));
    if (!report->pictures)
        tell_line("pictures: none could be made here (weightscape doctor tells why)");
    if (report->script_failures)
        tell_text(
            text_format("pictures: scripts failed %llu times", (unsigned long long)report->script_failures));
    tell_count(report->steps_waiting, "steps still to be drawn");
    tell_count(report->steps_given_up, "steps given up, as drawing them ended the sidecar");
    tell_count(report->restarts, "restarts of the sidecar");
}

static void tell_recording(const app_session *session, const ws_report *report)
{
    char size[TEXT_SIZE_SIZE];
    if (!session->plan->insitu.is_on || !session->plan->insitu.record)
        return;
    if (!report->frames_recorded) {
        tell_text(text_format("recording: no frames in %s", session->folder->recording));
        return;
    }
    recording_facts facts;
    const int known = !recording_facts_read(session->folder->recording, &facts) && facts.frames;
    text_of_size(known ? (double)facts.bytes / (double)facts.frames : 0, size);
    tell_text(text_format("recording: %llu frames%s%s in %s", (unsigned long long)report->frames_recorded,
                          known ? " of " : "", known ? size : "", session->folder->recording));
}

/* Where the training's own thread has spent its time. */
static void tell_share(const app_session *session, const ws_report *report)
{
    const double seconds = progress_seconds(&session->progress);
    if (!report->frames || !(seconds > 0))
        return;
    char all[TEXT_SHARE_SIZE], dumps[TEXT_SHARE_SIZE], live[TEXT_SHARE_SIZE];
    tell_text(text_format("in situ: %s of the time (scripts and recording %s, viewers %s)",
                          text_of_share(report->seconds / seconds, all),
                          text_of_share(report->dump_seconds / seconds, dumps),
                          text_of_share(report->live_seconds / seconds, live)));
}

void session_tell_summary(const app_session *session)
{
    tell_steps(session);
    if (session->validation_step && session->validation_step == session->trainer->step)
        tell_text(text_format("validation: loss %.4f, accuracy %.2f %% of %u images",
                              session->validation.loss, 100 * session->validation.accuracy,
                              session->data.validation.count));
    const ws_report report = insitu_link_report(session->link);
    tell_pictures(session, &report);
    tell_recording(session, &report);
    tell_share(session, &report);
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
