// SPDX-License-Identifier: BSD-3-Clause
#include <vtkPython.h> // first: it includes Python.h

#include "hooks_py.h"
#include "python.h"
#include <sstream>
#include <vtkPythonInterpreter.h>
#include <vtkPythonUtil.h>
#include <vtkSmartPyObject.h>

namespace weightscape
{

namespace
{
PyObject *hooks = nullptr;

// hooks.NAME(*arguments); `arguments` is taken over. NULL if it raised, which
// hooks.py itself never does.
vtkSmartPyObject call(const char *name, PyObject *arguments)
{
    vtkSmartPyObject tuple(arguments), function(PyObject_GetAttrString(hooks, name));
    vtkSmartPyObject result(function && tuple ? PyObject_CallObject(function, tuple) : nullptr);
    if (!result)
        PyErr_Clear();
    return result;
}

// Undecodable bytes of a path travel as surrogates.
PyObject *text(const std::string &value)
{
    return PyUnicode_DecodeFSDefaultAndSize(value.data(), static_cast<Py_ssize_t>(value.size()));
}

PyObject *list(const std::vector<std::string> &values)
{
    PyObject *result = PyList_New(static_cast<Py_ssize_t>(values.size()));
    for (size_t i = 0; i < values.size(); i++)
        PyList_SetItem(result, static_cast<Py_ssize_t>(i), text(values[i]));
    return result;
}

std::string to_string(PyObject *value)
{
    vtkSmartPyObject bytes(value && PyUnicode_Check(value) ? PyUnicode_EncodeFSDefault(value) : nullptr);
    if (!bytes) {
        PyErr_Clear();
        return "";
    }
    return PyBytes_AsString(bytes);
}

long long to_number(PyObject *value, long long otherwise)
{
    const long long number = value ? PyLong_AsLongLong(value) : otherwise;
    if (PyErr_Occurred())
        PyErr_Clear();
    return number;
}
} // namespace

bool Python::start(std::string &problem)
{
    vtkPythonInterpreter::SetProgramName("/usr/bin/python3");
    vtkPythonInterpreter::Initialize(1);
    vtkPythonScopeGilEnsurer gil;
    PyObject *module = PyImport_AddModule("weightscape_hooks");
    vtkSmartPyObject code(module ? Py_CompileString(hooks_py, "weightscape/hooks.py", Py_file_input)
                                 : nullptr);
    if (code) {
        PyModule_AddStringConstant(module, "__file__", "weightscape/hooks.py");
        vtkSmartPyObject result(PyEval_EvalCode(code, PyModule_GetDict(module), PyModule_GetDict(module)));
        if (result) {
            hooks = module;
            return true;
        }
    }
    PyObject *kind, *value, *trace;
    PyErr_Fetch(&kind, &value, &trace);
    vtkSmartPyObject described(value ? PyObject_Str(value) : nullptr);
    problem = "ParaView's Python does not come up: " + to_string(described);
    return false;
}

void Python::set_channels(const std::vector<std::string> &names)
{
    vtkPythonScopeGilEnsurer gil;
    vtkSmartPyObject value(list(names));
    PyObject_SetAttrString(hooks, "channels", value);
}

void Python::add(const std::string &path, const std::vector<std::string> &arguments,
                 const std::string &folder)
{
    vtkPythonScopeGilEnsurer gil;
    call("add", Py_BuildValue("(NNN)", text(path), list(arguments), text(folder)));
}

void Python::select(int script)
{
    vtkPythonScopeGilEnsurer gil;
    call("select", Py_BuildValue("(i)", script));
}

std::string Python::take_failure()
{
    vtkPythonScopeGilEnsurer gil;
    return to_string(call("take_failure", PyTuple_New(0)));
}

bool Python::active(int script, long long step)
{
    vtkPythonScopeGilEnsurer gil;
    const vtkSmartPyObject result = call("active", Py_BuildValue("(iL)", script, step));
    return result && PyObject_IsTrue(result) == 1;
}

long long Python::images_due(int script, long long step)
{
    vtkPythonScopeGilEnsurer gil;
    return to_number(call("images_due", Py_BuildValue("(iL)", script, step)), 0);
}

long long Python::next_step(const std::vector<int> &scripts, long long first, long long most)
{
    vtkPythonScopeGilEnsurer gil;
    PyObject *indices = PyList_New(static_cast<Py_ssize_t>(scripts.size()));
    for (size_t i = 0; i < scripts.size(); i++)
        PyList_SetItem(indices, static_cast<Py_ssize_t>(i), PyLong_FromLong(scripts[i]));
    // If the triggers cannot be asked, every step is offered: too much work, but
    // no picture missing.
    return to_number(call("next_step", Py_BuildValue("(NLL)", indices, first, most)), first);
}

std::vector<std::string> Python::channels(int script)
{
    vtkPythonScopeGilEnsurer gil;
    std::istringstream lines(to_string(call("channels_of", Py_BuildValue("(i)", script))));
    std::vector<std::string> names;
    for (std::string line; std::getline(lines, line);)
        names.push_back(line);
    return names;
}

int Python::views(int script)
{
    vtkPythonScopeGilEnsurer gil;
    return static_cast<int>(to_number(call("views_of", Py_BuildValue("(i)", script)), 0));
}

const char *Python::version()
{
    return PY_VERSION;
}

unsigned long Python::thread()
{
    return PyThread_get_thread_ident();
}

void Python::interrupt(unsigned long thread)
{
    // Not Py_AddPendingCall: from another thread, Python 3.11 does not notice it
    // before something else makes it look.
    const PyGILState_STATE state = (PyGILState_Ensure)(); // in brackets: vtkPython.h makes macros of both,
                                                          // that do nothing
    PyThreadState_SetAsyncExc(thread, PyExc_TimeoutError);
    (PyGILState_Release)(state);
}

void Python::rest(unsigned long thread, const std::function<void()> &call)
{
    PyThreadState *state = PyEval_SaveThread();
    call();
    PyEval_RestoreThread(state);
    PyThreadState_SetAsyncExc(thread, nullptr);
}

} // namespace weightscape
