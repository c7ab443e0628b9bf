/* SPDX-License-Identifier: BSD-3-Clause */
#include "session_merge.h"
#include "cnn/status.h"
#include "merge_draft.h"
#include "merge_states.h"
#include "run_state.h"
#include "session_parts.h"
#include "tell.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

typedef unsigned long long number;

/* ---- one merge ---- */

/* The images on which similarity is looked for: of the training set, so that those that validate judge. */
static int find_probe(app_session *session, uint32_t count)
{
    app_merging *merging = &session->merging;
    if (merging->probe.memory && merging->asked == count)
        return CNN_OK;
    cnn_probe probe;
    const int status = cnn_probe_create(&session->data.train, count, session->net->seed, &probe);
    if (status)
        return status;
    cnn_probe_free(&merging->probe);
    merging->probe = probe;
    merging->asked = count;
    return CNN_OK;
}

static merge_ground ground_of(app_session *session)
{
    const int validates = session->data.validation.count > 0;
    const uint64_t step = session->trainer->step;
    return (merge_ground){.net = session->net,
                          .optimizer = session->trainer->optimizer,
                          .step = step,
                          .probe = &session->merging.probe.set,
                          .judge = validates ? &session->data.validation : &session->merging.probe.set,
                          .judge_name = validates ? "validation" : "probe",
                          .known =
                              validates && session->validation_step == step ? &session->validation : NULL,
                          .threads = session->threads,
                          .quiet = session->plan->quiet};
}

/* From the line of the log on, the trainer has the merged network; before it, nothing is changed. */
static int put_in_force(app_session *session, merge_draft *draft, const char *line, const char *origin)
{
    cnn_trainer *trainer = session->trainer;
    const size_t next = session->merging.number + 1;
    const steering_entry entry = {.step = trainer->step,
                                  .name = STEERING_MERGE,
                                  .value = line,
                                  .origin = origin,
                                  .result = draft->result};
    int status = merge_state_save(session->folder->checkpoints, next, session->net, trainer->optimizer,
                                  trainer->step, session->plan->keep_checkpoints);
    if (!status)
        status = steering_write(session->steering, &entry, 1);
    if (status)
        return status;
    status = cnn_trainer_replace(trainer, draft->net, draft->optimizer);
    if (status) {
        steering_take_back(session->steering);
        return status;
    }
    draft->optimizer = NULL;
    session->merging.number = next;
    return CNN_OK;
}

/* Everybody else follows; the old network goes when nobody looks at it any more. */
static void follow(app_session *session, merge_draft *draft)
{
    cnn_net *before = session->net;
    session->net = draft->net;
    draft->net = NULL;
    metrics_follow(session->metrics, session->net);
    merged_filters_add(session->merged, draft->result, session->trainer->step, before);
    /* What was measured is not true of this network. */
    session->validation_step = 0;
    if (insitu_link_change(session->link, session->net)) {
        tell_error("%s (viewers go on with the weights before the merge)", ws_message());
        session->failed = 1;
        session->merging.left_behind = before;
        return;
    }
    cnn_net_free(before);
}

