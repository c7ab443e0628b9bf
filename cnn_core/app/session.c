/* SPDX-License-Identifier: BSD-3-Clause */
#include "session.h"
#include "checkpoints.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "launch.h"
#include "merge_states.h"
#include "rank_follow.h"
#include "run_likeness.h"
#include "session_parts.h"
#include "tell.h"
#include "text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int session_write_record(const app_session *session, const char *status)
{
    const cnn_trainer *trainer = session->trainer;
    const double now = trainer->step > session->first_step ? progress_seconds(&session->progress) : 0;
    const run_facts facts = {.status = status,
                             .net = session->net,
                             .data = session->print,
                             .step = trainer->step,
                             .total_steps = trainer->options.total_steps,
                             .steps_per_epoch = cnn_course_steps_per_epoch(&trainer->course),
                             .threads = cnn_threads_count(session->threads),
                             .ranks = launch_ranks() ? launch_ranks()->count : 1,
                             .seconds = session->time_before + now,
                             .validation = session->validation,
                             .transport = session->plan->insitu.name,
                             .budget = session->plan->insitu.overhead,
                             .report = insitu_link_report(session->link),
                             .warnings = session->warnings,
                             .started = session->started};
    return run_record_write(session->folder->record, session->values, &facts);
}

static int load_data(app_session *session, const json_t *record)
{
    const train_plan *plan = session->plan;
    const int is_there = session->data.train.count > 0;
    const rank_data wanted = {plan->data,       plan->classes, plan->threads,
                              plan->validation, plan->probe,   plan->seed};
    const int status = is_there ? CNN_OK : rank_data_load(&wanted, &session->data);
    if (status)
        return status;
    session->print = data_source_print(&session->data);
    return record ? run_record_check_data(record, &session->print) : CNN_OK;
}

/* Whether what is to be merged is there. */
static int check_merge(const app_session *session)
{
    const train_plan *plan = session->plan;
    const int status = plan->has_merge ? merge_spec_check("--merge", &plan->merge, session->net) : CNN_OK;
    return status || !plan->has_merge ? status : merge_spec_check_keep("--merge", &plan->merge, session->net);
}

/* The network that the run began with, for a resumed run the same as before. */
static int make_net(app_session *session, const json_t *record)
{
    const train_plan *plan = session->plan;
    const int status =
        cnn_net_create(plan->net, session->data.train.shape, plan->classes, plan->seed, &session->net);
    if (status) {
        /* Some messages name the whole, some a layer. */
        const char *told = cnn_message(), *whole = "net: ";
        return cnn_fail(status, "--net: %s",
                        told + (strncmp(told, whole, strlen(whole)) ? 0 : strlen(whole)));
    }
    const char *before =
        record ? json_string_value(json_object_get(json_object_get(record, "options"), "net")) : NULL;
    if (before && strcmp(before, session->net->spec))
        return cnn_fail(CNN_BAD_ARGUMENT, "--net: \"%s\" contradicts the run, which has \"%s\"",
                        session->net->spec, before);
    session->whole = text_copy(session->net->spec);
    session->merged = merged_filters_open(session->net);
    return check_merge(session);
}

/* Parameters, moments and step of the newest checkpoint, and the widths that merging has left. */
static int load_state(app_session *session)
{
    checkpoint_state state;
    const int status = checkpoint_load_newest(session->folder->checkpoints, session->net,
                                              &session->plan->trainer.optimizer, &state);
    if (status)
        return status;
    if (!state.net) {
        tell_warning("%s: the run has no checkpoint yet and starts again", session->folder->path);
        return CNN_OK;
    }
    cnn_net_free(session->net);
    session->net = state.net;
    session->optimizer = state.optimizer;
    session->first_step = state.step;
    /* Where a kill came between the two names of a state, it is saved again, even if no step is left. */
    session->saved_step = state.is_not_last ? 0 : state.step;
    return CNN_OK;
}

/* Every run of a version that knows the log has one. */
static void tell_missing_log(const app_session *session, const json_t *record)
{
    const char *path = session->folder->steering;
    if (json_object_get(json_object_get(record, "options"), "replay-steering") && access(path, F_OK) < 0)
        tell_warning("%s: is gone; knobs that were turned are as the options say", path);
}

/* What was turned in the run so far, and what is to be turned as in another one. */
static int read_steering(app_session *session, const json_t *record)
{
    if (record)
        tell_missing_log(session, record);
    const char *replayed = session->plan->replay_steering;
    int status =
        record ? steering_read_past(session->folder->steering, session->first_step, &session->past) : CNN_OK;
    if (!status && record)
        steering_log_match(&session->past, session->whole, session->net->spec);
    if (!status && record)
        merged_filters_read(session->merged, &session->past, session->folder->checkpoints);
    if (status || !replayed)
        return status;
    char *path = text_format("%s/steering.jsonl", replayed);
    /* A run that goes on must not depend on another one for ever. */
    if (record && !option_given(session->values, "replay-steering") && access(path, F_OK) < 0)
        tell_warning("%s: is gone; nothing more is turned as there", path);
    else
        status = steering_read(path, &session->replay);
    free(path);
    return status;
}

