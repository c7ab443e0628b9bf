/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole public C API of the in-situ adaptor: a training program hands over its arrays, Catalyst scripts
 * see them.
 *
 *     ws_insitu *insitu;
 *     ws_insitu_create(&options, &insitu);
 *     ws_insitu_add_layer(insitu, &conv1);            once per layer, before the start
 *     ws_insitu_start(insitu);                        checks the scripts, loads ParaView if there is one
 *     const volatile uint64_t *next = ws_insitu_next(insitu);
 *     for (step = 1; ...; step++) {
 *         ... train ...
 *         ws_insitu_row(insitu, &row);                cheap: one row of the histories
 *         if (step >= *next)                          one branch at a step that nobody wants to see
 *             ws_insitu_show(insitu, step);
 *         if (... a checkpoint is due ...)
 *             ws_insitu_sync(insitu);                 before it is written: a resumed run then misses no
 * picture
 *     }
 *     ws_insitu_finish(insitu);                       waits for pictures that are not drawn yet
 *     ws_insitu_report(insitu, &report);
 *     ws_insitu_free(insitu);
 *
 * No type of VTK, MPI or cnn_core appears here; every struct begins with its size, so that it can be mirrored
 * from ctypes and can grow. All functions of one ws_insitu are called from one thread. Nothing here ever ends
 * the process, raises a C++ exception, or changes a bit of the host's arrays. */
#ifndef WEIGHTSCAPE_INSITU_H
#define WEIGHTSCAPE_INSITU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WS_API __attribute__((visibility("default")))
#else
#define WS_API
#endif

/* One row yields the code, its number and its text. */
#define WS_STATUS_LIST(X)                                                                                    \
    X(WS_OK, 0, "success")                                                                                   \
    X(WS_BAD_ARGUMENT, -1, "an argument is out of its limits")                                               \
    X(WS_BAD_SCRIPT, -2, "a pipeline script cannot be used")                                                 \
    X(WS_NO_PICTURES, -3, "pictures cannot be made on this machine")                                         \
    X(WS_BAD_FILE, -4, "a file does not hold what it should")                                                \
    X(WS_IO_FAILED, -5, "the system refused to read or write")                                               \
    X(WS_NO_MEMORY, -6, "memory is exhausted")                                                               \
    X(WS_SCRIPT_FAILED, -7, "a pipeline script failed at this step")                                         \
    X(WS_STOPPED, -8, "it was stopped before it was done")

typedef enum ws_status {
#define WS_STATUS_ROW(code, number, text) code = number,
    WS_STATUS_LIST(WS_STATUS_ROW)
#undef WS_STATUS_ROW
} ws_status;

/* Text of a code; static; any thread. */
WS_API const char *ws_status_text(int status);
/* This thread's last failure in one line: the thing, the value, the limit. */
WS_API const char *ws_message(void);
/* Version of the library, "MAJOR.MINOR.PATCH". */
WS_API const char *ws_version(void);

typedef struct ws_insitu ws_insitu;

#define WS_NEVER UINT64_MAX

typedef enum ws_log_level { WS_LOG_INFO, WS_LOG_WARNING, WS_LOG_ERROR } ws_log_level;

/* How frames get from the host to what is done with them. */
typedef enum ws_transport_kind {
    WS_SIDECAR =
        0, /* scripts run in a process of their own; the host never waits for them and survives them */
    WS_INLINE = 1, /* scripts run inside ws_insitu_show */
    WS_RECORD = 2, /* nothing is drawn: what the scripts wait for is recorded */
} ws_transport_kind;

#define WS_RECORD_WANTED UINT64_MAX

#define WS_PROBE_SHOWN   10 /* images of the probe set whose activations are shown, at most */
#define WS_LIVE_RATE     30 /* live updates a second, unless set */
#define WS_VIEWER_SIZE   64
#define WS_COMMAND_NAME  48
#define WS_COMMAND_VALUE 256
#define WS_STATUS_BYTES  4096

