/* SPDX-License-Identifier: BSD-3-Clause */
/* The training loop: what happens after each step, and how it ends. */
#include "checkpoints.h"
#include "cnn/status.h"
#include "exit_status.h"
#include "launch.h"
#include "session_parts.h"
#include "signals.h"
#include "tell.h"
#include "text.h"
#include <math.h>
#include <stdlib.h>

/* Tells a failure that does not end the training. */
static void tell_failure(app_session *session, const char *message)
{
    tell_error("%s%s", message, session->ended ? "" : " (training goes on)");
    session->failed = 1;
}

/* Without the other ranks, or if one cannot follow, there are no more steps. Told once, whatever notices it.
 */
static void lose(app_session *session)
{
    if (!session->is_lost)
        tell_error("%s", cnn_message());
    session->is_lost = 1;
    session->failed = 1;
}

/* Tell the failure of a call into cnn_core, or into the adaptor, if it has failed. */
static void check(app_session *session, int status)
{
    if (status == CNN_RANKS_FAILED)
        lose(session);
    else if (status)
        tell_failure(session, cnn_message());
}

static void check_insitu(app_session *session, int status)
{
    /* A file that cannot be written has been told by the adaptor, and is in its report. */
    if (status && status != WS_IO_FAILED)
        tell_failure(session, ws_message());
}

static double time_of(const app_session *session)
{
    return session->time_before + progress_seconds(&session->progress);
}

static void validate(app_session *session, uint64_t step)
{
    const cnn_dataset *set = &session->data.validation;
    int status = cnn_trainer_evaluate(session->trainer, set, EVALUATION_BATCH, &session->validation);
    check(session, status);
    /* The step is done: what belongs to it comes out the same without the others. */
    if (status == CNN_RANKS_FAILED)
        check(session, status = cnn_evaluate(session->net, set, EVALUATION_BATCH, session->threads,
                                             &session->validation));
    if (!status)
        session->validation_step = step;
}

/* The validation of this very step, NULL if none was measured. */
static const cnn_evaluation *validation_at(const app_session *session, uint64_t step)
{
    return step && session->validation_step == step ? &session->validation : NULL;
}

static void keep_row(void *context, const cnn_step *step)
{
    app_session *session = context;
    session->last = *step;
    if (cnn_course_is_end(&session->trainer->course, step->step) && session->data.validation.count)
        validate(session, step->step);
    const double now = time_of(session);
    const metrics_row row = {step, now, validation_at(session, step->step)};
    const insitu_times times = {now, &session->validation};
    check(session, metrics_write(session->metrics, &row));
    check_insitu(session, insitu_link_row(session->link, step, &times));
    session_warn(session, step);
}

static void show_frame(void *context, const cnn_step *step, const cnn_net *net, const cnn_pass *pass)
{
    (void)net; /* the link holds its arrays */
    (void)pass;
    const app_session *session = context;
    insitu_link_frame(session->link, step->step);
}

/* What growth is measured from. There is no gradient yet. */
static void measure_start(const app_session *session)
{
    const cnn_net *net = session->net;
    for (int i = 0; i < net->layer_count; i++) {
        const cnn_layer *layer = &net->layers[i];
        double squares = 0;
        for (size_t j = 0; j < layer->weight_count; j++)
            squares += (double)layer->weight[j] * layer->weight[j];
        session->trainer->norms[i] = (cnn_layer_norms){.weight = sqrt(squares), .gradient = NAN};
    }
}

/* The initial state of a new run; that of a resumed one was shown when it was reached. */
static void show_start(app_session *session, const cnn_observer *observer)
{
    if (session->first_step)
        return;
    measure_start(session);
    const cnn_layer_norms *norms = session->trainer->norms;
    const cnn_step start = {.loss = NAN, .accuracy = NAN, .learning_rate = NAN, .norms = norms};
    const insitu_times times = {0, &session->validation};
    check_insitu(session, insitu_link_row(session->link, &start, &times));
    cnn_trainer_show(session->trainer, observer);
}

/* Rows and turns up to a checkpoint, and what is still to be drawn, are durable before it is: a resumed run
 * finds them all. */
static int store(app_session *session)
{
    cnn_trainer *trainer = session->trainer;
    const int checked = session->is_lost ? CNN_OK : cnn_trainer_check(trainer);
    check(session, checked);
    /* What was the same on all before one was lost is as good as ever. */
    if (checked && !launch_has_failed()) {
        session->is_doubtful = 1;
        return checked;
    }
    insitu_link_sync(session->link);
    check(session, metrics_sync(session->metrics));
    check(session, steering_sync(session->steering));
    const int status = checkpoint_store(session->folder->checkpoints, session->net, trainer->optimizer,
                                        trainer->step, session->plan->keep_checkpoints);
    if (!status)
        session->saved_step = trainer->step;
    return status;
}

static void save(app_session *session)
{
    check(session, store(session));
}

void session_save_merged(app_session *session)
{
    save(session);
    check(session, session_write_record(session, "running"));
}

int session_save_now(app_session *session)
{
    const uint64_t step = session->trainer->step;
    if (step == session->saved_step)
        return step ? CNN_OK : cnn_fail(CNN_BAD_ARGUMENT, "checkpoint: no step is done yet");
    if (session->last_failed)
        return cnn_fail(CNN_BAD_ARGUMENT, "checkpoint: the state after step %llu is not finite",
                        (unsigned long long)step);
    const int status = store(session);
    return status ? status : session_write_record(session, "running");
}

