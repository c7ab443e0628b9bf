// SPDX-License-Identifier: BSD-3-Clause
// What ParaView and VTK print: the first line of each script is told, the rest counted; nothing reaches
// standard error.
#ifndef WEIGHTSCAPE_MESSAGES_H
#define WEIGHTSCAPE_MESSAGES_H

#include "bridge_table.h"

namespace weightscape
{

// Takes over VTK's output for good; call once, before ParaView starts.
void catch_messages();

// Where lines go from here on; a log without a function drops them.
void tell_messages_to(const ws_log &log);

// Tells how many lines were not told.
void summarise_messages();

} // namespace weightscape

#endif
