/* SPDX-License-Identifier: BSD-3-Clause */
#include "train_options.h"
#include "cnn/dataset.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "net_text.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

#define MOST_STEPS ((uint64_t)1000000000000)

const app_option train_option_table[] = {
    {.name = "data",
     .kind = OPTION_TEXT,
     .rule = OPTION_OF_RUN,
     .argument = "DIR",
     .names = OPTION_NAMES_FOLDER,
     .help = "Folder with the four IDX files of a set, plain or gzip"},
    {.name = "net",
     .kind = OPTION_TEXT,
     .rule = OPTION_OF_RUN,
     .argument = "SPEC|FILE",
     .names = OPTION_NAMES_FILE,
     .fallback = CNN_DEFAULT_NET,
     .help = "The network in one line, or the file that holds it"},
    {.name = "epochs",
     .kind = OPTION_WHOLE,
     .rule = OPTION_OF_RUN,
     .argument = "N",
     .fallback = "16",
     .least = 1,
     .most = 1000000,
     .help = "End after N epochs in all"},
    {.name = "steps",
     .kind = OPTION_TEXT,
     .rule = OPTION_OF_RUN,
     .argument = "N|+N",
     .help = "End after N steps in all, or after N more, instead of --epochs"},
    {.name = "batch",
     .kind = OPTION_WHOLE,
     .rule = OPTION_FIXED,
     .argument = "N",
     .fallback = "100",
     .least = 1,
     .most = 1000000,
     .help = "Images in a step; the last one of an epoch may have fewer"},
    {.name = "optimizer",
     .kind = OPTION_CHOICE,
     .rule = OPTION_FIXED,
     .argument = "sgd|momentum|adam",
     .fallback = "adam",
     .help = "How gradients change the weights"},
    {.name = "lr",
     .kind = OPTION_REAL,
     .rule = OPTION_OF_RUN,
     .argument = "X",
     .fallback = "0.001",
     .low = 1e-30,
     .high = 1e38,
     .help = "Learning rate"},
    {.name = "momentum",
     .kind = OPTION_REAL,
     .rule = OPTION_FIXED,
     .argument = "X",
     .low = 0,
     .high = 0.999999,
     .help = "Momentum of --optimizer momentum, 0.9 unless given"},
    {.name = "weight-decay",
     .kind = OPTION_REAL,
     .rule = OPTION_FIXED,
     .argument = "X",
     .fallback = "0",
     .low = 0,
     .high = 1e6,
     .help = "Times the weights, added to their gradients"},
    {.name = "schedule",
     .kind = OPTION_TEXT,
     .rule = OPTION_OF_RUN,
     .argument = "SPEC",
     .fallback = "constant",
     .help = "constant, step,every=STEPS,factor=F or cosine[,floor=F], each with [,warmup=STEPS]"},
    {.name = "seed",
     .kind = OPTION_WHOLE,
     .rule = OPTION_FIXED,
     .argument = "N",
     .fallback = "1",
     .most = INT64_MAX,
     .help = "All that is random follows from it"},
    {.name = "threads",
     .kind = OPTION_WHOLE,
     .rule = OPTION_OF_RUN,
     .argument = "N",
     .fallback = "0",
     .most = 256,
     .help = "Threads; 0: one per processor. The result does not depend on it"},
    {.name = "classes",
     .kind = OPTION_WHOLE,
     .rule = OPTION_FIXED,
     .argument = "N",
     .fallback = "10",
     .least = 1,
     .most = 256,
     .help = "Labels are in 0..N-1"},
    {.name = "validation",
     .kind = OPTION_WHOLE,
     .rule = OPTION_FIXED,
     .argument = "N",
     .most = UINT32_MAX - 1,
     .help = "How many of the last training images validate; a twelfth (MNIST: 5,000) unless given"},
    {.name = "run",
     .kind = OPTION_TEXT,
     .rule = OPTION_OF_CALL,
     .argument = "DIR",
     .names = OPTION_NAMES_FOLDER,
     .help = "New folder for the run; runs/N with the next free N unless given"},
    {.name = "resume",
     .kind = OPTION_TEXT,
     .rule = OPTION_OF_CALL,
     .argument = "RUN",
     .names = OPTION_NAMES_FOLDER,
     .help = "Go on with the run in this folder, with its options"},
    {.name = "replay-steering",
     .kind = OPTION_TEXT,
     .rule = OPTION_OF_RUN,
     .argument = "RUN",
     .names = OPTION_NAMES_FOLDER,
     .help =
         "Turn the knobs that were turned while RUN trained, at the same steps: with its other options the "
         "result is the same to the bit"},
    {.name = "merge",
     .kind = OPTION_TEXT,
     .rule = OPTION_OF_RUN,
     .argument = "SPEC",
     .help =
         "Merge similar filters while it trains: key=value,... of threshold=R (0.9), keep=N, most=N, "
         "minimum=N, layers=NAME+NAME, at=TIME+TIME or every=TIME,from=TIME,until=TIME (500 steps, 2epochs; "
         "neither: when weightscape ctl asks), bound=LOSS, probe=N, method=similar|norm|random; none: no "
         "more"},
    {.name = "checkpoint-every",
     .kind = OPTION_WHOLE,
     .rule = OPTION_OF_RUN,
     .argument = "N",
     .least = 1,
     .most = MOST_STEPS,
     .help = "Steps between checkpoints; an epoch unless given"},
    {.name = "keep-checkpoints",
     .kind = OPTION_WHOLE,
     .rule = OPTION_OF_RUN,
     .argument = "N",
     .fallback = "5",
     .most = 1000000,
     .help = "How many of the newest stay; 0: all"},
    {.name = "on-nan",
     .kind = OPTION_CHOICE,
     .rule = OPTION_OF_RUN,
     .argument = "stop|continue",
     .fallback = "stop",
     .help = "What to do when a value is no longer finite"},
    {.name = "pipeline",
     .kind = OPTION_TEXT,
     .rule = OPTION_OF_RUN,
     .repeatable = 1,
     .argument = "SCRIPT[,key=value...]",
     .names = OPTION_NAMES_FILE,
     .help = "Catalyst script that draws while the network trains; may be repeated"},
    {.name = "insitu",
     .kind = OPTION_CHOICE,
     .rule = OPTION_OF_RUN,
     .argument = "none|inline|sidecar|record",
     .fallback = "sidecar",
     .help = "Where the scripts run: nowhere, between two steps, or in a process beside the training; record "
             "draws nothing and keeps what they wait for"},
    {.name = "lag",
     .kind = OPTION_CHOICE,
     .rule = OPTION_OF_RUN,
     .argument = "catch-up|wait",
     .fallback = "catch-up",
     .help = "When the sidecar is slower than the training: it catches up later, or the training waits"},
    {.name = "overhead",
     .kind = OPTION_TEXT,
     .rule = OPTION_OF_RUN,
     .argument = "PERCENT",
     .fallback = "2%",
     .help = "Share of the training's time below which updates for viewers stay"},
    {.name = "live",
     .kind = OPTION_TEXT,
     .rule = OPTION_OF_RUN,
     .argument = "HOST:PORT",
     .implied = "localhost:22222",
     .help = "Show the run in the ParaView that listens at HOST:PORT (Catalyst > Connect), localhost:22222 "
             "unless given; it may come late, leave and come back"},
    {.name = "record",
     .kind = OPTION_TEXT,
     .rule = OPTION_OF_RUN,
     .argument = "wanted|N|none",
     .help =
         "Record what the scripts wait for, or that and each Nth step, for `weightscape replay`; none ends "
         "what a resumed run has recorded"},
    {.name = "probe",
     .kind = OPTION_WHOLE,
     .rule = OPTION_OF_RUN,
     .argument = "N",
     .fallback = "64",
     .least = 1,
     .most = 100000,
     .help = "Training images on which activations and correlations are measured, when a script or a viewer "
             "looks "
             "at them; the same all through the run"},
    {.name = "insitu-required",
     .kind = OPTION_FLAG,
     .rule = OPTION_OF_RUN,
     .help = "Do not start where pictures cannot be made"},
    {.name = "strict",
     .kind = OPTION_FLAG,
     .rule = OPTION_OF_RUN,
     .help = "End with status 1 if a script failed or a picture is missing"},
    {.name = "warnings",
     .kind = OPTION_CHOICE,
     .rule = OPTION_OF_RUN,
     .argument = "on|off",
     .fallback = "on",
     .help = "Early warnings, once each: stuck, no progress, diverging, dead filters"},
    {.name = "quiet",
     .letter = 'q',
     .kind = OPTION_FLAG,
     .rule = OPTION_OF_CALL,
     .help = "No progress and no summary, only what went wrong"},
    {0},
};

