/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `gui`: a run or a recording in ParaView's window, connected and laid out. */
#include "cnn/status.h"
#include "command.h"
#include "companion.h"
#include "exit_status.h"
#include "gui_port.h"
#include "run_folder.h"
#include "run_state.h"
#include "signals.h"
#include "tell.h"
#include "text.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char details[] = "Starts ParaView with its plugin. A run that trains is shown live, with its "
                              "knobs: on the port of the run's "
                              "own --live if it has one that is free, else by a `weightscape watch` that "
                              "this starts and ends. Of a run that "
                              "has ended, and of a file, the recording is opened.\n\n"
                              "With --live and without a run it waits for whatever training dials that port "
                              "of this machine, such as one on "
                              "another machine through a forwarded port.\n\n"
                              "ParaView is `paraview` on PATH, or what $PARAVIEW names.\n\n"
                              "Exit status: 0 ParaView was closed; 1 it cannot be started, or it failed; 2 "
                              "the call, the run or the file "
                              "cannot be used; 130 or 143 ended by SIGINT or SIGTERM.";

static const app_option options[] = {
    {.name = "live",
     .kind = OPTION_TEXT,
     .argument = "HOST:PORT",
     .help = "Wait on this port of this machine, localhost:PORT; the training dials it by itself"},
    {0},
};

/* What is to be shown. */
typedef struct shown {
    char *recording; /* its path; NULL: live */
    char *run;       /* folder of a run that has to be made to dial; NULL: it dials by itself */
    int port;        /* live */
} shown;

static int open_recording(const char *path, shown *out)
{
    char absolute[PATH_MAX];
    if (access(path, R_OK) || !realpath(path, absolute))
        return cnn_fail(CNN_IO_FAILED, "%s: cannot be read", path);
    out->recording = text_copy(absolute);
    return CNN_OK;
}

/* The port that the run dials by itself, if a ParaView can still listen there. */
static int take_own_port(const json_t *record, shown *out)
{
    const char *live = json_string_value(json_object_get(json_object_get(record, "options"), "live"));
    return live && !gui_port_of(live, &out->port) && gui_port_is_free(out->port);
}

static int open_run(const char *path, shown *out)
{
    run_folder folder = run_folder_of(path);
    json_t *record = NULL;
    int status = run_state_record(&folder, &record);
    if (!status && run_folder_is_used(path)) {
        if (!take_own_port(record, out)) {
            out->run = text_copy(path);
            status = gui_port_any(&out->port);
        }
    } else if (!status && access(folder.recording, F_OK)) {
        status = cnn_fail(CNN_BAD_ARGUMENT,
                          "%s: does not train, and has no recording (train --record N keeps one)", path);
    } else if (!status) {
        status = open_recording(folder.recording, out);
    }
    json_decref(record);
    run_folder_close(&folder);
    return status;
}

static int open_shown(const option_values *values, shown *out)
{
    const char *live = option_text(values, "live");
    const char *path = operand_count(values) ? operand_at(values, 0) : NULL;
    struct stat found;
    if (live)
        return gui_port_of(live, &out->port);
    if (!path)
        return cnn_fail(CNN_BAD_ARGUMENT, "a run, a recording or --live is missing");
    if (stat(path, &found))
        return cnn_fail(CNN_IO_FAILED, "%s: is not there", path);
    return S_ISDIR(found.st_mode) ? open_run(path, out) : open_recording(path, out);
}

/* The folder with the plugin, as built or as installed; NULL. The caller frees it. */
static char *plugin_folder(void)
{
    static const char *const beside[] = {"../lib/weightscape", "../" WEIGHTSCAPE_LIBDIR "/weightscape"};
    const char *named = getenv("WEIGHTSCAPE_BRIDGE");
    char self[PATH_MAX];
    if (!realpath("/proc/self/exe", self))
        return NULL;
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        char *folder = named && *named ? text_format("%s/paraview", named)
                                       : text_format("%s/%s/paraview", self, beside[i]);
        char *plugin = text_format("%s/Weightscape.so", folder);
        const int is_here = access(plugin, R_OK) == 0;
        free(plugin);
        if (is_here)
            return folder;
        free(folder);
    }
    return NULL;
}

