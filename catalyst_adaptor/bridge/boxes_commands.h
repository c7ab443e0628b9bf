// SPDX-License-Identifier: BSD-3-Clause
// How ParaView's server manager, which calls methods by name, calls those of the boxes.
#ifndef WEIGHTSCAPE_BOXES_COMMANDS_H
#define WEIGHTSCAPE_BOXES_COMMANDS_H

class vtkClientServerInterpreter;

namespace weightscape
{

// Makes the interpreter know the class WeightscapeBoxes.
void add_boxes_commands(vtkClientServerInterpreter *interpreter);

} // namespace weightscape

#endif
