/* SPDX-License-Identifier: BSD-3-Clause */
#include "gui_port.h"
#include "cnn/number.h"
#include "cnn/status.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int gui_port_of(const char *text, int *out)
{
    static const char *const here[] = {"localhost:", "127.0.0.1:"};
    const char *port_text = NULL;
    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        if (!strncmp(text, here[i], strlen(here[i])))
            port_text = text + strlen(here[i]);
    if (!port_text)
        return cnn_fail(CNN_BAD_ARGUMENT,
                        "--live=%s: not localhost:PORT, where a ParaView of this machine listens", text);
    uint64_t port;
    if (cnn_parse_whole("port", port_text, 1, 65535, &port))
        return cnn_fail(CNN_BAD_ARGUMENT, "--live=%s: port \"%s\" is not in 1..65535", text, port_text);
    *out = (int)port;
    return CNN_OK;
}

/* A socket that listens on `port`, 0 for any; -1. */
static int listener_on(int port)
{
    const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made < 0)
        return -1;
    const int yes = 1;
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(made, (const struct sockaddr *)&address, sizeof address) == 0 && listen(made, 1) == 0)
        return made;
    close(made);
    return -1;
}

int gui_port_is_free(int port)
{
    const int tried = listener_on(port);
    if (tried >= 0)
        close(tried);
    return tried >= 0;
}

int gui_port_any(int *out)
{
    const int made = listener_on(0);
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    if (made < 0 || getsockname(made, (struct sockaddr *)&address, &size)) {
        const int problem = errno;
        if (made >= 0)
            close(made);
        return cnn_fail(CNN_IO_FAILED, "no port is free on 127.0.0.1: %s", strerror(problem));
    }
    close(made);
    *out = ntohs(address.sin_port);
    return CNN_OK;
}
