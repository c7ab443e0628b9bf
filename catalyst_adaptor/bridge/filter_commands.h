// SPDX-License-Identifier: BSD-3-Clause
// How ParaView's server manager, which calls methods by name, calls those of the filters.
#ifndef WEIGHTSCAPE_FILTER_COMMANDS_H
#define WEIGHTSCAPE_FILTER_COMMANDS_H

class vtkClientServerInterpreter;

namespace weightscape
{

// Makes the interpreter know the classes WeightscapeBoxes and WeightscapeCurves.
void add_filter_commands(vtkClientServerInterpreter *interpreter);

} // namespace weightscape

#endif
