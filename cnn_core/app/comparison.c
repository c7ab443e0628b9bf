/* SPDX-License-Identifier: BSD-3-Clause */
#include "comparison.h"
#include "cnn/status.h"
#include "text.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weightscape/insitu.h>

#define SCRIPT "weightscape/pipelines/compare.py"

enum { SECONDS = 300, SECONDS_EACH = 5 }; /* after which it is given up, for long histories on a slow disk */

/* The script beside this program, as built or as installed; NULL. The caller frees it. */
static char *find_script(void)
{
    static const char *const beside[] = {"../share", "../" WEIGHTSCAPE_DATADIR};
    char self[PATH_MAX], found[PATH_MAX];
    if (!realpath("/proc/self/exe", self))
        return NULL;
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        char *path = text_format("%s/%s/" SCRIPT, self, beside[i]);
        const int is_here = realpath(path, found) != NULL;
        free(path);
        if (is_here)
            return text_copy(found);
    }
    return NULL;
}

/* An argument of the script, or its default. */
static void add(char **arguments, uint32_t *count, const char *name, const char *value)
{
    if (value)
        arguments[(*count)++] = text_format("--%s=%s", name, value);
}

static int run_script(const char *script, const comparison *wanted)
{
    uint32_t runs = 0, count = 0;
    while (wanted->runs[runs])
        runs++;
    char **arguments = memory_of(runs + 6, sizeof *arguments);
    add(arguments, &count, "output", wanted->output);
    add(arguments, &count, "by", wanted->by);
    add(arguments, &count, "layer", wanted->layer);
    add(arguments, &count, "size", wanted->size);
    arguments[count++] = text_copy("--");
    for (uint32_t i = 0; i < runs; i++)
        arguments[count++] = text_copy(wanted->runs[i]);
    const int status =
        ws_script_run(script, (const char *const *)arguments, count, SECONDS + SECONDS_EACH * runs);
    for (uint32_t i = 0; i < count; i++)
        free(arguments[i]);
    free(arguments);
    return status;
}

int comparison_draw(const comparison *wanted)
{
    char *script = find_script();
    if (!script)
        return cnn_fail(CNN_IO_FAILED, SCRIPT ": is not installed beside this program");
    const int status = run_script(script, wanted);
    free(script);
    return status ? cnn_fail(status == WS_BAD_FILE ? CNN_BAD_ARGUMENT : CNN_IO_FAILED, "%s", ws_message())
                  : CNN_OK;
}
