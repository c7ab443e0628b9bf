// SPDX-License-Identifier: BSD-3-Clause
// A connection to a port of a host.
#ifndef WEIGHTSCAPE_DIAL_H
#define WEIGHTSCAPE_DIAL_H

#include <cstdint>
#include <string>

namespace weightscape
{

struct Dialled {
    int socket = -1;         // owned by the caller; -1: none
    bool is_unknown = false; // the host's name is
    std::string problem;     // why there is no socket
};

// Tries every address of the host, each for at most that many seconds.
Dialled dial(const std::string &host, uint16_t port, double seconds);

} // namespace weightscape

#endif
