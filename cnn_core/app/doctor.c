/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `doctor`: what works on this machine, and what mends the rest. */
#include "cnn/status.h"
#include "command.h"
#include "companion.h"
#include "data_source.h"
#include "doctor_script.h"
#include "exit_status.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weightscape/insitu.h>

static const char details[] =
    "Checks ParaView, its Python, the display, MPI and, where given, a data folder and scripts; each script "
    "is tried in a "
    "process of its own. A failure comes with the command that mends it.\n\n"
    "Exit status: 0 all that pictures need is there; 1 something is missing; 2 the call cannot be used.";

static const app_option options[] = {
    {.name = "data",
     .kind = OPTION_TEXT,
     .argument = "DIR",
     .names = OPTION_NAMES_FOLDER,
     .help = "Check this data folder, too"},
    {.name = "classes",
     .kind = OPTION_WHOLE,
     .argument = "N",
     .fallback = "10",
     .least = 1,
     .most = 256,
     .help = "Its labels are in 0..N-1"},
    {.name = "pipeline",
     .kind = OPTION_TEXT,
     .repeatable = 1,
     .argument = "SCRIPT[,key=value...]",
     .names = OPTION_NAMES_FILE,
     .help = "Try this script, too; may be repeated"},
    {.name = "net",
     .kind = OPTION_TEXT,
     .argument = "SPEC|FILE",
     .names = OPTION_NAMES_FILE,
     .fallback = CNN_DEFAULT_NET,
     .help = "The network whose channels the scripts see"},
    {0},
};

/* One line; returns 1 for a failure, so that they can be counted. `mend` may be NULL. */
static int report(int good, const char *what, const char *detail, const char *mend)
{
    printf("%-8s %s: %s\n", good ? "ok" : "MISSING", what, detail);
    if (!good && mend)
        printf("         mend it with: %s\n", mend);
    return !good;
}

static int check_paraview(const ws_abilities *able)
{
    char *found = text_format("%s, %s", able->paraview_version, able->bridge_path);
    int failures = report(
        able->bridge, "ParaView", able->bridge ? found : able->problem,
        "sudo apt-get install paraview-dev python3-paraview libopenmpi-dev libpython3-dev, then make build");
    free(found);
    if (able->bridge)
        failures += report(able->python, "Python", able->python ? able->python_version : able->problem,
                           "sudo apt-get install python3-paraview python3-numpy");
    return failures;
}

static int check_display(const ws_abilities *able)
{
    const char *name = getenv("DISPLAY");
    if (able->display == 1)
        return report(1, "display", name ? name : "", NULL);
    if (able->display < 0)
        printf("%-8s display: %s is set but does not answer\n", "info", name ? name : "");
    return report(able->xvfb, "display",
                  able->xvfb ? "a virtual one (Xvfb) is started when needed" : "none, and no Xvfb",
                  "sudo apt-get install xvfb");
}

/* Nothing needs MPI; who runs under it wants to know. */
static void tell_mpi(const char *what, const char *name)
{
    char *found = companion_find(name);
    if (found)
        printf("%-8s MPI %s: %s\n", "info", what, found);
    else
        printf("%-8s MPI %s: no %s on PATH; nothing here needs it\n", "info", what, name);
    free(found);
}

static int check_data(const option_values *values)
{
    const char *folder = option_text(values, "data");
    if (!folder)
        return 0;
    cnn_data data = {0};
    const int status =
        data_source_load(folder, (int)option_whole(values, "classes"), CNN_VALIDATION_TWELFTH, 0, &data);
    char *found = text_format("%s: %u + %u + %u images for training, validation and test", folder,
                              data.train.count, data.validation.count, data.test.count);
    const int failures = report(!status, "data", status ? cnn_message() : found, "make data");
    free(found);
    cnn_data_free(&data);
    return failures;
}

static int run(const app_command *self, option_values *values)
{
    (void)self;
    ws_abilities able = {.size = sizeof able};
    ws_insitu_abilities(&able);
    printf("weightscape " WEIGHTSCAPE_VERSION "\n");
    int failures = check_paraview(&able) + check_display(&able) + check_data(values);
    tell_mpi("launcher", "mpirun");
    tell_mpi("compiler", "mpicc");
    for (size_t i = 0; i < option_count(values, "pipeline"); i++)
        failures += doctor_try_script(option_at(values, "pipeline", i), option_text(values, "net")) != 0;
    return failures ? EXIT_FAILED : EXIT_DONE;
}

const app_command command_doctor = {.name = "doctor",
                                    .operands = "",
                                    .summary = "what works on this machine, and what mends the rest",
                                    .details = details,
                                    .options = options,
                                    .run = run};
