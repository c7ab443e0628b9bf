/* SPDX-License-Identifier: BSD-3-Clause */
#include "last_state.h"
#include "cnn/status.h"
#include "exit_status.h"
#include "insitu_link.h"
#include "merged_filters.h"
#include "run_network.h"
#include "tell.h"

/* Returns a ws_status. */
static int draw(const run_folder *folder, uint64_t step, cnn_net *net, const merged_filters *merged,
                const drawing_scripts *scripts, const char *output, ws_report *report)
{
    const insitu_plan plan = {.scripts = scripts->texts,
                              .images = output,
                              .folder = folder->path,
                              .first_step = step,
                              .transport = WS_INLINE,
                              .merged = merged,
                              .always = 1,
                              .required = 1,
                              .read_only = 1};
    insitu_link *link = NULL;
    const int status = insitu_link_open(&plan, net, &link);
    if (status)
        return status;
    insitu_link_frame(link, step);
    *report = insitu_link_report(link);
    insitu_link_close(link);
    return WS_OK;
}

int last_state_draw(const run_folder *folder, const json_t *record, const drawing_scripts *scripts,
                    const char *output, int quiet)
{
    cnn_net *net;
    uint64_t step = 0;
    int status = run_network_newest(folder, &step);
    if (!status)
        status = run_network_load(folder, record, step, &net);
    if (status) {
        tell_error("%s", cnn_message());
        return status == CNN_NO_MEMORY ? EXIT_FAILED : EXIT_BAD_INPUT;
    }
    ws_report report = {0};
    merged_filters *merged = merged_filters_of_run(folder, record, step, net);
    status = draw(folder, step, net, merged, scripts, output, &report);
    merged_filters_close(merged);
    cnn_net_free(net);
    if (status) {
        tell_error("%s", ws_message());
        return drawing_exit_status(status);
    }
    tell_warning("%s: has no recording, so that only its last state, step %llu, is drawn", folder->path,
                 (unsigned long long)step);
    return drawing_tell_result(&report, output, quiet);
}
