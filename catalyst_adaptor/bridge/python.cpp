// SPDX-License-Identifier: BSD-3-Clause
#include "python.h"

#include "own_modules.h" // generated

namespace weightscape
{

namespace
{

constexpr const char *package = "weightscape_bridge";

std::string initialize()
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0;
    config.parse_argv = 0;
    config.write_bytecode = 0;
    // With this, Python prints a SystemExit that reaches C code, where it would end the process.
    config.inspect = 1;
    // The interpreter that ParaView was built for, not the first of that name on PATH.
    PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, WEIGHTSCAPE_PYTHON_PROGRAM);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status))
        return std::string("Python does not start: ") + (status.err_msg ? status.err_msg : "no reason given");
    // What scripts print must not get into what the host writes.
    PySys_SetObject("stdout", PySys_GetObject("stderr"));
    PyEval_SaveThread();
    return "";
}

bool make_package()
{
    PyObject *module = PyImport_AddModule(package);
    const Reference path(PyList_New(0));
    return module && path && PyObject_SetAttrString(module, "__path__", path) == 0;
}

bool load_module(const OwnModule &own)
{
    const std::string name = std::string(package) + "." + own.name;
    const std::string file = std::string("<") + name + ">";
    const Reference code(Py_CompileString(own.text, file.c_str(), Py_file_input));
    const Reference module(code ? PyImport_ExecCodeModuleEx(name.c_str(), code, file.c_str()) : nullptr);
    return module;
}

} // namespace

std::string start_python()
{
    return Py_IsInitialized() ? "" : initialize();
}

Reference import_own_module(const char *name)
{
    const std::string full = std::string(package) + "." + name;
    if (PyObject *loaded = PyDict_GetItemString(PyImport_GetModuleDict(), full.c_str()))
        return Reference(Py_NewRef(loaded));
    if (!make_package())
        return Reference();
    for (const OwnModule &own : own_modules)
        if (!load_module(own))
            return Reference();
    return Reference(PyImport_ImportModule(full.c_str()));
}

std::string take_python_error()
{
    PyObject *kind, *value, *trace;
    PyErr_Fetch(&kind, &value, &trace);
    PyErr_NormalizeException(&kind, &value, &trace);
    const Reference own_kind(kind), own_value(value), own_trace(trace);
    const Reference text(value ? PyObject_Str(value) : nullptr);
    const char *bytes = text ? PyUnicode_AsUTF8(text) : nullptr;
    const char *type = kind ? reinterpret_cast<PyTypeObject *>(kind)->tp_name : "no error";
    PyErr_Clear();
    return std::string(type) + ": " + (bytes ? bytes : "");
}

} // namespace weightscape
