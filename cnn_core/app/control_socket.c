/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* struct ucred, accept4 */
#include "control_socket.h"
#include "cnn/status.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ASIDE ".control.tmp" /* only the owner of the run's lock makes it */

enum { WAITING_MOST = 64 };

/* The name in the folder, by its descriptor: a path of any length fits into the address. */
static struct sockaddr_un address_of(int folder, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, name);
    return address;
}

/* Nobody can connect before `listen`, so that the mode is right when the first one does. */
static int bind_aside(int listener, int folder)
{
    const struct sockaddr_un address = address_of(folder, ASIDE);
    unlinkat(folder, ASIDE, 0);
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) < 0)
        return -1;
    return fchmodat(folder, ASIDE, S_IRUSR | S_IWUSR, 0) < 0 || listen(listener, WAITING_MOST) < 0 ? -1 : 0;
}

/* Takes the place of a socket, and of nothing else. */
static int put_in_place(int folder)
{
    struct stat about;
    if (fstatat(folder, CONTROL_NAME, &about, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISSOCK(about.st_mode)) {
        errno = EEXIST;
        return -1;
    }
    return renameat(folder, ASIDE, folder, CONTROL_NAME);
}

int control_socket_listen(int folder, const char *path)
{
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener >= 0 && bind_aside(listener, folder) == 0 && put_in_place(folder) == 0)
        return listener;
    const int reason = errno;
    if (listener >= 0)
        close(listener);
    unlinkat(folder, ASIDE, 0);
    return cnn_fail(CNN_IO_FAILED, "%s/" CONTROL_NAME ": cannot be listened at: %s", path, strerror(reason));
}

int control_socket_accept(int listener, pid_t *process)
{
    for (;;) {
        struct ucred peer;
        socklen_t size = sizeof peer;
        const int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client < 0)
            return -1;
        if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid()) {
            *process = peer.pid;
            return client;
        }
        close(client);
    }
}

void control_socket_remove(int folder)
{
    unlinkat(folder, CONTROL_NAME, 0);
}

static int set_limits(int client, double seconds)
{
    const struct timeval limit = {.tv_sec = (time_t)seconds,
                                  .tv_usec = (suseconds_t)(1e6 * (seconds - (double)(time_t)seconds))};
    return setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
           setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0;
}

int control_socket_connect(const char *path, double seconds)
{
    const int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    const struct sockaddr_un address = address_of(folder, CONTROL_NAME);
    const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int failed = client < 0 || set_limits(client, seconds) ||
                       connect(client, (const struct sockaddr *)&address, sizeof address) < 0;
    const int reason = errno;
    if (failed && client >= 0)
        close(client);
    close(folder);
    errno = reason;
    return failed ? -1 : client;
}
