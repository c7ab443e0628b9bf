/* SPDX-License-Identifier: BSD-3-Clause */
/* A Unix socket in a folder, through which only this user's processes reach a training. */
#ifndef APP_CONTROL_SOCKET_H
#define APP_CONTROL_SOCKET_H

#include <sys/types.h>

#define CONTROL_NAME "control"

/* Listens at CONTROL_NAME in the folder with descriptor `folder`, in the place of a socket that a dead
 * process has left. Mode 0600, from before the first can connect. Returns a descriptor that never blocks, or
 * CNN_IO_FAILED with a message that begins with `path`, the folder's name for people. */
int control_socket_listen(int folder, const char *path);

/* The next connection of a process of this user, which never blocks; -1 if none is waiting. Others are closed
 * at once. *process tells who it is. */
int control_socket_accept(int listener, pid_t *process);

/* Removes the name. */
void control_socket_remove(int folder);

/* Connects to the training in the folder `path`; waits up to `seconds` for what is sent or received on it. A
 * descriptor, or -1 with errno: ENOENT or ECONNREFUSED if nobody listens there. */
int control_socket_connect(const char *path, double seconds);

#endif
