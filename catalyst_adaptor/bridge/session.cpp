// SPDX-License-Identifier: BSD-3-Clause
#include "session.h"

#include <vtkGarbageCollector.h>
#include <vtkPythonUtil.h>

#include <cstdio>

namespace weightscape
{

namespace
{

// While it lives, what VTK gives up is only noted, and looked through for loops once, at the end: else VTK
// looks at all that hangs on an object each time that one of them loses a reference.
struct OneCollection {
    OneCollection() { vtkGarbageCollector::DeferredCollectionPush(); }
    ~OneCollection() { vtkGarbageCollector::DeferredCollectionPop(); }
    OneCollection(const OneCollection &) = delete;
    OneCollection &operator=(const OneCollection &) = delete;
};

Reference checked(PyObject *owned)
{
    if (!owned && PyErr_ExceptionMatches(PyExc_MemoryError))
        throw NoMemory(take_python_error());
    if (!owned)
        throw PythonError();
    return Reference(owned);
}

std::string text_of(PyObject *unicode)
{
    return PyBytes_AsString(checked(PyUnicode_AsUTF8String(unicode)));
}

// Paths are bytes to the system; Python keeps those that are no UTF-8 as surrogates.
Reference path(const char *bytes)
{
    return checked(PyUnicode_DecodeFSDefault(bytes));
}

Reference names_of(const std::vector<Channel> &channels)
{
    Reference names = checked(PyList_New(0));
    for (const Channel &channel : channels)
        PyList_Append(names, checked(PyUnicode_FromString(channel.name.c_str())));
    return names;
}

std::set<std::string> set_of(PyObject *names)
{
    std::set<std::string> result;
    for (Py_ssize_t i = 0; i < PyList_Size(names); i++)
        result.insert(text_of(PyList_GetItem(names, i)));
    return result;
}

std::set<std::string> all_of(const std::vector<Channel> &channels)
{
    std::set<std::string> names;
    for (const Channel &channel : channels)
        names.insert(channel.name);
    return names;
}

} // namespace

Session &Session::of(PyObject *capsule)
{
    return *static_cast<Session *>(PyCapsule_GetPointer(capsule, nullptr));
}

PyObject *Session::warn(PyObject *capsule, PyObject *text)
{
    const ws_log &log = of(capsule).destination;
    if (const char *line = PyUnicode_AsUTF8(text))
        log.line(log.context, WS_LOG_WARNING, line);
    PyErr_Clear();
    Py_RETURN_NONE;
}

PyObject *Session::arm(PyObject *capsule, PyObject *)
{
    of(capsule).watchdog.arm();
    Py_RETURN_NONE;
}

PyObject *Session::disarm(PyObject *capsule, PyObject *)
{
    of(capsule).watchdog.disarm();
    Py_RETURN_NONE;
}

Session::Session(const ws_bridge_options &options, const ws_scene &scene)
    : destination(options.log), expendable(options.is_expendable != 0), channels(channels_of(scene)),
      watchdog(options.script_seconds, options.is_idle != 0),
      self(checked(PyCapsule_New(this, nullptr, nullptr))), session(make(options))
{
    const Reference data = build(all_of(channels), scene, true);
    if (options.live_host)
        begin_live(options, scene);
    for (uint32_t i = 0; i < options.script_count; i++)
        load(options.scripts[i], data);
    take_counts();
}

Session::~Session()
{
    live.reset();
    // Python keeps no callable that leads here beyond this point; its garbage may hold some until it is
    // collected.
    session = Reference();
    PyGC_Collect();
}

Reference Session::function(PyMethodDef *method)
{
    return checked(PyCFunction_New(method, self));
}

Reference Session::make(const ws_bridge_options &options)
{
    static PyMethodDef methods[] = {
        {"warn", &Session::warn, METH_O, nullptr},
        {"arm", &Session::arm, METH_NOARGS, nullptr},
        {"disarm", &Session::disarm, METH_NOARGS, nullptr},
    };
    const Reference module = checked(import_own_module("scripts").release());
    const Reference warn_of = function(&methods[0]), arm_of = function(&methods[1]),
                    disarm_of = function(&methods[2]);
    const Reference names = names_of(channels);
    return checked(PyObject_CallMethod(module, "Session", "OOOOKKiiii", static_cast<PyObject *>(warn_of),
                                       static_cast<PyObject *>(arm_of), static_cast<PyObject *>(disarm_of),
                                       static_cast<PyObject *>(names),
                                       static_cast<unsigned long long>(options.first_step),
                                       static_cast<unsigned long long>(options.shown_until), options.can_draw,
                                       options.always, options.live_host != nullptr, expendable));
}

void Session::load(const ws_script &script, const Reference &data)
{
    const Reference arguments = checked(PyList_New(0));
    for (uint32_t i = 0; i < script.argument_count; i++)
        PyList_Append(arguments, path(script.arguments[i]));
    const Reference file = path(script.path), folder = path(script.folder);
    const Reference wanting = checked(PyObject_CallMethod(
        session, "load", "OOOO", static_cast<PyObject *>(file), static_cast<PyObject *>(arguments),
        static_cast<PyObject *>(folder), static_cast<PyObject *>(data)));
    if (const std::string text = text_of(wanting); !text.empty())
        throw NoMemory(text);
}

// Those of the named channels that are there, as a Python dictionary; before the first step also those that
// are made when somebody wants them.
Reference Session::build(const std::set<std::string> &names, const ws_scene &scene, bool or_blank)
{
    Reference data = checked(PyDict_New());
    for (const Channel &channel : channels) {
        if (!names.count(channel.name) || !(or_blank || Mapping::is_there(channel, scene)))
            continue;
        const auto object = or_blank ? mapping.build_or_blank(channel, scene) : mapping.build(channel, scene);
        if (!object)
            continue;
        PyDict_SetItemString(data, channel.name.c_str(),
                             checked(vtkPythonUtil::GetObjectFromPointer(object)));
    }
    return data;
}

// (first, last, every, phase, names of channels)
ws_rule Session::rule_of(PyObject *row) const
{
    const auto number = [row](Py_ssize_t index) {
        return static_cast<uint64_t>(PyLong_AsUnsignedLongLong(PyTuple_GetItem(row, index)));
    };
    ws_rule rule{number(0), number(1), number(2), number(3), {}};
    const std::set<std::string> names = set_of(PyTuple_GetItem(row, 4));
    for (const Channel &channel : channels)
        if (names.count(channel.name))
            ws_layer_set_add(&rule.layers, channel.layer, wants_of(channel.kind));
    return rule;
}

void Session::read_rules(PyObject *rows, ws_schedule *out) const
{
    *out = {};
    for (Py_ssize_t i = 0; i < PyList_Size(rows); i++) {
        const ws_rule rule = rule_of(PyList_GetItem(rows, i));
        if (PyErr_Occurred())
            throw PythonError();
        ws_schedule_add(out, &rule);
    }
}

void Session::schedule(ws_schedule *out)
{
    if (live)
        live->schedule(out);
    else
        read_rules(checked(PyObject_CallMethod(session, "rules", nullptr)), out);
}

void Session::begin_live(const ws_bridge_options &options, const ws_scene &scene)
{
    state = *ws_frame_head(scene.frame);
    live = std::make_unique<Live>(options, channels, watchdog);
    for (size_t i = 0; i < channels.size(); i++)
        if (const auto data = mapping.build_or_blank(channels[i], scene))
            live->set(i, data, state.step);
}

// Scripts first, as they make sources. While nobody looks they need not run, but once.
bool Session::show_live(const ws_scene &scene)
{
    const uint64_t step = ws_frame_head(scene.frame)->step;
    state = *ws_frame_head(scene.frame);
    const auto build = [&](size_t channel) {
        return Mapping::is_there(channels[channel], scene) ? mapping.build(channels[channel], scene)
                                                           : vtkSmartPointer<vtkDataObject>();
    };
    bool is_well = true;
    if (!has_shown || live->is_connected()) {
        const auto number = static_cast<unsigned long long>(step);
        const std::set<std::string> wanted =
            set_of(checked(PyObject_CallMethod(session, "wanted", "K", number)));
        for (size_t i = 0; i < channels.size(); i++) {
            if (!wanted.count(channels[i].name))
                continue;
            live->need(i);
            if (const auto data = build(i))
                live->set(i, data, step);
        }
        const Reference nothing = checked(PyDict_New());
        const Reference answer =
            checked(PyObject_CallMethod(session, "show", "KO", number, static_cast<PyObject *>(nothing)));
        is_well = PyObject_IsTrue(PyTuple_GetItem(answer, 0)) == 1;
        take_counts();
        has_shown = true;
    }
    live->show(step, build, mapping.status);
    return is_well;
}

void Session::idle()
{
    // Of a frame that has gone only its numbers are left.
    live->idle(
        [&](size_t channel) {
            return channels[channel].kind == Channel::Kind::status ? mapping.status.build(&state)
                                                                   : vtkSmartPointer<vtkDataObject>();
        },
        mapping.status);
}

void Session::tell_status(const char *json)
{
    const std::string problem = mapping.status.take(json);
    if (problem.empty() || has_told_status)
        return;
    has_told_status = true;
    destination.line(destination.context, WS_LOG_WARNING, (problem + "; it is not shown").c_str());
}

bool Session::show(const ws_scene &scene)
{
    if (live)
        return show_live(scene);
    const OneCollection at_the_end;
    const auto step = static_cast<unsigned long long>(ws_frame_head(scene.frame)->step);
    const Reference wanted = checked(PyObject_CallMethod(session, "wanted", "K", step));
    const Reference data = build(set_of(wanted), scene, false);
    const Reference answer =
        checked(PyObject_CallMethod(session, "show", "KO", step, static_cast<PyObject *>(data)));
    take_counts();
    if (const std::string text = text_of(PyTuple_GetItem(answer, 1)); !text.empty())
        throw NoMemory(text);
    return PyObject_IsTrue(PyTuple_GetItem(answer, 0)) == 1;
}

void Session::lose_display()
{
    checked(PyObject_CallMethod(session, "lose_display", nullptr));
}

void Session::take_counts()
{
    const Reference answer = checked(PyObject_CallMethod(session, "counts", nullptr));
    known_counts.images_written = PyLong_AsUnsignedLongLong(PyTuple_GetItem(answer, 0));
    known_counts.images_expected = PyLong_AsUnsignedLongLong(PyTuple_GetItem(answer, 1));
    known_counts.script_failures = PyLong_AsUnsignedLongLong(PyTuple_GetItem(answer, 2));
}

void Session::verdict(uint32_t script, ws_verdict *out)
{
    const Reference answer = checked(PyObject_CallMethod(session, "verdict", "I", script));
    out->views = static_cast<int>(PyLong_AsLong(PyTuple_GetItem(answer, 0)));
    out->may_draw = PyObject_IsTrue(PyTuple_GetItem(answer, 1));
    const char *problem = PyUnicode_AsUTF8(PyTuple_GetItem(answer, 2));
    read_rules(PyTuple_GetItem(answer, 3), &out->schedule);
    std::snprintf(out->problem, sizeof out->problem, "%s", problem ? problem : "?");
}

void Session::draw()
{
    checked(PyObject_CallMethod(session, "draw", nullptr));
}

void Session::close()
{
    live.reset();
    checked(PyObject_CallMethod(session, "close", nullptr));
    take_counts();
}

} // namespace weightscape
