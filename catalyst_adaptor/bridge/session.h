// SPDX-License-Identifier: BSD-3-Clause
// The scripts of a run, as scripts.py runs them: C++ on this side, Python on the other.
#ifndef WEIGHTSCAPE_SESSION_H
#define WEIGHTSCAPE_SESSION_H

#include "python.h" // first: Python's header wants to be

#include "bridge_table.h"
#include "live.h"
#include "mapping.h"
#include "watchdog.h"

#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string>

namespace weightscape
{

// What Python said when it should not have failed.
class PythonError : public std::runtime_error
{
  public:
    PythonError() : std::runtime_error(take_python_error()) {}
};

// There is no memory for what the text tells.
class NoMemory : public std::bad_alloc
{
  public:
    explicit NoMemory(const std::string &what) : text(what) {}
    const char *what() const noexcept override { return text.c_str(); }

  private:
    std::string text;
};

// Every member is called with a PythonLock held; any may throw a PythonError, or NoMemory.
class Session
{
  public:
    Session(const ws_bridge_options &options, const ws_scene &scene);
    ~Session();
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    // See ws_bridge_table.
    void schedule(ws_schedule *out);
    bool show(const ws_scene &scene); // NoMemory only if it is expendable
    void lose_display();
    void verdict(uint32_t script, ws_verdict *out);
    void draw();
    void close();
    bool is_due() const { return live && live->is_due(); }
    void idle();
    bool take_command(Command &out) { return live && live->take_command(out); }
    void tell_status(const char *json);
    ws_live_state live_state() const { return live ? live->state() : ws_live_state{}; }

    const ws_bridge_counts &counts() const { return known_counts; }
    const ws_log &log() const { return destination; }
    bool is_expendable() const { return expendable; }

  private:
    static PyObject *warn(PyObject *self, PyObject *text);
    static PyObject *arm(PyObject *self, PyObject *);
    static PyObject *disarm(PyObject *self, PyObject *);
    static Session &of(PyObject *self);

    Reference function(PyMethodDef *method);
    Reference make(const ws_bridge_options &options);
    void load(const ws_script &script, const Reference &data);
    Reference build(const std::set<std::string> &names, const ws_scene &scene, bool or_blank);
    bool show_live(const ws_scene &scene);
    void begin_live(const ws_bridge_options &options, const ws_scene &scene);
    ws_rule rule_of(PyObject *row) const;
    void read_rules(PyObject *rows, ws_schedule *out) const;
    void take_counts();

    const ws_log destination;
    const bool expendable;
    const std::vector<Channel> channels;
    Mapping mapping;
    Watchdog watchdog;
    Reference self;             // a capsule that holds this
    Reference session;          // scripts.Session
    std::unique_ptr<Live> live; // none: nobody is dialled
    ws_frame_header state{};    // of the last frame
    bool has_shown = false, has_told_status = false;
    ws_bridge_counts known_counts{};
};

} // namespace weightscape

#endif