static int flag(const option_values *values, const char *name)
{
    return option_text(values, name) != NULL;
}

/* "N" or "+N" */
static int read_steps(const char *text, train_plan *plan)
{
    plan->epochs = 0;
    plan->steps_are_more = *text == '+';
    return cnn_parse_whole("--steps", text + plan->steps_are_more, 1, MOST_STEPS, &plan->steps);
}

static int read_optimizer(const option_values *values, cnn_optimizer_options *options)
{
    cnn_optimizer_kind kind;
    const int status = cnn_optimizer_parse(option_text(values, "optimizer"), &kind);
    if (status)
        return status;
    *options = cnn_optimizer_defaults(kind);
    options->weight_decay = option_real(values, "weight-decay");
    if (!option_text(values, "momentum"))
        return CNN_OK;
    if (kind != CNN_MOMENTUM)
        return cnn_fail(CNN_BAD_ARGUMENT, "--momentum: --optimizer %s has none", cnn_optimizer_name(kind));
    options->momentum = option_real(values, "momentum");
    return CNN_OK;
}

/* "2%" or "2" as a share. */
static int read_overhead(const char *text, double *out)
{
    size_t length = strlen(text);
    length -= length > 0 && text[length - 1] == '%';
    char *number = text_format("%.*s", (int)length, text);
    double percent;
    const int bad = cnn_parse_real("--overhead", number, 0, 100, &percent) || percent <= 0;
    free(number);
    if (bad)
        return cnn_fail(CNN_BAD_ARGUMENT, "--overhead: \"%s\" is not a percentage above 0 and at most 100",
                        text);
    *out = percent / 100;
    return CNN_OK;
}

