// SPDX-License-Identifier: BSD-3-Clause
// Calls into hooks.py, the module `weightscape_hooks`. Python.h is known to
// python.cpp only.
#ifndef WS_PYTHON_H
#define WS_PYTHON_H

#include <functional>
#include <string>
#include <vector>

namespace weightscape
{

class Python
{
  public:
    // Starts the interpreter and runs hooks.py; `problem` tells why not.
    bool start(std::string &problem);

    void set_channels(const std::vector<std::string> &names);
    void add(const std::string &path, const std::vector<std::string> &arguments, const std::string &folder);
    void select(int script);

    // Why the selected script failed, one line, or "".
    std::string take_failure();

    bool active(int script, long long step);
    long long images_due(int script, long long step);
    long long next_step(const std::vector<int> &scripts, long long first, long long most);
    std::vector<std::string> channels(int script);
    int views(int script);
    static const char *version();

    // The calling thread, for interrupt.
    static unsigned long thread();
    // From another thread: makes what `thread` runs in Python raise a
    // TimeoutError. Waits until that thread runs Python or sleeps in rest().
    static void interrupt(unsigned long thread);
    // Runs `call` while other threads may use Python, and forgets an interruption
    // that came too late.
    static void rest(unsigned long thread, const std::function<void()> &call);
};

} // namespace weightscape

#endif
