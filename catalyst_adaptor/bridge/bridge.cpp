// SPDX-License-Identifier: BSD-3-Clause
// The plug-in's table: each function guards the process, and turns exceptions into what C understands.
#include "session.h" // first: it includes Python's header

#include "export.h"
#include "guard.h"
#include "messages.h"
#include "paraview.h"

#include <vtkPVVersion.h>

#include <cstdio>
#include <memory>

using namespace weightscape;

struct ws_bridge {
    std::unique_ptr<Session> session;
};

namespace
{

// Calls function(); `failed` takes what it throws as one line.
template <class Function, class Failed> void call(Function function, Failed failed) noexcept
{
    try {
        const ProcessGuard guard;
        function();
    } catch (const std::exception &error) {
        failed(error.what());
    }
}

// WS_SCRIPT_FAILED: what function() has thrown is told.
template <class Function> int call_python(const ws_bridge *bridge, Function function) noexcept
{
    const ws_log &log = bridge->session->log();
    int status = WS_OK;
    call(
        [&] {
            const PythonLock lock;
            function();
        },
        [&](const char *what) {
            log.line(log.context, WS_LOG_WARNING, what);
            status = WS_SCRIPT_FAILED;
        });
    return status;
}

// The same, but want of memory is the caller's to tell, where another process can do what this one cannot.
template <class Function>
int call_expendable(const ws_bridge *bridge, Function function, char problem[WS_PROBLEM_SIZE]) noexcept
{
    std::string wanting;
    const int status = call_python(bridge, [&] {
        try {
            function();
        } catch (const std::bad_alloc &error) {
            if (!bridge->session->is_expendable())
                throw;
            const auto *told = dynamic_cast<const NoMemory *>(&error);
            wanting = told ? told->what() : "no memory";
        }
    });
    std::snprintf(problem, WS_PROBLEM_SIZE, "%s", wanting.c_str());
    return wanting.empty() ? status : WS_NO_MEMORY;
}

void write_problem(char problem[WS_PROBLEM_SIZE], const char *text)
{
    std::snprintf(problem, WS_PROBLEM_SIZE, "%s", text);
}

int open(const ws_bridge_options *options, const ws_scene *scene, ws_bridge **out,
         char problem[WS_PROBLEM_SIZE])
{
    int status = WS_NO_PICTURES;
    call(
        [&] {
            const std::string why = start_paraview();
            if (!why.empty())
                throw std::runtime_error(why);
            tell_messages_to(options->log);
            const PythonLock lock;
            auto bridge = std::make_unique<ws_bridge>();
            try {
                bridge->session = std::make_unique<Session>(*options, *scene);
            } catch (const std::bad_alloc &) {
                status = WS_NO_MEMORY;
                throw;
            }
            *out = bridge.release();
            status = WS_OK;
        },
        [&](const char *what) { write_problem(problem, what); });
    return status;
}

int schedule(ws_bridge *bridge, ws_schedule *out, char problem[WS_PROBLEM_SIZE])
{
    ws_schedule found{};
    const int status = call_expendable(
        bridge, [&] { bridge->session->schedule(&found); }, problem);
    if (status == WS_OK)
        *out = found;
    return status;
}

int show(ws_bridge *bridge, const ws_scene *scene, char problem[WS_PROBLEM_SIZE])
{
    bool well = false;
    const int status = call_expendable(
        bridge, [&] { well = bridge->session->show(*scene); }, problem);
    return status || well ? status : WS_SCRIPT_FAILED;
}

void lose_display(ws_bridge *bridge)
{
    call_python(bridge, [&] { bridge->session->lose_display(); });
}

void counts(const ws_bridge *bridge, ws_bridge_counts *out)
{
    *out = bridge->session->counts();
}

void close(ws_bridge *bridge)
{
    if (!bridge)
        return;
    call_python(bridge, [&] {
        bridge->session->close();
        summarise_messages();
    });
    tell_messages_to({});
    const ProcessGuard guard;
    const PythonLock lock;
    delete bridge;
}

void verdict(const ws_bridge *bridge, uint32_t script, ws_verdict *out)
{
    call_python(bridge, [&] { bridge->session->verdict(script, out); });
}

void draw(const ws_bridge *bridge)
{
    call_python(bridge, [&] { bridge->session->draw(); });
}

void idle(ws_bridge *bridge)
{
    if (bridge->session->is_due())
        call_python(bridge, [&] { bridge->session->idle(); });
}

void live(const ws_bridge *bridge, ws_live_state *out)
{
    *out = bridge->session->live_state();
}

int take_command(ws_bridge *bridge, char name[WS_COMMAND_NAME], char value[WS_COMMAND_VALUE])
{
    Command command;
    if (!bridge->session->take_command(command))
        return 0;
    std::snprintf(name, WS_COMMAND_NAME, "%s", command.name.c_str());
    std::snprintf(value, WS_COMMAND_VALUE, "%s", command.value.c_str());
    return 1;
}

void tell_status(ws_bridge *bridge, const char *json)
{
    call([&] { bridge->session->tell_status(json); }, [](const char *) {});
}

int export_all(const ws_scene *scene, const char *folder, char problem[WS_PROBLEM_SIZE])
{
    std::string why;
    call(
        [&] {
            catch_messages();
            why = export_channels(*scene, folder);
        },
        [&](const char *what) { why = what; });
    write_problem(problem, why.c_str());
    return why.empty() ? WS_OK : WS_IO_FAILED;
}

// What a module of ours has to say about the run of a script: (whether the script refused, problem).
int run_module(const ws_script &script, std::string &problem)
{
    const Reference module = import_own_module("once");
    const Reference list(PyList_New(0));
    for (uint32_t i = 0; list && i < script.argument_count; i++) {
        const Reference text(PyUnicode_DecodeFSDefault(script.arguments[i]));
        if (!text || PyList_Append(list, text) != 0)
            throw PythonError();
    }
    const Reference answer(
        module && list ? PyObject_CallMethod(module, "run", "sO", script.path, static_cast<PyObject *>(list))
                       : nullptr);
    int refused;
    const char *text;
    if (!answer || !PyArg_ParseTuple(answer, "ps", &refused, &text))
        throw PythonError();
    problem = text;
    return problem.empty() ? WS_OK : refused ? WS_BAD_FILE : WS_BAD_SCRIPT;
}

int run_once(const ws_script *script, char problem[WS_PROBLEM_SIZE])
{
    int status = WS_BAD_SCRIPT;
    call(
        [&] {
            std::string why = start_paraview();
            if (!why.empty())
                throw std::runtime_error(why);
            const PythonLock lock;
            status = run_module(*script, why);
            write_problem(problem, why.c_str());
        },
        [&](const char *what) { write_problem(problem, what); });
    return status;
}

void abilities(ws_bridge_abilities *out)
{
    *out = {};
    call(
        [&] {
            std::snprintf(out->paraview, sizeof out->paraview, "%s", PARAVIEW_VERSION_FULL);
            const std::string why = start_python();
            if (!why.empty())
                throw std::runtime_error(why);
            const PythonLock lock;
            std::snprintf(out->python, sizeof out->python, "%.*s",
                          static_cast<int>(strcspn(Py_GetVersion(), " ")), Py_GetVersion());
            for (const char *module : {"numpy", "paraview.servermanager"})
                if (!Reference(PyImport_ImportModule(module)))
                    throw PythonError();
        },
        [&](const char *what) { write_problem(out->problem, what); });
}

} // namespace

extern "C" WS_API const ws_bridge_table weightscape_bridge;
const ws_bridge_table weightscape_bridge = {
    WS_BRIDGE_VERSION, open,      schedule, show, lose_display, counts,      close,
    verdict,           draw,      idle,     live, take_command, tell_status, export_all,
    run_once,          abilities,
};
