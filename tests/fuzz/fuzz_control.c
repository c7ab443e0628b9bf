/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client sends to a training's socket, through the socket. */
#include "cnn/status.h"
#include "control_socket.h"
#include "fuzz.h"
#include "small_session.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_BYTES = 2 * CONTROL_LINE_MOST, ANSWERS = 1 << 20, MOST_ROUNDS = 100000 };

/* Every answer is a line of JSON that says whether it is well. */
static void check_answers(const char *answers, size_t size)
{
    for (const char *end; size; size -= (size_t)(end + 1 - answers), answers = end + 1) {
        end = memchr(answers, '\n', size);
        fuzz_require(end != NULL, "an answer ends with a newline");
        json_t *object = json_loadb(answers, (size_t)(end - answers), JSON_REJECT_DUPLICATES, NULL);
        fuzz_require(json_is_boolean(json_object_get(object, "ok")), "an answer is JSON with \"ok\"");
        const int is_well = json_is_true(json_object_get(object, "ok"));
        fuzz_require(is_well != json_is_string(json_object_get(object, "error")), "a refusal has its reason");
        json_decref(object);
    }
}

/* Sends and serves until the training has hung up. */
static size_t talk(app_session *session, int client, const uint8_t *data, size_t size, char *answers)
{
    size_t sent = 0, got = 0;
    for (int i = 0; i < MOST_ROUNDS; i++) {
        if (sent < size) {
            const ssize_t some = send(client, data + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            sent += some > 0 ? (size_t)some : 0;
        }
        if (sent == size)
            shutdown(client, SHUT_WR);
        control_serve(session->control, 0);
        const ssize_t some = recv(client, answers + got, ANSWERS - got, MSG_DONTWAIT);
        if (some == 0)
            return got;
        got += some > 0 ? (size_t)some : 0;
        fuzz_require(got < ANSWERS, "answers are not much longer than what was asked");
        /* What is asked after an undo waits for the state before the merge. */
        session = small_session_return();
    }
    fuzz_require(0, "a training hangs up when its client has");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *answers;
    fuzz_hush();
    if (!answers)
        answers = malloc(ANSWERS);
    app_session *session = small_session();
    const int client = control_socket_connect(session->folder->path, 1);
    fuzz_require(client >= 0, "a training listens at its socket");
    check_answers(answers, talk(session, client, data, size < MOST_BYTES ? size : MOST_BYTES, answers));
    close(client);
    return 0;
}