/* What somebody wants to see of a layer at a step, a bit each. */
typedef enum ws_wants {
    WS_WANTS_WEIGHTS = 1,     /* weights_L: weight, gradient */
    WS_WANTS_ACTIVATIONS = 2, /* activations_L: activation */
    WS_WANTS_CORRELATION =
        4, /* correlation_L, and `group` of all channels: pearson, pearson_weights, dead, group */
} ws_wants;

typedef struct ws_options {
    uint32_t size; /* sizeof(ws_options) */
    uint32_t script_count;
    const char *const
        *scripts; /* "SCRIPT.py[,key=value...]"; what follows the path reaches the script as --key=value */
    const char *output; /* folder for pictures; each script gets a Cinema database OUTPUT/NAME.cdb */
    /* Folder of the run, made if only it is missing, for what is kept beside the pictures: history.ws, the
     * histories; recording.wsrec; backlog.wsrec, frames that are still to be drawn; viewers, how to attach.
     * NULL: histories are kept in memory, and neither the sidecar nor recording is possible. */
    const char *folder;
    uint64_t first_step;   /* 0, or the step that a resumed run continues from: rows after it are cut */
    double script_seconds; /* a script that runs longer in one call is interrupted; 0: the default, 120 */
    int32_t required;      /* not 0: ws_insitu_start fails where it would warn and go on without pictures */
    int32_t read_only;     /* not 0: the history is read up to first_step and never written (export) */
    int32_t transport;     /* ws_transport_kind */
    int32_t wait;          /* not 0: ws_insitu_show returns when the sidecar has drawn the step (lockstep) */
    int32_t
        always; /* not 0: every script writes all its files at each step shown, whatever its triggers say */
    int32_t watchers; /* not 0: processes of this user may attach (ws_watch) to WS_SIDECAR, also without
                         scripts here */
    double overhead;  /* the share of the host's time that live updates keep below, (0, 1]; 0: the default,
                         0.02 */
    uint64_t record;  /* recording.wsrec gets: 0: nothing; WS_RECORD_WANTED: each frame that a script waits
                         for;  N: each Nth step, and those */
    const char *live; /* "HOST:PORT": a process of its own dials the ParaView that listens there, and shows
                         it the newest state (WS_SIDECAR only); NULL: nobody is dialled */
    int (*stop)(
        void *context); /* asked while waiting; not 0 ends the wait. NULL: waits are never cut short */
    /* How many of the steps that are to be drawn are. Called a few times a second while waiting. NULL: not
     * called. */
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *wait_context;
    /* Called inside ws_insitu_show, before arrays are copied, at a step at which somebody wants activations
     * or correlations, and at no other: wanted[i] holds the ws_wants of layer i, in the order they were
     * added. The host computes them and hands them over with ws_insitu_change_layer; what it leaves NULL is
     * left out. NULL: what the layers hold is taken as it is. */
    void (*prepare)(void *context, uint64_t step, const uint8_t *wanted);
    void *prepare_context;
    /* Lines for people: warnings, the first failure of a script. NULL: standard error. */
    void (*log)(void *context, ws_log_level level, const char *line);
    void *log_context;
    /* A host that trains on several ranks, each of which has a part of what is shown: points to an MPI_Comm.
     * MPI runs already, and the host ends it after ws_insitu_free. Rank 0 has scripts, files and lines,
     * decides and draws, by a ParaView that knows no other rank; the others hand over what they have
     * (activation_part). Every rank creates, adds the same layers, starts, shows the same steps as rank 0
     * (with WS_INLINE and WS_RECORD, ws_insitu_next is the same on all of them), changes layers alike and
     * frees; the host sees to it that all have created before one starts. prepare is called on all. Rows are
     * rank 0's. What fails on one rank fails on all, with its message. NULL: this process is the only one
     * that calls. */
    const void *communicator;
    uint32_t rank, ranks; /* of the communicator; 0 without one */
} ws_options;

typedef enum ws_layer_kind {
    WS_CONVOLUTION = 1, /* gets weights_L and trajectory_L, and columns in norms */
    WS_OTHER = 2,       /* columns in norms only */
} ws_layer_kind;

