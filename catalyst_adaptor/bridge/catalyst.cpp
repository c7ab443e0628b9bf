// SPDX-License-Identifier: BSD-3-Clause
#include "catalyst.h"
#include "cinema.h"
#include "watchdog.h"
#include <cstdlib>
#include <vtkCPDataDescription.h>
#include <vtkCPInputDataDescription.h>
#include <vtkDataObject.h>
#include <vtkImageData.h>
#include <vtkPolyData.h>
#include <vtkTable.h>

namespace weightscape
{

namespace
{
// How far triggers are looked ahead before they are asked again; asking costs
// some microseconds a step.
constexpr long long look_ahead = 512;
} // namespace

Catalyst::Catalyst(const ws_bridge_options &options)
    : script_seconds(options.script_seconds), check(options.check != 0), log(options.log),
      log_context(options.log_context), channels(channels_of(*options.history))
{
    for (int i = 0; i < options.script_count; i++) {
        const ws_script &given = options.scripts[i];
        Script script;
        script.path = given.path;
        script.folder = given.folder;
        script.arguments.assign(given.arguments, given.arguments + given.argument_count);
        scripts.push_back(std::move(script));
    }
}

bool Catalyst::start(std::string &problem)
{
    // A process without a launcher is one rank: Open MPI would otherwise start a
    // daemon for it, which need not be installed.
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    // What its topology library finds missing (/sys, in containers) is no matter for one rank.
    setenv("HWLOC_HIDE_ERRORS", "2", 0);
    output = vtkSmartPointer<Output>::New();
    output->Install();
    processor = vtkSmartPointer<vtkCPProcessor>::New();
    if (!processor->Initialize()) {
        problem = "ParaView Catalyst cannot be initialised";
        return false;
    }
    output->Install(); // Catalyst's initialisation sets a window of its own
    if (!python.start(problem))
        return false;
    std::vector<std::string> names;
    for (const Channel &channel : channels)
        names.push_back(channel.name);
    python.set_channels(names);
    for (const Script &script : scripts)
        python.add(script.path, script.arguments, script.folder);
    return true;
}

Catalyst::~Catalyst()
{
    for (int i = 0; i < script_count(); i++) {
        Script &script = scripts[i];
        if (script.usable && !check) {
            const std::string reason = run(i, [&] { return script.helper->CatalystFinalize(); });
            if (!reason.empty())
                failed(i, WS_NEVER, reason);
            write_cinema_table(script.folder);
        }
        script.helper = nullptr;
        if (script.repeats && log)
            log(log_context, WS_LOG_WARNING,
                ("script " + script.path + " failed " + std::to_string(script.repeats) + " more times")
                    .c_str());
    }
    if (processor)
        processor->Finalize();
    vtkOutputWindow::SetInstance(nullptr);
}

template <typename Call> std::string Catalyst::run(int index, Call call)
{
    python.select(index);
    output->TakeError();
    bool good, interrupted;
    {
        Watchdog watchdog(script_seconds);
        good = call();
        interrupted = watchdog.barked();
    }
    std::string reason = python.take_failure(), error = output->TakeError();
    if (interrupted)
        scripts[index].usable = false;
    if (!reason.empty())
        return reason;
    if (!error.empty())
        return error;
    return good ? "" : "it failed without a reason";
}

void Catalyst::describe(vtkCPDataDescription &description, const ws_frame &frame, const ws_history &history,
                        const std::set<std::string> *used)
{
    description.SetTimeData(static_cast<double>(frame.step), static_cast<vtkIdType>(frame.step));
    for (const Channel &channel : channels) {
        description.AddInput(channel.name.c_str());
        if (used && !used->count(channel.name))
            continue;
        const vtkSmartPointer<vtkDataObject> object = build(channel, frame, history);
        vtkCPInputDataDescription *input = description.GetInputDescriptionByName(channel.name.c_str());
        input->SetGrid(object);
        if (auto *image = vtkImageData::SafeDownCast(object))
            input->SetWholeExtent(image->GetExtent());
    }
}

std::string Catalyst::import(int index, const ws_frame &frame, const ws_history &history)
{
    Script &script = scripts[index];
    script.helper = vtkSmartPointer<vtkCPPythonScriptV2Helper>::New();
    vtkNew<vtkCPDataDescription> description;
    describe(*description, frame, history, nullptr);
    const std::string reason = run(index, [&] {
        return script.helper->PrepareFromScript(script.path) && script.helper->Import(description) &&
               script.helper->CatalystInitialize(description);
    });
    script.usable = reason.empty();
    for (const std::string &channel : python.channels(index))
        script.channels.insert(channel);
    script.images_before = images_in(script.folder);
    return reason;
}

uint64_t Catalyst::next(uint64_t from)
{
    std::vector<int> usable;
    for (int i = 0; i < script_count(); i++)
        if (scripts[i].usable)
            usable.push_back(i);
    if (usable.empty())
        return WS_NEVER;
    return static_cast<uint64_t>(python.next_step(usable, static_cast<long long>(from), look_ahead));
}

uint64_t Catalyst::wanted(uint64_t step, bool &active)
{
    uint64_t bits = 0;
    active = false;
    for (int i = 0; i < script_count(); i++) {
        if (!scripts[i].usable || !python.active(i, static_cast<long long>(step)))
            continue;
        active = true;
        for (const Channel &channel : channels)
            if (channel.kind == Channel::Weights && scripts[i].channels.count(channel.name))
                bits |= uint64_t{1} << (channel.convolution < 63 ? channel.convolution : 63);
    }
    return bits;
}

int Catalyst::show(const ws_frame &frame, const ws_history &history)
{
    const auto step = static_cast<long long>(frame.step);
    std::vector<int> active;
    std::set<std::string> used;
    for (int i = 0; i < script_count(); i++)
        if (scripts[i].usable && python.active(i, step)) {
            active.push_back(i);
            used.insert(scripts[i].channels.begin(), scripts[i].channels.end());
        }
    vtkNew<vtkCPDataDescription> description;
    describe(*description, frame, history, &used);
    int failing = 0;
    for (const int i : active) {
        images_due += static_cast<uint64_t>(python.images_due(i, step));
        const std::string reason = run(i, [&] { return scripts[i].helper->CatalystExecute(description); });
        if (!reason.empty()) {
            failed(i, frame.step, reason);
            failing++;
        }
        write_cinema_table(scripts[i].folder);
    }
    return failing;
}

void Catalyst::failed(int index, uint64_t step, const std::string &reason)
{
    Script &script = scripts[index];
    failures++;
    if (script.told && script.usable) {
        script.repeats++;
        return;
    }
    std::string line = "script " + script.path + " failed ";
    line += step == WS_NEVER ? "at its end" : "at step " + std::to_string(step);
    line += ": " + reason;
    line +=
        script.usable ? "; training goes on" : "; it took too long and is not run again; training goes on";
    if (log)
        log(log_context, WS_LOG_WARNING, line.c_str());
    script.told = true;
}

void Catalyst::report(ws_report &out) const
{
    out.script_failures = failures;
    out.images_expected = images_due;
    out.images_written = 0;
    for (const Script &script : scripts)
        out.images_written += new_images(script.folder, script.images_before);
}

} // namespace weightscape
