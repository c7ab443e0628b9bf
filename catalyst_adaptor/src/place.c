/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* dladdr */
#include "place.h"
#include "handlers.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLUGIN "libweightscape-bridge.so"
#define HELPER "weightscape-bridge"
#define RANKS  "libweightscape-ranks.so"

/* Relative to the folder of the library or the program: as built, and as installed. */
static const char *const beside[] = {
    "../lib/weightscape", "../" WEIGHTSCAPE_LIBDIR "/weightscape", "weightscape",
    ".", /* for the helper itself */
};

static int join(char out[PATH_MAX], const char *folder, const char *name)
{
    return snprintf(out, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

static int is_here(const char *folder, ws_place *out)
{
    return join(out->plugin, folder, PLUGIN) && join(out->helper, folder, HELPER) &&
           access(out->plugin, R_OK) == 0 && access(out->helper, X_OK) == 0;
}

static int has_ranks(const char *folder, void *out)
{
    return join(out, folder, RANKS) && access(out, R_OK) == 0;
}

static int has_bridge(const char *folder, void *out)
{
    return is_here(folder, out);
}

/* Whether one of the folders beside a file has what is looked for. */
static int is_beside(const char *file, int (*has)(const char *folder, void *out), void *out)
{
    char resolved[PATH_MAX], folder[PATH_MAX];
    if (!realpath(file, resolved))
        return 0;
    *strrchr(resolved, '/') = '\0';
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        if (join(folder, resolved, beside[i]) && has(folder, out))
            return 1;
    return 0;
}

/* Beside this library, beside the program, or where it was to be installed. */
static int find(int (*has)(const char *folder, void *out), void *out)
{
    Dl_info library;
    const int known = dladdr((void *)(uintptr_t)ws_place_find, &library) && library.dli_fname;
    return (known && is_beside(library.dli_fname, has, out)) || is_beside("/proc/self/exe", has, out) ||
           has(WEIGHTSCAPE_BRIDGE_FOLDER, out);
}

int ws_place_find_ranks(char out[PATH_MAX])
{
    const char *named = getenv("WEIGHTSCAPE_BRIDGE");
    if ((named && *named && has_ranks(named, out)) || find(has_ranks, out))
        return WS_OK;
    return ws_fail(WS_BAD_ARGUMENT,
                   "ws_options.communicator: %s is not installed; build with MPI: apt-get install "
                   "libopenmpi-dev",
                   RANKS);
}

int ws_place_find(ws_place *out)
{
    ws_place found;
    const char *named = getenv("WEIGHTSCAPE_BRIDGE");
    if (named && *named) {
        if (!is_here(named, &found))
            return ws_fail(WS_NO_PICTURES, "WEIGHTSCAPE_BRIDGE=%s: no %s and %s there", named, PLUGIN,
                           HELPER);
        *out = found;
        return WS_OK;
    }
    if (!find(has_bridge, &found))
        return ws_fail(
            WS_NO_PICTURES,
            "the ParaView bridge (%s) is not installed; build with ParaView: apt-get install paraview-dev "
            "python3-paraview libopenmpi-dev libpython3-dev",
            PLUGIN);
    *out = found;
    return WS_OK;
}

int ws_place_load(const ws_place *place, const ws_bridge_table **out)
{
    /* Global: modules that Python loads later expect to find VTK's and Python's symbols. */
    ws_handlers handlers;
    ws_handlers_keep(&handlers); /* libraries of MPI set some when they are loaded */
    void *plugin = dlopen(place->plugin, RTLD_NOW | RTLD_GLOBAL);
    ws_handlers_put_back(&handlers);
    if (!plugin)
        return ws_fail(WS_NO_PICTURES, "cannot load the ParaView bridge: %s", dlerror());
    const ws_bridge_table *table = dlsym(plugin, WS_BRIDGE_SYMBOL);
    if (!table || table->version != WS_BRIDGE_VERSION)
        return ws_fail(WS_NO_PICTURES, "%s: is of another version than this library", place->plugin);
    *out = table;
    return WS_OK;
}