/* What --record says, which may be NULL. */
static int read_record(const char *text, uint64_t *out)
{
    *out = text && !strcmp(text, "wanted") ? WS_RECORD_WANTED : 0;
    if (!text || *out || !strcmp(text, "none"))
        return CNN_OK;
    if (cnn_parse_whole("--record", text, 1, MOST_STEPS, out))
        return cnn_fail(CNN_BAD_ARGUMENT, "--record: \"%s\" is not wanted, none or a whole number in 1..%llu",
                        text, (unsigned long long)MOST_STEPS);
    return CNN_OK;
}

/* Refuses a recording in which nothing could ever be. */
static int check_record(const option_values *values, const insitu_choice *choice)
{
    if (!choice->is_on || choice->record != WS_RECORD_WANTED || option_count(values, "pipeline"))
        return CNN_OK;
    const char *text = option_text(values, "record");
    if (text && !strcmp(text, "wanted"))
        return cnn_fail(CNN_BAD_ARGUMENT,
                        "--record: wanted records the steps of scripts, and there is no --pipeline");
    return cnn_fail(CNN_BAD_ARGUMENT,
                    "--insitu: record has nothing to record without --pipeline or --record N");
}

static int read_insitu(const option_values *values, insitu_choice *choice)
{
    const char *name = option_text(values, "insitu");
    const int records = !strcmp(name, "record");
    *choice = (insitu_choice){.name = name,
                              .is_on = strcmp(name, "none") != 0,
                              .transport = records                   ? WS_RECORD
                                           : strcmp(name, "sidecar") ? WS_INLINE
                                                                     : WS_SIDECAR,
                              .wait = !strcmp(option_text(values, "lag"), "wait"),
                              .required = flag(values, "insitu-required"),
                              .live = option_text(values, "live")};
    choice->draws = choice->is_on && !records && option_count(values, "pipeline");
    if (choice->live && choice->transport != WS_SIDECAR)
        return cnn_fail(CNN_BAD_ARGUMENT, "--live: needs --insitu sidecar, not %s", name);
    int status = read_overhead(option_text(values, "overhead"), &choice->overhead);
    if (!status)
        status = read_record(option_text(values, "record"), &choice->record);
    if (records && !choice->record)
        choice->record = WS_RECORD_WANTED;
    return status ? status : check_record(values, choice);
}

/* What --merge says, which may be NULL. */
static int read_merge(const char *text, train_plan *plan)
{
    plan->merge = merge_spec_defaults();
    plan->has_merge = text && strcmp(text, "none");
    return plan->has_merge ? merge_spec_parse("--merge", text, &plan->merge) : CNN_OK;
}

