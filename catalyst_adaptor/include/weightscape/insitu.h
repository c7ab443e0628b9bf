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
 *     }
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
    X(WS_SCRIPT_FAILED, -7, "a pipeline script failed at this step")

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

typedef struct ws_options {
    uint32_t size; /* sizeof(ws_options) */
    uint32_t script_count;
    const char *const
        *scripts; /* "SCRIPT.py[,key=value...]"; what follows the path reaches the script as --key=value */
    const char *output;    /* folder for pictures; each script gets a Cinema database OUTPUT/NAME.cdb */
    const char *history;   /* file that keeps the histories (see docs/channels.md); NULL: memory only */
    uint64_t first_step;   /* 0, or the step that a resumed run continues from: rows after it are cut */
    double script_seconds; /* a script that runs longer in one call is interrupted; 0: the default, 120 */
    int32_t required;      /* not 0: ws_insitu_start fails where it would warn and go on without pictures */
    int32_t read_only;     /* not 0: the history is read up to first_step and never written (export) */
    /* Lines for people: warnings, the first failure of a script. NULL: standard error. */
    void (*log)(void *context, ws_log_level level, const char *line);
    void *log_context;
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
    uint64_t frames;          /* steps shown */
    uint64_t images_written;  /* files in the Cinema databases from this run */
    uint64_t images_expected; /* what the scripts' triggers asked for */
    uint64_t script_failures; /* calls of a script that failed, the repeats included */
    double seconds;           /* time spent inside ws_insitu_row and ws_insitu_show */
} ws_report;

/* Copies the options; loads nothing yet. Opens or creates options.history when layers are known (start).
 * Errors: WS_BAD_ARGUMENT, WS_NO_MEMORY. *out is untouched on error; free with ws_insitu_free. */
WS_API int ws_insitu_create(const ws_options *options, ws_insitu **out);

/* Adds a layer before the start. Returns its index (>= 0) or a status. */
WS_API int ws_insitu_add_layer(ws_insitu *insitu, const ws_layer *layer);

/* Replaces arrays or shape of layer `index` after the start (filters were merged, memory was moved); a change
 * of shape raises the generation of the frames. Kind and name must stay. */
WS_API int ws_insitu_change_layer(ws_insitu *insitu, int index, const ws_layer *layer);

/* Opens the history, tries every script in a child process, starts a virtual display if one is needed and
 * loads ParaView into this process. With no scripts only the history is kept and no ParaView is needed.
 * Errors: WS_BAD_SCRIPT (missing, syntax error, fails or ends or hangs when imported, names a channel that
 * does not exist), WS_NO_PICTURES if options.required, else a warning through the log and training goes on
 * without pictures; WS_BAD_FILE, WS_IO_FAILED for the history. Call it before the host starts threads that
 * rely on signal handlers; handlers and floating-point modes are the same after it as before. */
WS_API int ws_insitu_start(ws_insitu *insitu);

/* Where the next step that somebody wants to see is published: WS_NEVER if none. Valid until ws_insitu_free.
 */
WS_API const volatile uint64_t *ws_insitu_next(const ws_insitu *insitu);

/* Appends a row to the histories (norms, and the walk of every convolution). Step 0 is the initial state:
 * only its walk is kept. WS_IO_FAILED once when the history file cannot be written: then it goes on in
 * memory. */
WS_API int ws_insitu_row(ws_insitu *insitu, const ws_row *row);

/* Copies what is wanted at `step` into a frame and hands it over; the last row given is the state shown. With
 * the inline transport it returns when all scripts have run. A failing script is told through the log once,
 * with file and line; WS_SCRIPT_FAILED is returned each time. Training may ignore it. */
WS_API int ws_insitu_show(ws_insitu *insitu, uint64_t step);

/* Writes what the channels hold at `step` as FOLDER/CHANNEL.vti and .csv; needs ParaView, no display. */
WS_API int ws_insitu_export(ws_insitu *insitu, uint64_t step, const char *folder);

/* Fills *report; repeats of failures that were told once are counted in it. */
WS_API void ws_insitu_report(const ws_insitu *insitu, ws_report *report);

/* Ends the scripts (their catalyst_finalize), writes the Cinema tables, closes the history. A display that
 * was started for pictures ends with the process. NULL is allowed. */
WS_API void ws_insitu_free(ws_insitu *insitu);

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
