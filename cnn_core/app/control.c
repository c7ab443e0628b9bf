/* SPDX-License-Identifier: BSD-3-Clause */
#include "control.h"
#include "clock.h"
#include "control_socket.h"
#include "text.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client that has been silent for so long gives its place to one that comes when there is none. */
#define SILENT_SECONDS 10.0

typedef struct control_client {
    int fd;
    pid_t process;
    double heard; /* when */
    char *in;     /* CONTROL_LINE_MOST bytes and a NUL */
    size_t used;
    int skips;     /* the rest of a line that is too long */
    int ended;     /* it will send no more */
    int must_wait; /* its next line was given back */
    char *out;
    size_t length, sent;
} control_client;

struct app_control {
    int folder, listener;
    control_desk desk;
    control_client clients[CONTROL_CLIENTS_MOST];
    size_t count;
};

int control_open(int folder, const char *path, const control_desk *desk, app_control **out)
{
    const int listener = control_socket_listen(folder, path);
    if (listener < 0)
        return listener;
    app_control *opened = memory_of(1, sizeof *opened);
    *opened = (app_control){.folder = folder, .listener = listener, .desk = *desk};
    *out = opened;
    return 0;
}

/* ---- clients ---- */

static void drop(app_control *control, size_t index)
{
    control_client *client = &control->clients[index];
    close(client->fd);
    free(client->in);
    free(client->out);
    control->clients[index] = control->clients[--control->count];
}

/* Makes room: those who have hung up, else the one that has been silent for longest, if that is long. */
static void make_room(app_control *control)
{
    for (size_t i = control->count; i--;) {
        struct pollfd gone = {.fd = control->clients[i].fd};
        if (poll(&gone, 1, 0) > 0)
            drop(control, i);
    }
    if (control->count < CONTROL_CLIENTS_MOST)
        return;
    size_t oldest = 0;
    for (size_t i = 1; i < control->count; i++)
        if (control->clients[i].heard < control->clients[oldest].heard)
            oldest = i;
    if (clock_seconds() - control->clients[oldest].heard > SILENT_SECONDS)
        drop(control, oldest);
}

static void let_in(app_control *control)
{
    pid_t process;
    for (int i = 0; i < CONTROL_CLIENTS_MOST; i++) {
        const int fd = control_socket_accept(control->listener, &process);
        if (fd < 0)
            return;
        if (control->count == CONTROL_CLIENTS_MOST)
            make_room(control);
        char *in = control->count < CONTROL_CLIENTS_MOST ? malloc(CONTROL_LINE_MOST + 1) : NULL;
        if (!in) {
            close(fd);
            return; /* the next one may find the place of one that has left meanwhile */
        }
        control->clients[control->count++] =
            (control_client){.fd = fd, .process = process, .heard = clock_seconds(), .in = in};
    }
}

static int is_broken(ssize_t result)
{
    return result < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
}

/* Reads what there is room for. Returns 0 if the connection is gone. */
static int hear(control_client *client)
{
    const size_t room = CONTROL_LINE_MOST - client->used;
    if (!room || client->ended)
        return 1;
    const ssize_t got = recv(client->fd, client->in + client->used, room, MSG_DONTWAIT);
    if (got > 0) {
        client->used += (size_t)got;
        client->heard = clock_seconds();
    } else if (got == 0) {
        client->ended = 1;
    }
    return !is_broken(got);
}

/* Sends what is left of an answer. Returns 0 if the connection is gone. */
static int speak(control_client *client)
{
    if (!client->out)
        return 1;
    const ssize_t sent = send(client->fd, client->out + client->sent, client->length - client->sent,
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0)
        client->sent += (size_t)sent;
    if (client->sent == client->length) {
        free(client->out);
        client->out = NULL;
    }
    return !is_broken(sent);
}

/* Takes an answer, which is freed. Returns 0 if the connection is gone. */
static int answer(control_client *client, char *text)
{
    client->out = text_format("%s\n", text);
    client->length = strlen(client->out);
    client->sent = 0;
    free(text);
    return speak(client);
}

