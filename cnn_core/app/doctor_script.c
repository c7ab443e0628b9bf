/* SPDX-License-Identifier: BSD-3-Clause */
#include "doctor_script.h"
#include "cnn/status.h"
#include "insitu_link.h"
#include "net_text.h"
#include "text.h"
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLASSES = 10 };

/* Removes what a script has left in the folder for its pictures. */
static void remove_folder(char *path)
{
    char *const roots[] = {path, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOSTAT, NULL);
    for (FTSENT *entry; walk && (entry = fts_read(walk));)
        if (entry->fts_info != FTS_D)
            remove(entry->fts_accpath);
    if (walk)
        fts_close(walk);
}

/* Returns NULL if the script can be started, else why not. */
static const char *start_script(const char *script, const char *net_text, char *folder)
{
    cnn_net *net;
    char *spec = NULL;
    int status = net_text_read(net_text, &spec);
    if (!status)
        status = cnn_net_create(spec, (cnn_shape){1, 28, 28}, CLASSES, 1, &net);
    free(spec);
    if (status)
        return cnn_message();
    const char *scripts[] = {script, NULL};
    const insitu_plan plan = {.scripts = scripts, .images = folder, .transport = WS_INLINE, .required = 1};
    insitu_link *link = NULL;
    const int problem = insitu_link_open(&plan, net, &link);
    insitu_link_close(link);
    cnn_net_free(net);
    return problem ? ws_message() : NULL;
}

/* The life of the process that tries it. */
static int try_here(const char *script, const char *net_text)
{
    const char *temporary = getenv("TMPDIR");
    char *folder = text_format("%s/weightscape-doctor-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    const char *problem = mkdtemp(folder) ? NULL : strerror(errno);
    if (!problem) {
        problem = start_script(script, net_text, folder);
        remove_folder(folder);
    }
    printf("%-8s script: %s%s%s\n", problem ? "BAD" : "ok", script, problem ? ": " : "",
           problem ? problem : "");
    fflush(stdout);
    free(folder);
    return problem != NULL;
}

int doctor_try_script(const char *script, const char *net)
{
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0)
        _exit(try_here(script, net));
    int ended = 0;
    pid_t waited;
    do
        waited = child < 0 ? -1 : waitpid(child, &ended, 0);
    while (waited < 0 && child >= 0 && errno == EINTR);
    if (waited < 0 || !WIFEXITED(ended)) {
        printf("%-8s script: %s: ended its process%s\n", "BAD", script,
               waited >= 0 && WIFSIGNALED(ended) ? " by a signal" : "");
        return 1;
    }
    return WEXITSTATUS(ended);
}
