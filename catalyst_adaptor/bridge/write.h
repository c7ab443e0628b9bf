// SPDX-License-Identifier: BSD-3-Clause
// Every channel as a file, for people who design their own script in the
// ParaView GUI.
#ifndef WS_WRITE_H
#define WS_WRITE_H

#include "mapping.h"

namespace weightscape
{

// FOLDER/CHANNEL.vti, .csv or .vtp of every channel that the frame holds. "" or
// what could not be written.
std::string write_channels(const ws_frame &frame, const ws_history &history, const std::string &folder);

} // namespace weightscape

#endif