static void forget(control_client *client, size_t bytes)
{
    client->used -= bytes;
    memmove(client->in, client->in + bytes, client->used);
}

/* Where the first whole line ends, NULL without one. */
static char *end_of_line(const control_client *client)
{
    return memchr(client->in, '\n', client->used);
}

/* Throws away what belongs to a line that is too long; tells so where it begins. Returns 0 if the connection
 * is gone. */
static int skip(const app_control *control, control_client *client)
{
    const char *end = end_of_line(client);
    if (client->skips) {
        forget(client, end ? (size_t)(end - client->in) + 1 : client->used);
        client->skips = !end;
    } else if (!end && client->used == CONTROL_LINE_MOST) {
        forget(client, client->used);
        client->skips = 1;
        return answer(client, control->desk.refuse_long(control->desk.context));
    }
    return 1;
}

/* Deals with whole lines until an answer is not taken. Returns 0 if the connection is gone. */
static int deal_with(const app_control *control, control_client *client, int *budget)
{
    char *end;
    client->must_wait = 0;
    int is_there = client->out || skip(control, client);
    while (is_there && !client->out && *budget > 0 && (end = end_of_line(client)) && !client->skips) {
        const size_t length = (size_t)(end - client->in);
        *end = '\0';
        char *text = control->desk.answer(control->desk.context, client->in, length, client->process);
        --*budget;
        if (!text) {
            *end = '\n';
            client->must_wait = 1;
            return 1;
        }
        forget(client, length + 1);
        is_there = answer(client, text);
    }
    return is_there;
}

/* ---- serving ---- */

/* 1 if there is something to do that poll does not tell. */
static int has_work(const control_client *client)
{
    return !client->out && !client->must_wait && (end_of_line(client) || (client->skips && client->used));
}

static short events_of(const control_client *client)
{
    if (client->out)
        return POLLOUT;
    return client->ended || client->used == CONTROL_LINE_MOST ? 0 : POLLIN;
}

/* Everything about one client for now. Returns 0 if it is to go. */
static int attend(const app_control *control, control_client *client, short events, int *budget)
{
    if (events & (POLLERR | POLLNVAL))
        return 0;
    int is_there = !(events & POLLOUT) || speak(client);
    /* A peer that has hung up altogether may have left whole requests. */
    if (is_there && events & (POLLIN | POLLHUP))
        is_there = hear(client);
    if (is_there)
        is_there = deal_with(control, client, budget);
    const int is_done = client->ended && !client->out && !client->must_wait && !end_of_line(client);
    return is_there && !is_done && !(events & POLLHUP && client->out);
}

void control_serve_at(app_control *control, const control_desk *desk)
{
    control->desk = *desk;
}

void control_serve(app_control *control, int milliseconds)
{
    struct pollfd polled[1 + CONTROL_CLIENTS_MOST];
    if (!control) {
        poll(NULL, 0, milliseconds);
        return;
    }
    polled[0] = (struct pollfd){.fd = control->listener, .events = POLLIN};
    for (size_t i = 0; i < control->count; i++) {
        polled[1 + i] =
            (struct pollfd){.fd = control->clients[i].fd, .events = events_of(&control->clients[i])};
        if (has_work(&control->clients[i]))
            milliseconds = 0;
    }
    const int ready = poll(polled, 1 + (nfds_t)control->count, milliseconds);
    /* From the last on, as a client that goes leaves its place to the last one. */
    for (size_t i = control->count; i--;) {
        const short events = ready > 0 ? polled[1 + i].revents : 0;
        int budget = CONTROL_LINES_AT_ONCE;
        if ((events || has_work(&control->clients[i]) || control->clients[i].must_wait) &&
            !attend(control, &control->clients[i], events, &budget))
            drop(control, i);
    }
    if (ready > 0 && polled[0].revents)
        let_in(control);
}

void control_close(app_control *control)
{
    if (!control)
        return;
    while (control->count)
        drop(control, control->count - 1);
    control_socket_remove(control->folder);
    close(control->listener);
    free(control);
}