typedef struct ws_layer {
    uint32_t size;    /* sizeof(ws_layer) */
    int32_t kind;     /* ws_layer_kind */
    const char *name; /* "conv1": [A-Za-z][A-Za-z0-9_]*, at most 31 characters, unique; copied */
    int64_t
        shape[4]; /* K, C, R, S: filters, input channels, kernel rows, kernel columns; other: OUT, IN, 1, 1 */
    int64_t stride[4];     /* elements from one index to the next; all 0: row-major, dense */
    const float *weight;   /* borrowed; read during ws_insitu_row and ws_insitu_show */
    const float *gradient; /* the same shape and strides; NULL: NaN in pictures and norms */
    const float *initial;  /* weights at the run's start; NULL: copied at ws_insitu_start */

    /* Of a convolution, and all of it optional. Borrowed, dense, read during ws_insitu_show, and only what is
     * wanted. */
    const float *activation; /* [N,K,P,Q] after the non-linearity, of the N images of a fixed probe set; the
                                first WS_PROBE_SHOWN images are shown */
    int64_t activation_shape[4]; /* N, K, P, Q, also while `activation` is NULL; all 0: there are none */
    const double *pearson; /* [K,K]: correlation of two filters' activations over images and positions, -1 to
                              1; 0 beside a dead filter */
    const double *pearson_weights; /* [K,K]: of their weights */
    const int32_t *dead;           /* [K]: 1: the activation never varies; NULL: no filter is dead */
    const int32_t *group;  /* [K]: similar filters share a number, from 0; -1: alone; NULL: not known now */
    const int32_t *source; /* [K]: the index that the filter had when the run began; NULL: the one it has */
    uint32_t offers;       /* ws_wants that `prepare` will fill in, although the pointer is NULL now */
    uint32_t merged_count; /* G, of what follows */
    /* Read with the shapes, at the start and after a change of one. */
    const int32_t *source_channel; /* [C]: the index that the input channel had when the run began; NULL: the
                                      one it has */
    int32_t whole[2];    /* filters and input channels when the run began; 0: as at ws_insitu_start */
    double weight_range; /* largest absolute initial weight when the run began; 0: that of `initial` at
                            ws_insitu_start */
    const double
        *merged; /* [G,3], of filters that are there no more: their `source`; that of the filter
                    which they were merged into, -1: of none; the step after which. NULL: not known */
    const float *merged_weight; /* [G,whole[1],R,S], the place of a weight being its source_channel: what they
                                   were when they were merged; NaN: not known */
    /* With a communicator, of a layer whose activations are spread over the ranks: which of the N images
     * `activation` holds, from and to below, as [to-from,K,P,Q]. Parts rise with the ranks and leave none
     * out; a rank without any has from == to > 0. 0, 0: rank 0 has all. All else that is optional is rank
     * 0's. */
    int64_t activation_part[2];
} ws_layer;

/* Norms of one layer in a row, L2. */
typedef struct ws_norms {
    double weight, gradient, distance;
} ws_norms;

/* One step as a row of numbers. NaN where there is no value. */
typedef struct ws_row {
    uint32_t size; /* sizeof(ws_row) */
    uint32_t
        norm_count;  /* length of norms; 0: the adaptor computes them, at steps that are shown, else NaN */
    uint64_t step;   /* rises from row to row */
    double epoch;    /* epochs done, a fraction within one */
    double time_s;   /* seconds of training so far */
    double loss;     /* of this step's batch */
    double accuracy; /* of this step's batch, [0, 1] */
    double learning_rate;
    double validation_loss;     /* the last one measured, NaN before the first */
    double validation_accuracy; /* [0, 1] */
    const ws_norms *norms;      /* one per added layer, in the order they were added */
} ws_row;

