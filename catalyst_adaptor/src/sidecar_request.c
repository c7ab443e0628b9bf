/* SPDX-License-Identifier: BSD-3-Clause */
#include "sidecar_request.h"
#include "request.h"

char *ws_sidecar_request(const ws_setup *setup, const ws_pictures *tried, uint64_t shown_until,
                         const char *live)
{
    json_t *scripts = json_array();
    for (uint32_t i = 0; i < tried->kept_count; i++)
        json_array_append_new(scripts, ws_request_script(&tried->kept[i]));
    json_t *request = json_pack("{s:o, s:s, s:o, s:f, s:I, s:I, s:b, s:b, s:s*}", "scripts", scripts,
                                "folder", setup->paths->folder, "layers", ws_request_layers(setup->layers),
                                "seconds", setup->script_seconds, "first_step", (json_int_t)setup->first_step,
                                "shown_until", (json_int_t)shown_until, "may_draw", tried->may_draw, "always",
                                setup->always, "live", live);
    char *line = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    return line;
}
