// SPDX-License-Identifier: BSD-3-Clause
#include "listener.h"

#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace weightscape
{

namespace
{

bool has_port(int descriptor, int port)
{
    sockaddr_in address{};
    socklen_t size = sizeof address;
    return getsockname(descriptor, reinterpret_cast<sockaddr *>(&address), &size) == 0 &&
           address.sin_family == AF_INET && ntohs(address.sin_port) == port;
}

bool listens(int descriptor)
{
    int yes = 0;
    socklen_t size = sizeof yes;
    return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 && yes;
}

// VTK keeps its descriptors to itself.
int find(int port, bool listening)
{
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return -1;
    int found = -1;
    while (const dirent *entry = readdir(folder)) {
        const int descriptor = std::atoi(entry->d_name);
        if (entry->d_name[0] != '.' && has_port(descriptor, port) && listens(descriptor) == listening)
            found = descriptor;
    }
    closedir(folder);
    return found;
}

sockaddr_in localhost(int port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int new_socket()
{
    const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    if (made >= 0)
        setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    return made;
}

} // namespace

int listen_on_localhost_only(int port)
{
    const int old = find(port, true);
    const int made = old < 0 ? -1 : new_socket();
    if (made < 0)
        return -1;
    // The old one is closed by this, which frees the port; its owner goes on with the new one.
    const int status = dup3(made, old, O_CLOEXEC);
    close(made);
    const sockaddr_in address = localhost(port);
    if (status < 0 || bind(old, reinterpret_cast<const sockaddr *>(&address), sizeof address) < 0)
        return -1;
    return listen(old, 1);
}

int connection_on(int port)
{
    return find(port, false);
}

bool port_is_free(int port)
{
    const int tried = new_socket();
    if (tried < 0)
        return false;
    const sockaddr_in address = localhost(port);
    const bool is_free = bind(tried, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0 &&
                         listen(tried, 1) == 0;
    close(tried);
    return is_free;
}

} // namespace weightscape
