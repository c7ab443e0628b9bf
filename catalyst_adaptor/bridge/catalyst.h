// SPDX-License-Identifier: BSD-3-Clause
// Catalyst in this process: the scripts, which of them run at a step, and what
// became of it.
#ifndef WS_CATALYST_H
#define WS_CATALYST_H

#include "bridge.h"
#include "mapping.h"
#include "output.h"
#include "python.h"
#include <set>
#include <string>
#include <vector>
#include <vtkCPProcessor.h>
#include <vtkCPPythonScriptV2Helper.h>
#include <vtkNew.h>
#include <vtkSmartPointer.h>

class vtkCPDataDescription;

namespace weightscape
{

class Catalyst
{
  public:
    explicit Catalyst(const ws_bridge_options &options);
    ~Catalyst();

    // False and a reason if ParaView does not come up.
    bool start(std::string &problem);
    // Imports script number `index`; "" or why it cannot be used.
    std::string import(int index, const ws_frame &frame, const ws_history &history);

    int script_count() const { return static_cast<int>(scripts.size()); }
    int views(int index) { return python.views(index); }
    uint64_t next(uint64_t from);
    uint64_t wanted(uint64_t step, bool &active);
    int show(const ws_frame &frame, const ws_history &history);
    void report(ws_report &out) const;

  private:
    struct Script {
        std::string path, folder;
        std::vector<std::string> arguments;
        vtkSmartPointer<vtkCPPythonScriptV2Helper> helper;
        std::set<std::string> channels;
        bool usable = false, told = false;
        uint64_t repeats = 0; // of failures, after the one that was told
        std::set<std::string> images_before;
    };

    // Runs `call` for a script under the watchdog; "" or the reason of its
    // failure.
    template <typename Call> std::string run(int index, Call call);
    void failed(int index, uint64_t step, const std::string &reason);
    // Fills a description of the frame's step with the channels that are in
    // `used`, or with all if it is NULL.
    void describe(vtkCPDataDescription &description, const ws_frame &frame, const ws_history &history,
                  const std::set<std::string> *used);

    const double script_seconds;
    const bool check;
    void (*const log)(void *context, ws_log_level level, const char *line);
    void *const log_context;
    std::vector<Channel> channels;
    std::vector<Script> scripts;
    Python python;
    vtkSmartPointer<Output> output;
    vtkSmartPointer<vtkCPProcessor> processor;
    uint64_t failures = 0, images_due = 0;
};

} // namespace weightscape

#endif
