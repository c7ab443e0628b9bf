// SPDX-License-Identifier: BSD-3-Clause
#include "dial.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace weightscape
{

namespace
{

// 0, or an errno.
int wait_for(int socket, double seconds)
{
    pollfd wanted{socket, POLLOUT, 0};
    int ready;
    do
        ready = poll(&wanted, 1, static_cast<int>(1000 * seconds));
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return ready == 0 ? ETIMEDOUT : errno;
    int problem = 0;
    socklen_t size = sizeof problem;
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 ? problem : errno;
}

// The socket, or -1 with errno set.
int dial_address(const addrinfo &address, double seconds)
{
    const int type = address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK;
    const int socket = ::socket(address.ai_family, type, address.ai_protocol);
    if (socket < 0)
        return -1;
    int problem = connect(socket, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    if (problem == EINPROGRESS)
        problem = wait_for(socket, seconds);
    // VTK's sockets wait; small messages go at once.
    const int on = 1;
    if (problem == 0 && (fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) & ~O_NONBLOCK) != 0 ||
                         setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0))
        problem = errno;
    if (problem == 0)
        return socket;
    close(socket);
    errno = problem;
    return -1;
}

} // namespace

Dialled dial(const std::string &host, uint16_t port, double seconds)
{
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    Dialled result;
    const int status = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (status != 0) {
        result.is_unknown = true;
        result.problem = gai_strerror(status);
        return result;
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo *)> addresses(found, freeaddrinfo);
    for (const addrinfo *each = found; each && result.socket < 0; each = each->ai_next) {
        result.socket = dial_address(*each, seconds);
        if (result.socket < 0)
            result.problem = std::strerror(errno);
    }
    return result;
}

} // namespace weightscape