/* What a run of the adaptor amounted to. */
typedef struct ws_report {
    uint32_t size;            /* sizeof(ws_report), set by the caller */
    int32_t pictures;         /* 1: scripts run; 0: none asked for, or none possible */
    uint64_t frames;          /* steps shown: published, drawn or recorded */
    uint64_t images_written;  /* files in the Cinema databases from this run */
    uint64_t images_expected; /* what the scripts' triggers asked for, of the steps that were drawn */
    uint64_t script_failures; /* calls of a script that failed, the repeats included */
    uint64_t steps_waiting;   /* steps that are still to be drawn: from the backlog, by ws_watch */
    uint64_t steps_given_up;  /* steps that end the process that draws them: not drawn */
    uint64_t restarts;        /* of the sidecar, after it had died */
    uint64_t live_dropped;    /* live updates that a slow viewer missed */
    uint64_t frames_spilled;  /* frames that went to the backlog because the sidecar lagged */
    uint64_t frames_recorded;
    uint64_t recording_bytes; /* size of recording.wsrec */
    double
        seconds; /* the host's thread has spent in ws_insitu_row, _show, _sync; waits of lockstep included */
    double dump_seconds;   /* the part of it that frames took which a script or the recording waits for */
    double live_seconds;   /* the part of it that live updates took */
    uint64_t files_failed; /* of history.ws and recording.wsrec: not complete, as the log has told */
} ws_report;

/* Copies the options; loads nothing yet. Opens or creates the files of options.folder when layers are known
 * (start). Errors: WS_BAD_ARGUMENT, WS_NO_MEMORY. *out is untouched on error; free with ws_insitu_free. */
WS_API int ws_insitu_create(const ws_options *options, ws_insitu **out);

/* Adds a layer before the start. Returns its index (>= 0) or a status. */
WS_API int ws_insitu_add_layer(ws_insitu *insitu, const ws_layer *layer);

/* Replaces arrays or shapes of layer `index` after the start (filters were merged, memory was moved); a
 * change of a shape raises the generation of the frames, once for all layers that are changed before the next
 * call of another function. Kind and name must stay. Costs a few loads where no shape changes. Frames that
 * are not drawn yet keep their shapes; whoever looks on goes on looking, unless a layer grows beyond what it
 * was at the start: then viewers are served anew. */
WS_API int ws_insitu_change_layer(ws_insitu *insitu, int index, const ws_layer *layer);

/* Opens the history, tries every script in a child process, and gets the transport ready: inline, it starts a
 * virtual display if one is needed and loads ParaView into this process; else it makes the shared memory and
 * starts the sidecar, which gets ready by itself. With no scripts no ParaView is needed. Errors:
 * WS_BAD_SCRIPT (missing, syntax error, fails or ends or hangs when imported, names a channel that does not
 * exist), WS_NO_PICTURES if options.required, else a warning through the log and training goes on without
 * pictures; WS_BAD_FILE, WS_IO_FAILED for the history and the recording; WS_BAD_ARGUMENT. Call it before the
 * host starts threads that rely on signal handlers; handlers and floating-point modes are the same after it
 * as before. */
WS_API int ws_insitu_start(ws_insitu *insitu);

/* Where the next step that somebody wants to see is published: WS_NEVER if none. Valid until ws_insitu_free.
 */
WS_API const volatile uint64_t *ws_insitu_next(const ws_insitu *insitu);

/* Appends a row to the histories (norms, and the walk of every convolution). Step 0 is the initial state:
 * only its walk is kept. WS_IO_FAILED once when the history file cannot be written: then it goes on in
 * memory. */
WS_API int ws_insitu_row(ws_insitu *insitu, const ws_row *row);

/* What one rank of a host that trains in parallel tells of its part in a step; NaN where there is no value.
 */
typedef struct ws_rank {
    uint32_t size; /* sizeof(ws_rank) */
    uint32_t rank;
    uint64_t images; /* of the step's batch that were this rank's */
    double loss;     /* their mean loss */
    double
        gradient_norm;   /* L2, of the gradient of that loss over all parameters, before ranks are combined */
    double step_seconds; /* that the step took on this rank, waiting included */
    double wait_seconds; /* the part of it in which it waited for other ranks */
} ws_rank;

/* The channel `ranks`: rows of all ranks, gathered by the host, for the steps that follow; copied. To be
 * called before ws_insitu_start (with what is not known yet as NaN), which makes the channel, then, with as
 * many rows, before ws_insitu_row: at each step, so that means over the last 100 are of these steps, or at
 * those that are shown. Ranks rise from row to row. A host that never calls it has no such channel. Costs a
 * few stores for each rank. WS_BAD_ARGUMENT, WS_NO_MEMORY: nothing is taken. */