/* Where epochs end, as far as that is known at the first step. */
static cnn_course course_of(const app_session *session)
{
    cnn_course course = cnn_course_begin(session->data.train.count, session->plan->trainer.batch);
    for (size_t i = 0; i < session->past.count; i++) {
        const steering_entry *entry = &session->past.entries[i];
        uint64_t batch;
        if (entry->before && !strcmp(entry->name, "batch") &&
            !cnn_parse_whole("batch", entry->value, 1, course.images, &batch))
            cnn_course_turn(&course, entry->step, (uint32_t)batch);
    }
    return course;
}

static int find_total(app_session *session)
{
    const cnn_course course = course_of(session);
    return train_plan_total(session->plan, &course, session->first_step);
}

/* What the options amount to on this data is what the record must tell. */
static int settle_options(const app_session *session)
{
    char *total = text_format("%llu", (unsigned long long)session->plan->trainer.total_steps),
         *validation = text_format("%u", session->data.validation.count);
    int status = option_set(session->values, "net", session->whole);
    if (!status)
        status = option_set(session->values, "validation", validation);
    if (!status && session->plan->steps_are_more)
        status = option_set(session->values, "steps", total);
    free(total);
    free(validation);
    return status;
}

/* A time that never comes is no error: the run may go on one day. */
static void tell_late_merges(const app_session *session)
{
    const cnn_course course = course_of(session);
    const merge_spec *spec = &session->plan->merge;
    const uint64_t total = session->plan->trainer.total_steps;
    for (int i = 0; i < spec->at_count; i++) {
        const merge_time *at = &spec->at[i];
        const uint64_t step = !at->is_epochs                  ? at->count
                              : at->count > course.mark_epoch ? cnn_course_end_of(&course, at->count)
                                                              : 0;
        if (step > total)
            tell_warning("--merge: at=%llu%s is after the end, step %llu", (unsigned long long)at->count,
                         at->is_epochs ? "epochs" : "", (unsigned long long)total);
    }
}

/* All that can be wrong before anything is changed. */
static int check_all(app_session *session, const json_t *record)
{
    int status = load_data(session, record);
    if (!status)
        status = make_net(session, record);
    if (!status && record)
        status = load_state(session);
    if (!status)
        status = read_steering(session, record);
    if (!status)
        status = session_check_merges(session);
    if (!status)
        status = find_total(session);
    if (!status)
        tell_late_merges(session);
    if (!status)
        status = settle_options(session);
    if (!status && session->replay.path)
        status = run_likeness_tell(session->plan->replay_steering, session->values, &session->print);
    return status;
}

static int is_to_stop(void *context)
{
    session_listen(context);
    return session_is_to_end(context);
}

static void tell_waiting(void *context, uint64_t done, uint64_t total)
{
    app_session *session = context;
    picture_progress_tell(&session->pictures, done, total);
}

/* From which correlation on filters are shown as a group. */
#define GROUP_THRESHOLD 0.9

static int open_link(app_session *session, const json_t *record)
{
    /* A run that starts again tells its history again, from step 0 on. */
    const int starts_again = record && session->first_step == 0;
    if (starts_again)
        run_folder_lay_past_aside(session->folder);
    const insitu_choice *insitu = &session->plan->insitu;
    const size_t count = insitu->is_on ? option_count(session->values, "pipeline") : 0;
    const char **scripts = memory_of(count + 1, sizeof *scripts);
    for (size_t i = 0; i < count; i++)
        scripts[i] = option_at(session->values, "pipeline", i);
    const insitu_plan plan = {.scripts = scripts,
                              .images = session->folder->images,
                              .folder = session->folder->path,
                              .first_step = session->first_step,
                              .transport = insitu->is_on ? insitu->transport : WS_INLINE,
                              .wait = insitu->wait,
                              .watchers = insitu->is_on,
                              .overhead = insitu->overhead,
                              .record = insitu->is_on ? insitu->record : 0,
                              .live = insitu->live,
                              .ranks = launch_ranks() ? launch_ranks()->count : 0,
                              .views = {.images = &session->data.train,
                                        .probe = session->plan->probe,
                                        .seed = session->plan->seed,
                                        .threshold = GROUP_THRESHOLD},
                              .merged = session->merged,
                              .required = insitu->required,
                              .stop = is_to_stop,
                              .progress = tell_waiting,
                              .context = session};
    const int status = insitu_link_open(&plan, session->net, &session->link);
    free(scripts);
    if (starts_again && status)
        run_folder_bring_past_back(session->folder);
    else if (starts_again)
        run_folder_forget_past(session->folder);
    if (status == WS_NO_MEMORY)
        return cnn_fail(CNN_NO_MEMORY, "%s", ws_message());
    return status ? cnn_fail(CNN_BAD_ARGUMENT, "%s", ws_message()) : CNN_OK;
}

