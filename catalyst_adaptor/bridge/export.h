// SPDX-License-Identifier: BSD-3-Clause
// Channels as files that the ParaView GUI opens.
#ifndef WEIGHTSCAPE_EXPORT_H
#define WEIGHTSCAPE_EXPORT_H

#include "bridge_table.h"

#include <string>

namespace weightscape
{

// Writes images as FOLDER/CHANNEL.vti and tables as FOLDER/CHANNEL.csv, each aside and then renamed. Returns
// a problem, "" if there is none.
std::string export_channels(const ws_scene &scene, const std::string &folder);

} // namespace weightscape

#endif