WS_API int ws_insitu_ranks(ws_insitu *insitu, const ws_rank *rows, uint32_t count);

/* Copies what is wanted at `step` into a frame and hands it over; the last row given is the state shown. With
 * the inline transport it returns when all scripts have run. A failing script is told through the log once,
 * with file and line; inline, WS_SCRIPT_FAILED is returned each time. A host may ignore it. */
WS_API int ws_insitu_show(ws_insitu *insitu, uint64_t step);

/* Makes sure that the rows so far, and frames which are still to be drawn, outlive this process and its
 * machine. Call it before each checkpoint. Failures are told through the log. */
WS_API void ws_insitu_sync(ws_insitu *insitu);

/* What somebody at a viewer asks of the training. docs/steering.md lists the names that viewers of this
 * project use; a host takes what it can, and tells what it refuses. */
typedef struct ws_command {
    uint32_t size;                /* sizeof(ws_command), set by the caller */
    char origin[WS_VIEWER_SIZE];  /* who asks, for people */
    char name[WS_COMMAND_NAME];   /* [a-z_]+ */
    char value[WS_COMMAND_VALUE]; /* printable; "" where the name says all */
} ws_command;

/* The next command of any viewer: 1, and *command is filled; 0 if there is none; or WS_BAD_ARGUMENT. Costs a
 * load from memory for each viewer: call it between two steps. */
WS_API int ws_insitu_poll(ws_insitu *insitu, ws_command *command);

/* Whether a viewer wants the training to rest between two steps: 1, and `who` (may be NULL) names the viewer;
 * else 0. A viewer that leaves or dies holds nothing any more. As cheap as ws_insitu_poll. */
WS_API int ws_insitu_is_held(const ws_insitu *insitu, char who[WS_VIEWER_SIZE]);

/* Looks after viewers while the training rests: to be called about twenty times a second instead of
 * ws_insitu_row. *ws_insitu_next() becomes the step of the last row when somebody wants to see it. */
WS_API void ws_insitu_idle(ws_insitu *insitu);

/* Changes what live updates may take while it runs: "overhead", the share of the host's time, 1e-6 to 1;
 * "live_rate", the most updates a second, 0.1 to 1000 (WS_LIVE_RATE unless set). WS_BAD_ARGUMENT: nothing is
 * changed.
 */
WS_API int ws_insitu_set(ws_insitu *insitu, const char *name, double value);

/* What viewers show beside the numbers of the last row, as one JSON object of at most WS_STATUS_BYTES - 1
 * bytes, such as {"knobs": {"learning_rate": "0.001"}, "refused": "..."}: its texts and numbers are shown in
 * the order they have. Copied. WS_BAD_ARGUMENT: too long. */
WS_API int ws_insitu_status(ws_insitu *insitu, const char *json);

/* After the last step: waits until everything that scripts asked for is drawn; options.stop ends that, and
 * what is left stays in the backlog for ws_watch. WS_OK; WS_STOPPED; WS_SCRIPT_FAILED if the process that
 * draws keeps dying (told through the log). */
WS_API int ws_insitu_finish(ws_insitu *insitu);

/* Writes what the channels hold at `step` as FOLDER/CHANNEL.vti and .csv; needs ParaView, no display. */
WS_API int ws_insitu_export(ws_insitu *insitu, uint64_t step, const char *folder);

/* Fills *report; repeats of failures that were told once are counted in it. */
WS_API void ws_insitu_report(const ws_insitu *insitu, ws_report *report);

/* Ends the scripts (their catalyst_finalize), writes the Cinema tables, closes the history; a sidecar that
 * has not drawn all is ended. A display that was started for pictures inline ends with the process. NULL is
 * allowed. */
WS_API void ws_insitu_free(ws_insitu *insitu);