/* What was measured at the step of a merge is not true of the network after it. */
static int has_merged_at(const app_session *session, uint64_t step)
{
    for (size_t i = 0; i < session->past.count; i++)
        if (session->past.entries[i].step == step && steering_is_merge(&session->past.entries[i]))
            return 1;
    return 0;
}

static int open_metrics(app_session *session, const json_t *record)
{
    const char *path = session->folder->metrics;
    if (!record)
        return metrics_create(path, session->net, &session->metrics);
    metrics_past past;
    checkpoint_clean(session->folder->checkpoints);
    /* Without the log nobody can tell which of them are of this past. */
    if (session->merging.number || !session->net->merge_count)
        merge_states_forget(session->folder->checkpoints, session->merging.number);
    const int status = metrics_resume(path, session->net, session->first_step, &past, &session->metrics);
    if (status)
        return status;
    if (past.rows < session->first_step)
        tell_warning("%s: has %llu rows for the %llu steps so far", path, (unsigned long long)past.rows,
                     (unsigned long long)session->first_step);
    session->time_before = past.time_s;
    session->validation = past.validation;
    session->validation_step = has_merged_at(session, past.validation_step) ? 0 : past.validation_step;
    return CNN_OK;
}

/* After the scripts have been loaded: what loads ParaView does it before there are threads. */
static int make_trainer(app_session *session)
{
    cnn_trainer_options options = session->plan->trainer;
    options.ranks = launch_ranks();
    int status = cnn_threads_create(launch_threads(session->plan->threads), &session->threads);
    if (!status)
        insitu_link_use(session->link, session->threads);
    if (!status)
        status = cnn_trainer_create(&options, session->net, &session->data.train, session->threads,
                                    &session->trainer);
    if (!status)
        insitu_link_share(session->link, session->trainer);
    if (status || !session->optimizer)
        return status;
    /* The moments of the checkpoint take the place of the new, zeroed ones. */
    cnn_optimizer_free(session->trainer->optimizer);
    session->trainer->optimizer = session->optimizer;
    session->optimizer = NULL;
    session->trainer->step = session->first_step;
    return CNN_OK;
}

/* A file system without sockets takes away the socket, and nothing else. */
static void open_control(app_session *session, session_legacy *legacy)
{
    const control_desk desk = {session, session_answer, session_refuse_long};
    if (legacy && legacy->control) {
        control_serve_at(legacy->control, &desk);
        session->control = legacy->control;
        legacy->control = NULL;
    } else if (control_open(session->folder->lock, session->folder->path, &desk, &session->control))
        tell_warning("%s (weightscape ctl cannot reach this training)", cnn_message());
}

static int open_all(app_session *session, const json_t *record, session_legacy *legacy)
{
    int status = check_all(session, record);
    if (!status && !record)
        status = run_folder_create(session->plan->run, session->folder);
    if (!status)
        status = open_link(session, record);
    if (!status)
        status = make_trainer(session);
    if (!status)
        status = session_open_knobs(session, record);
    if (!status)
        status = open_metrics(session, record);
    if (!status)
        status = session_open_steering(session, record);
    /* A rank that has no memory for it is known before the first step. */
    if (!status)
        status = cnn_trainer_tell(session->trainer);
    if (!status)
        session_open_warnings(session, record);
    if (!status) {
        session->progress = progress_begin(session->trainer, session->plan->quiet);
        status = session_write_record(session, "running");
    }
    if (!status)
        open_control(session, legacy);
    if (!status && legacy)
        status = session_take_legacy(session, legacy);
    return status;
}

int session_open(train_plan *plan, option_values *values, run_folder *folder, const json_t *record,
                 session_legacy *legacy, app_session **out)
{
    app_session *opened = memory_of(1, sizeof *opened);
    *opened = (app_session){.plan = plan,
                            .values = values,
                            .folder = folder,
                            .validation = {.loss = NAN, .accuracy = NAN},
                            .last = {.loss = NAN, .accuracy = NAN, .learning_rate = NAN}};
    run_record_now(opened->started);
    const char *started = record ? run_record_text(record, "started") : NULL;
    if (started)
        snprintf(opened->started, sizeof opened->started, "%s", started);
    if (legacy) {
        opened->data = legacy->data;
        legacy->data = (cnn_data){0};
    }
    const int status = open_all(opened, record, legacy);
    if (!status) {
        *out = opened;
        return CNN_OK;
    }
    session_close(opened);
    if (!record && folder->path)
        run_folder_abandon(folder);
    return status;
}

void session_close(app_session *session)
{
    control_close(session->control);
    steering_close(session->steering);
    steering_log_free(&session->past);
    steering_log_free(&session->replay);
    knobs_close(&session->knobs);
    session_close_warnings(session);
    insitu_link_close(session->link); /* before the threads that it uses */
    metrics_close(session->metrics);
    cnn_trainer_free(session->trainer);
    cnn_threads_free(session->threads);
    cnn_optimizer_free(session->optimizer);
    cnn_net_free(session->net);
    merged_filters_close(session->merged);
    session_close_merging(session);
    free(session->whole);
    cnn_data_free(&session->data);
    free(session);
}
