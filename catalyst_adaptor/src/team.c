/* SPDX-License-Identifier: BSD-3-Clause */
#include "team.h"
#include "message.h"
#include "place.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int ws_team_load(const ws_options *options, ws_team *team)
{
    char path[PATH_MAX];
    const int status = ws_place_find_ranks(path);
    if (status)
        return status;
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!plugin)
        return ws_fail(WS_BAD_ARGUMENT, "ws_options.communicator: cannot load %s", dlerror());
    const ws_ranks_table *table = dlsym(plugin, WS_RANKS_SYMBOL);
    if (!table || table->version != WS_RANKS_VERSION)
        return ws_fail(WS_BAD_ARGUMENT, "%s: is of another version than this library", path);
    team->counts = calloc(options->ranks, sizeof *team->counts);
    if (!team->counts)
        return ws_fail(WS_NO_MEMORY, "no memory for %u ranks", options->ranks);
    team->table = table;
    team->rank = options->rank;
    team->count = options->ranks;
    return WS_OK;
}

int ws_team_join(ws_team *team, const ws_options *options)
{
    char text[WS_RANKS_TEXT_SIZE] = "";
    if (!team->table ||
        team->table->join(options->communicator, team->rank, team->count, &team->ranks, text) == 0)
        return WS_OK;
    return ws_fail(WS_BAD_ARGUMENT, "ws_options.communicator: %s", text);
}

int ws_team_agree(const ws_team *team, int status)
{
    if (!team->ranks)
        return status;
    char text[WS_RANKS_TEXT_SIZE] = "";
    snprintf(text, sizeof text, "%s", status ? ws_message() : "");
    const int first = team->table->agree(team->ranks, &status, text);
    if (first < 0)
        return WS_OK;
    if (first == 0)
        return ws_fail(status, "%s", text);
    return ws_fail(status, "rank %d: %s", first, text);
}

void ws_team_share(const ws_team *team, void *bytes, size_t count)
{
    if (team->ranks && count > 0)
        team->table->share(team->ranks, bytes, count);
}

/* Room for the images of layer `index`. */
static int reserve(ws_team *team, uint32_t layer_count, uint32_t index, size_t count)
{
    if (!team->images) {
        team->images = calloc(layer_count, sizeof *team->images);
        team->layer_count = team->images ? layer_count : 0;
    }
    if (team->images && count <= team->images[index].capacity)
        return WS_OK;
    float *grown = team->images ? realloc(team->images[index].values, count * sizeof *grown) : NULL;
    if (!grown)
        return ws_fail(WS_NO_MEMORY, "no memory for %zu activations of all ranks", count);
    team->images[index].values = grown;
    team->images[index].capacity = count;
    return WS_OK;
}

int ws_team_gather_images(ws_team *team, ws_layers *layers, uint32_t index)
{
    ws_layer_arrays *layer = &layers->at[index];
    const int64_t *shape = layer->activation_shape, *part = layer->activation_part;
    const int64_t each = shape[1] * shape[2] * shape[3];
    const int64_t own = layer->activation ? (part[1] - part[0]) * each : 0;
    int64_t all = 0;
    layer->gathered = NULL;
    if (!team->ranks)
        return WS_OK;
    team->table->counts(team->ranks, (int32_t)own, team->counts);
    for (uint32_t i = 0; i < team->count; i++)
        all += team->counts[i];
    if (all == 0)
        return WS_OK;
    int status = WS_OK;
    if (all != shape[0] * each)
        status = ws_fail(WS_BAD_ARGUMENT,
                         "layer \"%s\": all ranks together have %lld activations to show, must be %lld",
                         layer->name, (long long)all, (long long)(shape[0] * each));
    else if (team->rank == 0)
        status = reserve(team, layers->count, index, (size_t)all);
    status = ws_team_agree(team, status);
    if (status)
        return status;
    float *values = team->rank == 0 ? team->images[index].values : NULL;
    team->table->gather(team->ranks, layer->activation, team->counts, values);
    layer->gathered = values;
    return WS_OK;
}

void ws_team_leave(ws_team *team)
{
    if (team->ranks)
        team->table->leave(team->ranks);
    for (uint32_t i = 0; i < team->layer_count; i++)
        free(team->images[i].values);
    free(team->images);
    free(team->counts);
    *team = (ws_team){0};
}
