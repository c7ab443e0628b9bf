// SPDX-License-Identifier: BSD-3-Clause
#include "messages.h"

#include <vtkLogger.h>
#include <vtkNew.h>
#include <vtkObjectFactory.h>
#include <vtkOutputWindow.h>

#include <cstring>
#include <string>

namespace weightscape
{

namespace
{

ws_log destination;
unsigned long untold = 0;
bool has_told = false;

// Said about every chart and every first step, and of no consequence; later versions do not say it.
bool is_harmless(const char *text)
{
    return std::strstr(text, "Argument time already exists") ||
           std::strstr(text, "New time step is not after last time step");
}

void tell(const char *text)
{
    if (!destination.line || is_harmless(text))
        return;
    if (has_told) {
        untold++;
        return;
    }
    has_told = true;
    const std::string line = std::string("ParaView says: ") + text;
    destination.line(destination.context, WS_LOG_WARNING, line.substr(0, line.find('\n')).c_str());
}

void take_log(void *, const vtkLogger::Message &message)
{
    if (message.verbosity == vtkLogger::VERBOSITY_ERROR || message.verbosity == vtkLogger::VERBOSITY_WARNING)
        tell(message.message);
}

// VTK's messages come through the logger too, so the window has nothing to add.
class SilentWindow : public vtkOutputWindow
{
  public:
    static SilentWindow *New();
    vtkTypeMacro(SilentWindow, vtkOutputWindow);
    void DisplayText(const char *) override {}
    void DisplayErrorText(const char *) override {}
    void DisplayWarningText(const char *) override {}
    void DisplayGenericWarningText(const char *) override {}
    void DisplayDebugText(const char *) override {}
};

vtkStandardNewMacro(SilentWindow);

} // namespace

void catch_messages()
{
    vtkNew<SilentWindow> window;
    vtkOutputWindow::SetInstance(window);
    vtkLogger::EnableUnsafeSignalHandler = false; // a crash is the host's to handle
    vtkLogger::SetStderrVerbosity(vtkLogger::VERBOSITY_OFF);
    vtkLogger::AddCallback("weightscape", take_log, nullptr, vtkLogger::VERBOSITY_WARNING);
}

void tell_messages_to(const ws_log &log)
{
    destination = log;
    untold = 0;
    has_told = false;
}

void summarise_messages()
{
    if (!untold)
        return;
    const std::string line = std::to_string(untold) + " more messages from ParaView";
    destination.line(destination.context, WS_LOG_WARNING, line.c_str());
}

} // namespace weightscape