static int set_environment(const shown *what)
{
    char *folder = plugin_folder();
    if (!folder)
        return cnn_fail(CNN_IO_FAILED,
                        "the plugin Weightscape.so is not installed; build with ParaView: apt-get install "
                        "paraview-dev qtbase5-dev");
    const char *known = getenv("PV_PLUGIN_PATH");
    char *path = known && *known ? text_format("%s:%s", folder, known) : text_copy(folder);
    char *task =
        what->recording ? text_format("recording:%s", what->recording) : text_format("live:%d", what->port);
    setenv("PV_PLUGIN_PATH", path, 1);
    /* ParaView's Open MPI would take calls from every network, for processes that a window never has. */
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    setenv("OMPI_MCA_btl", "self", 0);
    setenv("WEIGHTSCAPE_GUI", task, 1);
    free(task);
    free(path);
    free(folder);
    return CNN_OK;
}

static int check_display(void)
{
    const char *x11 = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
    if ((x11 && *x11) || (wayland && *wayland))
        return CNN_OK;
    return cnn_fail(CNN_IO_FAILED,
                    "no display (DISPLAY is not set): run it where there is one; docs/gui.md tells how "
                    "a training elsewhere is shown there");
}

static char *find_paraview(void)
{
    const char *named = getenv("PARAVIEW");
    char *found = companion_find(named && *named ? named : "paraview");
    if (!found)
        cnn_fail(CNN_IO_FAILED, "%s: no such program (apt-get install paraview, or PARAVIEW=PROGRAM)",
                 named && *named ? named : "paraview");
    return found;
}

/* A watch that makes the run dial the port. 0 if none is needed, -1 on failure. */
static pid_t start_watch(const shown *what)
{
    char self[PATH_MAX];
    if (!what->run)
        return 0;
    if (!realpath("/proc/self/exe", self))
        return cnn_fail(CNN_IO_FAILED, "/proc/self/exe: cannot be read"), -1;
    char *live = text_format("--live=localhost:%d", what->port);
    char *arguments[] = {self, "watch", "--quiet", live, "--", what->run, NULL};
    const pid_t watch = companion_start(arguments);
    free(live);
    return watch;
}

/* Until the window is closed. */
static int show(char *paraview, const shown *what)
{
    char *arguments[] = {paraview, NULL};
    const pid_t watch = start_watch(what);
    const pid_t window = watch < 0 ? -1 : companion_start(arguments);
    int exit_status = EXIT_FAILED;
    if (window < 0) {
        tell_error("%s", cnn_message());
    } else if (!companion_wait(window, &exit_status)) {
        companion_end(window);
        exit_status = 128 + signals_caught();
    } else if (exit_status) {
        tell_error("%s: ended with status %d", paraview, exit_status);
        exit_status = EXIT_FAILED;
    }
    companion_end(watch);
    return exit_status;
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    shown what = {0};
    char *paraview = NULL;
    int exit_status = EXIT_BAD_INPUT;
    signals_catch();
    if (open_shown(values, &what)) {
        tell_error("%s", cnn_message());
    } else if (check_display() || !(paraview = find_paraview()) || set_environment(&what)) {
        tell_error("%s", cnn_message());
        exit_status = EXIT_FAILED;
    } else {
        exit_status = show(paraview, &what);
    }
    free(paraview);
    free(what.recording);
    free(what.run);
    return exit_status;
}

const app_command command_gui = {.name = "gui",
                                 .operands = "[RUN|FILE]",
                                 .least = 0,
                                 .most = 1,
                                 .summary = "a run or a recording in ParaView's window, laid out",
                                 .details = details,
                                 .options = options,
                                 .run = run};
