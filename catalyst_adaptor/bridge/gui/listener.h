// SPDX-License-Identifier: BSD-3-Clause
// The socket on which ParaView waits for a training.
#ifndef WEIGHTSCAPE_GUI_LISTENER_H
#define WEIGHTSCAPE_GUI_LISTENER_H

namespace weightscape
{

// ParaView listens for Catalyst on every address of the machine, and whoever connects is trusted. This lets
// the socket that this process listens with on `port` answer on 127.0.0.1 only. 0; -1 if the process does not
// listen there or the port was taken meanwhile: then nothing listens.
int listen_on_localhost_only(int port);

// The descriptor of this process's connection whose own end is `port`; -1: none.
int connection_on(int port);

// Whether nobody listens on `port` of 127.0.0.1.
bool port_is_free(int port);

} // namespace weightscape

#endif
