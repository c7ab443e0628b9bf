/* SPDX-License-Identifier: BSD-3-Clause */
#include "memory_left.h"
#include <math.h>
#include <stdio.h>

/* The first number of a file that `format` finds, or infinity. */
static double read_number(const char *path, const char *format)
{
    char line[256];
    double found = INFINITY;
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, format, &found) == 1)
            break;
    if (file)
        fclose(file);
    return found;
}

double memory_left(void)
{
    const double available = 1024 * read_number("/proc/meminfo", "MemAvailable: %lf");
    /* As a container sees its own group; "max" is no number. */
    const double most = read_number("/sys/fs/cgroup/memory.max", "%lf");
    const double used = read_number("/sys/fs/cgroup/memory.current", "%lf");
    const double group = isfinite(most) && isfinite(used) ? most - used : INFINITY;
    return available < group ? available : group;
}
