// SPDX-License-Identifier: BSD-3-Clause
// The Python interpreter inside this process.
#ifndef WEIGHTSCAPE_PYTHON_H
#define WEIGHTSCAPE_PYTHON_H

#include <vtkPython.h> // first: it is Python's header, made safe
// A ParaView without threads in Python defines the lock away; a host may have them all the same.
#undef PyGILState_Ensure
#undef PyGILState_Release

#include <string>
#include <utility>

namespace weightscape
{

// One counted reference to a Python object; may be empty.
class Reference
{
  public:
    explicit Reference(PyObject *owned = nullptr) : object(owned) {}
    Reference(Reference &&other) noexcept : object(std::exchange(other.object, nullptr)) {}
    Reference &operator=(Reference &&other) noexcept
    {
        std::swap(object, other.object);
        return *this;
    }
    Reference(const Reference &) = delete;
    Reference &operator=(const Reference &) = delete;
    ~Reference() { Py_XDECREF(object); }

    operator PyObject *() const { return object; }
    PyObject *release() { return std::exchange(object, nullptr); }

  private:
    PyObject *object;
};

// Holds the interpreter lock.
class PythonLock
{
  public:
    PythonLock() : state(PyGILState_Ensure()) {}
    ~PythonLock() { PyGILState_Release(state); }
    PythonLock(const PythonLock &) = delete;
    PythonLock &operator=(const PythonLock &) = delete;

  private:
    PyGILState_STATE state;
};

// Starts the interpreter, unless the host has one, so that it leaves signals alone and no script ends the
// process. Returns a problem, "" if there is none. Then hold a PythonLock.
std::string start_python();

// The module of that name among those built into this plug-in; empty with a Python error set.
Reference import_own_module(const char *name);

// The pending Python error as "Type: message", which is cleared.
std::string take_python_error();

} // namespace weightscape

#endif
