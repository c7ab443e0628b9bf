// SPDX-License-Identifier: BSD-3-Clause
// How ParaView's server manager, which calls methods by name, calls those of the reader.
#ifndef WEIGHTSCAPE_READER_COMMANDS_H
#define WEIGHTSCAPE_READER_COMMANDS_H

class vtkClientServerInterpreter;

namespace weightscape
{

// Makes the interpreter know the class WeightscapeReader, and its proxy.
void add_reader_commands(vtkClientServerInterpreter *interpreter);

} // namespace weightscape

#endif