int train_options_check(const option_values *values)
{
    if (option_given(values, "run") && option_given(values, "resume"))
        return cnn_fail(CNN_BAD_ARGUMENT, "--run: --resume goes on in the folder of its run");
    if (option_given(values, "steps") && option_given(values, "epochs"))
        return cnn_fail(CNN_BAD_ARGUMENT, "--steps: --epochs is given too");
    if (option_given(values, "record") && option_given(values, "insitu") &&
        !strcmp(option_text(values, "insitu"), "none") && strcmp(option_text(values, "record"), "none"))
        return cnn_fail(CNN_BAD_ARGUMENT, "--record: --insitu none records nothing");
    return CNN_OK;
}

int train_plan_make(const option_values *values, train_plan *plan)
{
    *plan = (train_plan){
        .data = option_text(values, "data"),
        .run = option_text(values, "run"),
        .resume = option_text(values, "resume"),
        .replay_steering = option_text(values, "replay-steering"),
        .trainer = {.learning_rate = option_real(values, "lr"),
                    .batch = (uint32_t)option_whole(values, "batch")},
        .epochs = option_whole(values, "epochs"),
        .seed = option_whole(values, "seed"),
        .classes = (int)option_whole(values, "classes"),
        .threads = (int)option_whole(values, "threads"),
        .probe = (uint32_t)option_whole(values, "probe"),
        .validation = CNN_VALIDATION_TWELFTH,
        .keep_checkpoints = option_whole(values, "keep-checkpoints"),
        .stop_on_nan = !strcmp(option_text(values, "on-nan"), "stop"),
        .strict = flag(values, "strict"),
        .quiet = flag(values, "quiet"),
        .warns = !strcmp(option_text(values, "warnings"), "on"),
    };
    int status = CNN_OK;
    if (!plan->data)
        status = cnn_fail(CNN_BAD_ARGUMENT,
                          "--data is missing: the folder of the images (make data fetches MNIST)");
    if (!status && option_text(values, "steps"))
        status = read_steps(option_text(values, "steps"), plan);
    if (!status)
        status = read_optimizer(values, &plan->trainer.optimizer);
    if (!status && cnn_schedule_parse(option_text(values, "schedule"), &plan->trainer.schedule))
        status = cnn_fail(CNN_BAD_ARGUMENT, "--%s", cnn_message());
    if (!status)
        status = read_insitu(values, &plan->insitu);
    if (!status)
        status = read_merge(option_text(values, "merge"), plan);
    if (option_text(values, "validation"))
        plan->validation = (uint32_t)option_whole(values, "validation");
    if (option_text(values, "checkpoint-every"))
        plan->checkpoint_every = option_whole(values, "checkpoint-every");
    if (!status && option_given(values, "net"))
        status = net_text_read(option_text(values, "net"), &plan->net);
    else if (!status)
        plan->net = text_copy(option_text(values, "net"));
    return status;
}

int train_plan_go_on(const option_values *values, train_plan *plan)
{
    if (plan->steps_are_more) {
        plan->steps = plan->trainer.total_steps;
        plan->steps_are_more = 0;
    }
    plan->trainer.learning_rate = option_real(values, "lr");
    return cnn_schedule_parse(option_text(values, "schedule"), &plan->trainer.schedule);
}

void train_plan_free(train_plan *plan)
{
    free(plan->net);
    plan->net = NULL;
}

int train_plan_total(train_plan *plan, const cnn_course *course, uint64_t done)
{
    const cnn_place place = cnn_course_at(course, done);
    if (plan->epochs && (plan->epochs < place.epoch || (plan->epochs == place.epoch && place.image)))
        return cnn_fail(CNN_BAD_ARGUMENT,
                        "--epochs: the end of epoch %llu is before step %llu, which the run has reached",
                        (unsigned long long)plan->epochs, (unsigned long long)done);
    /* An epoch that is done exactly may have had batches that the course does not tell any more. */
    const uint64_t total = !plan->epochs                 ? plan->steps + (plan->steps_are_more ? done : 0)
                           : plan->epochs == place.epoch ? done
                                                         : cnn_course_end_of(course, plan->epochs);
    if (total < done)
        return cnn_fail(CNN_BAD_ARGUMENT,
                        "--steps: the end at step %llu is before step %llu, which the run has reached",
                        (unsigned long long)total, (unsigned long long)done);
    plan->trainer.total_steps = total;
    return CNN_OK;
}