static double real_at(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void tell_merged(const app_session *session, const json_t *result, const char *origin)
{
    const json_t *layer;
    size_t i;
    char *names = text_copy("");
    json_array_foreach(json_object_get(result, "layers"), i, layer)
    {
        char *longer = text_format("%s%s%s %lld -> %lld", names, i ? ", " : "",
                                   json_string_value(json_object_get(layer, "layer")),
                                   (long long)json_integer_value(json_object_get(layer, "before")),
                                   (long long)json_integer_value(json_object_get(layer, "after")));
        free(names);
        names = longer;
    }
    char *line = text_format(
        "merged after step %llu (%s): %s; loss %+.6f, from %.6f to %.6f, accuracy %.2f %% to %.2f %% on %lld "
        "%s images; predicted %+.6f",
        (number)session->trainer->step, origin, names, real_at(result, "measured"),
        real_at(result, "loss_before"), real_at(result, "loss_after"),
        100 * real_at(result, "accuracy_before"), 100 * real_at(result, "accuracy_after"),
        (long long)json_integer_value(json_object_get(result, "images")),
        json_string_value(json_object_get(result, "measured_on")), real_at(result, "predicted"));
    if (!session->plan->quiet)
        tell_line(line);
    free(line);
    free(names);
}

/* Nothing came of it. */
static int refuse_draft(app_session *session, const merge_draft *draft, const char *line)
{
    session->merging.is_nothing = !json_array_size(draft->refused);
    if (session->merging.is_nothing)
        return cnn_fail(CNN_BAD_ARGUMENT, "merge: nothing to merge (%s)", line);
    const char *first = json_string_value(json_array_get(draft->refused, 0));
    return cnn_fail(CNN_BAD_ARGUMENT, "merge: %s", first);
}

static void keep_answer(app_session *session, const merge_draft *draft)
{
    json_decref(session->merging.told);
    session->merging.told = json_deep_copy(draft->result);
    json_object_set(session->merging.told, "refused", draft->refused);
}

/* Errors: CNN_BAD_ARGUMENT, CNN_NOT_FINITE: refused, nothing is changed; others are failures. */
static int merge(app_session *session, const merge_spec *spec, const char *origin)
{
    session->merging.is_nothing = 0;
    if (!session->trainer->step)
        return cnn_fail(CNN_BAD_ARGUMENT, "merge: no step is done yet");
    int status = find_probe(session, spec->probe);
    if (status)
        return status;
    const merge_ground ground = ground_of(session);
    merge_draft draft = {0};
    status = merge_draft_make(&ground, spec, &draft);
    if (status)
        return status;
    char *line = merge_spec_text(spec, session->net);
    status = draft.net ? put_in_force(session, &draft, line, origin) : refuse_draft(session, &draft, line);
    if (!status) {
        keep_answer(session, &draft);
        follow(session, &draft);
        tell_merged(session, draft.result, origin);
        session->steer.has_news = 1;
        session_save_merged(session);
    }
    free(line);
    merge_draft_free(&draft);
    return status;
}

/* ---- by schedule, and as in a log ---- */

/* Tells what has become of a merge that nobody waits for. */
static void tell_outcome(app_session *session, int status, const char *origin)
{
    if (!status)
        return;
    const number step = session->trainer->step;
    const int is_refused = status == CNN_BAD_ARGUMENT || status == CNN_NOT_FINITE;
    char *line = text_format("not merged after step %llu (%s): %s", step, origin, cnn_message());
    if (!is_refused) {
        tell_error("%s", line);
        session->failed = 1;
    } else if (!session->merging.is_nothing) {
        tell_warning("%s", line);
    } else if (!session->plan->quiet) {
        tell_line(line);
    }
    free(line);
}

static void merge_by_schedule(app_session *session)
{
    static const char origin[] = "train --merge";
    const cnn_trainer *trainer = session->trainer;
    if (session->plan->has_merge && trainer->step > session->merging.replay_end &&
        merge_spec_is_due(&session->knobs.merge, &trainer->course, trainer->step))
        tell_outcome(session, merge(session, &session->knobs.merge, origin), origin);
}

/* The next merge of the replayed log at this step, NULL if there is none. */
static const steering_entry *next_replayed(app_session *session)
{
    const steering_log *log = &session->replay;
    size_t *at = &session->merging.replayed;
    while (*at < log->count && log->entries[*at].step <= session->trainer->step) {
        const steering_entry *entry = &log->entries[(*at)++];
        if (entry->step == session->trainer->step && steering_is_merge(entry))
            return entry;
    }
    return NULL;
}

static void merge_as_logged(app_session *session)
{
    const steering_entry *entry;
    while ((entry = next_replayed(session))) {
        char *origin = text_format("replay of %s:%zu", session->replay.path, entry->line);
        merge_spec spec;
        int status = merge_spec_parse(STEERING_MERGE, entry->value, &spec);
        if (!status)
            status = merge(session, &spec, origin);
        if (status) {
            tell_error("%s:%zu: cannot be replayed: %s", session->replay.path, entry->line, cnn_message());
            session->failed = 1;
        }
        free(origin);
    }
}

void session_merge_due(app_session *session)
{
    if (session->last_failed)
        return;
    merge_as_logged(session);
    merge_by_schedule(session);
}

/* ---- by hand ---- */

static int read_line(const app_session *session, const char *line, merge_spec *spec)
{
    if (!*line) {
        *spec = session->knobs.merge;
        return CNN_OK;
    }
    const int status = merge_spec_parse(STEERING_MERGE, line, spec);
    if (!status && merge_spec_has_time(spec))
        return cnn_fail(CNN_BAD_ARGUMENT, "merge: %s: what is asked for is merged now",
                        spec->at_count ? "at" : "every");
    return status;
}

int session_merge_now(app_session *session, const char *line, const char *origin)
{
    merge_spec spec;
    int status = read_line(session, line, &spec);
    if (!status)
        status = merge_spec_check(STEERING_MERGE, &spec, session->net);
    if (!status && session->last_failed)
        status = cnn_fail(CNN_BAD_ARGUMENT, "merge: the state after step %llu is not finite",
                          (number)session->trainer->step);
    return status ? status : merge(session, &spec, origin);
}

/* ---- before the first step ---- */

static int check_entry(const app_session *session, const steering_entry *entry)
{
    merge_spec spec;
    int status = merge_spec_parse(STEERING_MERGE, entry->value, &spec);
    if (!status)
        status = merge_spec_check(STEERING_MERGE, &spec, session->net);
    if (!status)
        return CNN_OK;
    char *told = text_copy(cnn_message());
    status = cnn_fail(CNN_BAD_FILE, "%s:%zu: %s", session->replay.path, entry->line, told);
    free(told);
    return status;
}

void session_close_merging(app_session *session)
{
    app_merging *merging = &session->merging;
    cnn_probe_free(&merging->probe);
    cnn_net_free(merging->left_behind);
    json_decref(merging->told);
}

/* The step that the replayed run has reached, 0 if it is gone. */
static uint64_t end_of_replayed(const app_session *session)
{
    const steering_log *log = &session->replay;
    uint64_t step = log->count ? log->entries[log->count - 1].step : 0;
    run_folder folder = run_folder_of(session->plan->replay_steering);
    json_t *record = NULL;
    if (!run_record_read(folder.record, &record)) {
        const run_state state = run_state_of(&folder, record);
        step = state.step > step ? state.step : step;
    }
    json_decref(record);
    run_folder_close(&folder);
    return step;
}

int session_check_merges(app_session *session)
{
    const steering_log *log = &session->replay;
    app_merging *merging = &session->merging;
    merging->number = steering_merge_count(&session->past);
    if (!log->path)
        return CNN_OK;
    merging->replay_end = end_of_replayed(session);
    /* What the log has up to the first step is done, or is no concern of this state. */
    while (merging->replayed < log->count && log->entries[merging->replayed].step <= session->first_step)
        merging->replayed++;
    int status = CNN_OK;
    for (size_t i = 0; i < log->count && !status; i++)
        if (steering_is_merge(&log->entries[i]))
            status = check_entry(session, &log->entries[i]);
    return status;
}
