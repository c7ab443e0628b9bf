// SPDX-License-Identifier: BSD-3-Clause
// ParaView inside this process.
#ifndef WEIGHTSCAPE_PARAVIEW_H
#define WEIGHTSCAPE_PARAVIEW_H

#include <string>

namespace weightscape
{

// Starts Python and ParaView the first time it is called. They stay: neither can be started twice in a
// process. Returns a problem, "" if there is none.
std::string start_paraview();

} // namespace weightscape

#endif
