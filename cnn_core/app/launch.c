/* SPDX-License-Identifier: BSD-3-Clause */
#include "launch.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include "exit_status.h"
#include "mpi_door.h"
#include "signals.h"
#include "tell.h"
#include "text.h"
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLUGIN "libweightscape-mpi.so"

/* The one job of this process. */
static struct {
    const mpi_door *door;
    mpi_job *job;
    cnn_ranks ranks;
    int has_ranks, has_told_threads;
} here;

/* ---- what the environment tells ---- */

/* Variables of launchers, those of the innermost first: inside a batch job's step another launcher may run.
 */
static const struct {
    const char *count, *rank;
} variables[] = {{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
                 {"PMI_SIZE", "PMI_RANK"},
                 {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID"}};

enum { VARIABLES = sizeof variables / sizeof *variables };

/* The row that is set, -1: none. */
static int find_row(uint64_t *count)
{
    for (int i = 0; i < VARIABLES; i++) {
        const char *text = getenv(variables[i].count);
        if (text && !cnn_parse_whole(variables[i].count, text, 1, INT_MAX, count))
            return i;
    }
    return -1;
}

int launch_copies(void)
{
    uint64_t count;
    return find_row(&count) < 0 ? 1 : (int)count;
}

/* The number of this copy, 0 if nobody tells. */
static int number_here(void)
{
    uint64_t count, number = 0;
    const int row = find_row(&count);
    const char *text = row < 0 ? NULL : getenv(variables[row].rank);
    return text && !cnn_parse_whole(variables[row].rank, text, 0, INT_MAX, &number) ? (int)number : 0;
}

/* ---- the plug-in ---- */

static int refuse(const char *why)
{
    if (number_here())
        tell_silently();
    return cnn_fail(CNN_BAD_ARGUMENT, "%d copies of a 1-rank run: %s", launch_copies(), why);
}

/* Where the plug-in is: as built and as installed, or where the environment says. The caller frees it; NULL:
 * it is nowhere. */
static char *find_plugin(void)
{
    static const char *const beside[] = {"../lib/weightscape", "../" WEIGHTSCAPE_LIBDIR "/weightscape"};
    const char *named = getenv("WEIGHTSCAPE_MPI");
    if (named && *named) {
        char *path = text_format("%s/" PLUGIN, named);
        if (access(path, R_OK) == 0)
            return path;
        free(path);
        return NULL;
    }
    char program[PATH_MAX];
    if (!realpath("/proc/self/exe", program))
        return NULL;
    *strrchr(program, '/') = '\0';
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        char *path = text_format("%s/%s/" PLUGIN, program, beside[i]);
        if (access(path, R_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

static int load_door(void)
{
    char *path = find_plugin();
    if (!path)
        return refuse("this build has no MPI (" PLUGIN ")");
    /* Global: MPI loads parts of itself that expect to find the rest. */
    void *plugin = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    const mpi_door *door = plugin ? dlsym(plugin, MPI_DOOR_SYMBOL) : NULL;
    int status = CNN_OK;
    if (!plugin)
        status = refuse(dlerror());
    else if (!door || door->version != MPI_DOOR_VERSION)
        status = refuse(PLUGIN " is of another version than the program");
    else
        here.door = door;
    free(path);
    return status;
}

/* ---- ranks as the core sees them ---- */

static int lost(void)
{
    int is_teller;
    const char *cause = here.door->failure(here.job, &is_teller);
    return cnn_fail(CNN_RANKS_FAILED, "%s", cause ? cause : "the other ranks are lost");
}

static int broadcast(void *context, void *bytes, size_t size)
{
    return here.door->broadcast(context, bytes, size) ? lost() : CNN_OK;
}

static int gather(void *context, const void *mine, size_t size, void *all)
{
    return here.door->gather(context, mine, size, all) ? lost() : CNN_OK;
}

static int collect(void *context, const void *mine, size_t size, uint32_t whole, void *all)
{
    return here.door->collect(context, mine, size, whole, all) ? lost() : CNN_OK;
}

static int begin_sum(void *context, float *values, size_t count)
{
    return here.door->begin_sum(context, values, count) ? lost() : CNN_OK;
}

static int finish_sums(void *context)
{
    return here.door->finish_sums(context) ? lost() : CNN_OK;
}

static const char *name(void *context, int rank)
{
    return here.door->name(context, rank);
}

/* ---- joining ---- */

/* Whether the variables can be of a launcher that this MPI understands: those of Open MPI speak PMIx, as
 * Slurm may; what Slurm speaks otherwise MPI itself must find out. */
static int has_launcher(const mpi_door *door)
{
    return !door->is_open_mpi || getenv("PMIX_RANK") || getenv("SLURM_STEP_ID");
}

static int join_job(void)
{
    static const mpi_host host = {.signal = signals_caught, .signalled = signals_note};
    char why[MPI_CAUSE_SIZE];
    const int status = load_door();
    if (status)
        return status;
    if (!has_launcher(here.door))
        return refuse("no launcher of this program's MPI has started them");
    if (here.door->join(&host, &here.job, why, sizeof why))
        return refuse(why);
    const int count = here.door->count(here.job);
    if (count == launch_copies())
        return CNN_OK;
    here.door->leave(here.job);
    here.job = NULL;
    snprintf(why, sizeof why, "MPI knows %d of them: the launcher is of another MPI than this program",
             count);
    return refuse(why);
}

int launch_join(void)
{
    uint64_t count;
    if (find_row(&count) < 0)
        return CNN_OK;
    tell_plainly();
    if (count == 1)
        return CNN_OK;
    const int status = join_job();
    if (status)
        return status;
    here.ranks = (cnn_ranks){.context = here.job,
                             .rank = here.door->rank(here.job),
                             .count = here.door->count(here.job),
                             .broadcast = broadcast,
                             .gather = gather,
                             .collect = collect,
                             .begin_sum = begin_sum,
                             .finish_sums = finish_sums,
                             .name = name};
    here.has_ranks = 1;
    if (here.ranks.rank)
        tell_silently();
    return CNN_OK;
}

const cnn_ranks *launch_ranks(void)
{
    return here.has_ranks ? &here.ranks : NULL;
}

int launch_is_follower(void)
{
    return here.has_ranks && here.ranks.rank > 0;
}

int launch_threads(int asked)
{
    if (!here.has_ranks)
        return asked;
    int sharers;
    const int processors = here.door->processors(here.job, &sharers),
              fair = processors / sharers > 1 ? processors / sharers : 1;
    const int threads = asked ? asked : fair;
    if (threads * sharers > processors && !here.has_told_threads)
        tell_warning("%d ranks with %d %s each share %d %s", sharers, threads,
                     threads == 1 ? "thread" : "threads", processors,
                     processors == 1 ? "processor" : "processors");
    here.has_told_threads = 1;
    return threads;
}

/* ---- the end ---- */

int launch_has_failed(void)
{
    int is_teller;
    return here.has_ranks && here.door->failure(here.job, &is_teller);
}

int launch_check(void)
{
    return launch_has_failed() ? lost() : CNN_OK;
}

void launch_fail(const char *cause)
{
    if (here.has_ranks)
        here.door->fail(here.job, cause);
}

/* Rank 0 has told it already. */
static void end_failed(int exit_status)
{
    int is_teller = 0;
    const char *cause = here.door->failure(here.job, &is_teller);
    if (is_teller && here.ranks.rank) {
        tell_aloud();
        tell_error("%s", cause);
    }
    fflush(NULL);
    here.door->abort(here.job, exit_status ? exit_status : EXIT_FAILED);
}

int launch_leave(int exit_status)
{
    if (!here.has_ranks)
        return exit_status;
    if (here.ranks.rank == 0 && !launch_has_failed())
        cnn_order_give(&here.ranks, LAUNCH_ORDER_END, (uint32_t)exit_status, 0);
    if (!launch_has_failed())
        here.door->leave(here.job);
    if (launch_has_failed())
        end_failed(exit_status);
    return exit_status;
}