/* Draws a run from outside: one that trains now, has ended, or was recorded. */
typedef struct ws_watch_options {
    uint32_t size; /* sizeof(ws_watch_options) */
    uint32_t script_count;
    const char *const *scripts;
    const char *output; /* as in ws_options */
    const char
        *folder; /* of the run: attaches if it trains, and draws what is in its recording and backlog */
    const char *recording; /* or a recording by itself; NULL: the folder's */
    int32_t own; /* not 0: the scripts are the run's own: draws what it has left in its backlog, which goes
                    when all of it is drawn */
    int32_t
        latest; /* not 0: draws the newest state again and again, whatever triggers say, until the run ends */
    const char *live; /* "HOST:PORT": dials the ParaView that listens there, and shows it what is drawn: the
                         newest state of a run that trains, one step after the other of what is in files.
                         Works without scripts. NULL: nobody is dialled */
    double rate;      /* live from files: steps a second; 0: as fast as the viewer takes them */
    uint64_t first, last;       /* steps to draw; 0, 0: all there are, of a run that trains from now on */
    double script_seconds;      /* as in ws_options */
    int (*stop)(void *context); /* asked between two steps, and, with live, by another thread while the viewer
                                   is waited for; not 0 ends it. NULL: it is never ended */
    /* How many steps are drawn, and the last one of them. Called after each and a few times a second. NULL:
     * not called.
     */
    void (*progress)(void *context, uint64_t drawn, uint64_t step);
    void *context;
    void (*log)(void *context, ws_log_level level, const char *line); /* as in ws_options */
    void *log_context;
} ws_watch_options;

/* Returns when the run has ended and all is drawn. *report (its size set by the caller) tells what came of
 * it. The run is not disturbed, however this process ends. Errors: WS_BAD_SCRIPT, WS_NO_PICTURES,
 * WS_BAD_FILE, WS_IO_FAILED, WS_BAD_ARGUMENT (nothing to draw, or all viewers' places are taken); WS_STOPPED;
 * WS_SCRIPT_FAILED. */
WS_API int ws_watch(const ws_watch_options *options, ws_report *report);

/* What a recording holds. */
typedef struct ws_recording_facts {
    uint32_t size; /* sizeof(ws_recording_facts), set by the caller */
    uint32_t version;
    uint64_t frames;
    uint64_t first_step, last_step;
    uint64_t bytes; /* of the file */
    uint64_t raw;   /* of the frames in memory */
} ws_recording_facts;

/* Fills *facts, and calls `each` (may be NULL) for every frame. Also while the file grows. WS_BAD_FILE,
 * WS_IO_FAILED, WS_NO_MEMORY. */
WS_API int ws_recording_describe(const char *path, ws_recording_facts *facts,
                                 void (*each)(void *context, uint64_t step, uint64_t bytes, uint64_t raw),
                                 void *context);

/* Writes what the channels held at a recorded step as FOLDER/CHANNEL.vti and .csv; needs ParaView, no
 * display. Errors as above; WS_BAD_ARGUMENT: the step is not there (the nearest ones are named). */
WS_API int ws_recording_export(const char *path, uint64_t step, const char *folder);

/* Runs a Python script (an absolute path) once, with ParaView and a display to draw on, in a process of its
 * own that is killed after `seconds`: for pictures of what is in files. As ParaView's pvbatch would, but for
 * the display, which is a virtual one where there is none. WS_OK; WS_BAD_FILE: the script has refused, by
 * sys.exit(text), the text is the message; WS_BAD_SCRIPT: it cannot be read, or it failed (where, and why);
 * WS_NO_PICTURES; WS_IO_FAILED; WS_NO_MEMORY. */
WS_API int ws_script_run(const char *script, const char *const *arguments, uint32_t count, double seconds);

/* What this machine can do, as `weightscape doctor` tells it. */
typedef struct ws_abilities {
    uint32_t size;   /* sizeof(ws_abilities), set by the caller */
    int32_t bridge;  /* 1: the ParaView plug-in was found and runs in a child process */
    int32_t python;  /* 1: its Python imports paraview and numpy */
    int32_t display; /* 1: $DISPLAY answers; 0: none; -1: set but dead */
    int32_t xvfb;    /* 1: a virtual display could be started */
    char paraview_version[32];
    char python_version[32];
    char bridge_path[512];
    char problem[512]; /* why bridge or python is 0, one line; "" if nothing is wrong */
} ws_abilities;
WS_API int ws_insitu_abilities(ws_abilities *out);

#ifdef __cplusplus
}
#endif
#endif