/* Tells the first step that is not finite. Returns 1 if the training ends there. */
static int is_end(app_session *session, int status)
{
    if (!status || session->not_finite)
        return 0;
    session->not_finite = 1;
    const int stop = session->plan->stop_on_nan;
    tell_error("%s (%s)", cnn_message(),
               stop ? "stopped; --on-nan continue would go on" : "training goes on");
    return stop;
}

static void tell_progress(app_session *session, const cnn_step *step)
{
    const cnn_evaluation *validation = validation_at(session, step->step);
    if (progress_is_due(&session->progress, validation))
        progress_tell(&session->progress, step, insitu_link_report(session->link).seconds, validation);
}

static int is_checkpoint_due(const app_session *session, uint64_t step)
{
    const uint64_t every = session->plan->checkpoint_every;
    return every ? step % every == 0 : cnn_course_is_end(&session->trainer->course, step);
}

/* Whoever wanted the training to stop at the end of this epoch has it so, once. */
static void end_epoch(app_session *session)
{
    static const char who[] = "stop_after_epoch";
    if (!session->knobs.stop_after_epoch ||
        !cnn_course_is_end(&session->trainer->course, session->trainer->step))
        return;
    knob_change done = {.name = who, .value = "0"};
    check(session, session_turn(session, &done, 1, KNOB_LOGGED, "the end of the epoch"));
    knobs_free_changes(&done, 1);
    if (session->trainer->step < session->trainer->options.total_steps)
        check(session, session_act(session, "stop", "", who));
}

/* Trains until the end, a signal or somebody ends it or goes back, or a value is not finite; returns 1 for
 * the last. */
static int train(app_session *session, const cnn_observer *observer)
{
    cnn_trainer *trainer = session->trainer;
    for (;;) {
        if (trainer->step < trainer->options.total_steps && !session_is_to_end(session))
            session_steer(session, observer);
        if (trainer->step >= trainer->options.total_steps || session_is_to_end(session) || session->is_lost)
            return 0;
        cnn_step step;
        session->steer.in_step = 1;
        const int status = cnn_trainer_step(trainer, observer, &step);
        session->steer.in_step = 0;
        if (status && status != CNN_NOT_FINITE) {
            lose(session);
            return 0;
        }
        session->last_failed = status != CNN_OK;
        tell_progress(session, &step);
        session_check_budget(session);
        if (is_end(session, status))
            return 1;
        session_merge_due(session);
        end_epoch(session);
        /* A state that is not finite must not push out those that are. */
        if (!status && is_checkpoint_due(session, step.step) && session->saved_step != step.step) {
            save(session);
            check(session, session_write_record(session, "running"));
        }
    }
}

/* Saves what the last step has made, and writes down how it ended: at once, as pictures may take their time.
 */
static void finish(app_session *session, const char *status)
{
    const uint64_t step = session->trainer->step;
    if (!session->stopped && !session->is_doubtful && step > session->saved_step)
        save(session);
    else
        insitu_link_sync(session->link);
    if (session->complete && session->data.validation.count && !validation_at(session, step))
        validate(session, step);
    check(session, session_write_record(session, status));
    if (session->complete || session->stopped) {
        session_tell_viewers(session);
        session_finish_pictures(session);
        check(session, session_write_record(session, status));
    }
    if (!session->plan->quiet)
        session_tell_summary(session);
}

static void tell_how_to_go_on(const app_session *session)
{
    char *folder = text_shell_word(session->folder->path);
    const char *who = session->is_lost         ? "the loss of a rank"
                      : session->steer.stopped ? session->steer.stopped_by
                                               : "a signal";
    tell_warning("ended by %s after step %llu; weightscape train --resume %s goes on", who,
                 (unsigned long long)session->trainer->step, folder);
    free(folder);
}

/* Pictures that are left are of no concern to a run that will go on: it draws them. */
static void tell_what_is_left(const app_session *session)
{
    const uint64_t waiting = insitu_link_report(session->link).steps_waiting;
    if (!waiting)
        return;
    char *folder = text_shell_word(session->folder->path);
    tell_warning("pictures of %llu steps are left; weightscape watch %s draws them",
                 (unsigned long long)waiting, folder);
    free(folder);
}

static int exit_status_of(const app_session *session)
{
    if (session->stopped || session->failed || insitu_link_report(session->link).files_failed ||
        (session->plan->strict && session_misses_pictures(session)))
        return EXIT_FAILED;
    const int is_done = session->complete && !session->cut_short;
    return is_done || !signals_caught() ? EXIT_DONE : 128 + signals_caught();
}

int session_run(app_session *session)
{
    const cnn_observer observer = {.context = session,
                                   .row = keep_row,
                                   .next_frame = insitu_link_next(session->link),
                                   .frame = show_frame};
    signals_catch();
    show_start(session, &observer);
    session->stopped = train(session, &observer);
    if (session->merging.undoes) {
        insitu_link_sync(session->link);
        return EXIT_DONE;
    }
    check(session, launch_check());
    session->complete = !session->stopped && !session->is_lost &&
                        session->trainer->step >= session->trainer->options.total_steps;
    session->ended = 1;
    progress_end(&session->progress);
    const int interrupted = !session->stopped && !session->complete;
    finish(session, session->stopped || session->is_lost ? "failed"
                    : interrupted                        ? "interrupted"
                                                         : "complete");
    check(session, launch_check());
    if (interrupted)
        tell_how_to_go_on(session);
    else
        tell_what_is_left(session);
    return exit_status_of(session);
}
