// SPDX-License-Identifier: BSD-3-Clause
#include "output.h"
#include <cstdio>
#include <cstring>
#include <vtkLogger.h>
#include <vtkObjectFactory.h>

namespace weightscape
{

vtkStandardNewMacro(Output);

void Output::Install()
{
    vtkLogger::SetStderrVerbosity(vtkLogger::VERBOSITY_OFF);
    vtkOutputWindow::SetInstance(this);
}

std::string Output::TakeError()
{
    std::string taken;
    taken.swap(error);
    return taken;
}

// What scripts print is theirs to show.
void Output::DisplayText(const char *text)
{
    std::fputs(text, stderr);
}

void Output::DisplayErrorText(const char *text)
{
    // Python's standard error comes here too, in pieces; what a script raised is
    // kept by the hooks.
    if (!error.empty() || std::strncmp(text, "ERROR: In ", 10) != 0)
        return;
    // "ERROR: In FILE, line N\nvtkClass (0x...): what happened"
    error = text;
    const size_t second = error.find('\n');
    if (second != std::string::npos && second + 1 < error.size())
        error.erase(0, second + 1);
    const size_t end = error.find('\n');
    if (end != std::string::npos)
        error.erase(end);
}

} // namespace weightscape
