// SPDX-License-Identifier: BSD-3-Clause
// Where VTK's own warnings and errors go: the first one is kept, all are
// counted, the terminal stays quiet.
#ifndef WS_OUTPUT_H
#define WS_OUTPUT_H

#include <string>
#include <vtkOutputWindow.h>

namespace weightscape
{

class Output : public vtkOutputWindow
{
  public:
    static Output *New();
    vtkTypeMacro(Output, vtkOutputWindow);

    // Becomes the process's window.
    void Install();

    // The first error since the last call, one line, or "".
    std::string TakeError();

    void DisplayText(const char *text) override;
    void DisplayErrorText(const char *text) override;
    void DisplayWarningText(const char *) override {}
    void DisplayGenericWarningText(const char *) override {}
    void DisplayDebugText(const char *) override {}

  private:
    std::string error;
};

} // namespace weightscape

#endif
