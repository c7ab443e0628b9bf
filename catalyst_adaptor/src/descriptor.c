/* SPDX-License-Identifier: BSD-3-Clause */
#include "descriptor.h"
#include <errno.h>
#include <unistd.h>

int ws_descriptor_sync(int descriptor)
{
    int result;
    do
        result = fsync(descriptor);
    while (result < 0 && errno == EINTR);
    return result;
}

int ws_descriptor_cut(int descriptor, off_t length)
{
    int result;
    do
        result = ftruncate(descriptor, length);
    while (result < 0 && errno == EINTR);
    return result;
}
