// SPDX-License-Identifier: BSD-3-Clause
// Shows channels, and what scripts have made of them, in a ParaView that is dialled; takes its wishes.
#ifndef WEIGHTSCAPE_LIVE_H
#define WEIGHTSCAPE_LIVE_H

#include "python.h" // first: Python's header wants to be

#include "bridge_table.h"
#include "knobs.h"
#include "link.h"
#include "mapping.h"
#include "watchdog.h"

#include <functional>
#include <string>
#include <vector>

class vtkSMSourceProxy;

namespace weightscape
{

// Every member is called with a PythonLock held: filters may be written in Python.
class Live
{
  public:
    // Registers a source for each channel, under its name, and the knobs.
    Live(const ws_bridge_options &options, const std::vector<Channel> &channels, Watchdog &watchdog);
    ~Live();
    Live(const Live &) = delete;
    Live &operator=(const Live &) = delete;

    // The data of channel number i of those given above, at a step.
    void set(size_t channel, vtkDataObject *data, uint64_t step);

    // Builds the data of channel i, NULL if it is not there at this step.
    using Build = std::function<vtkSmartPointer<vtkDataObject>(size_t)>;

    // A round at a new step. Only what somebody looks at is built.
    void show(uint64_t step, const Build &build, const Status &status);

    // A round without one; only `status` is built.
    void idle(const Build &build, const Status &status);

    // Whether it is time for `idle`. Costs next to nothing.
    bool is_due() const;

    bool is_connected() const { return link.is_connected(); }
    ws_live_state state() const;
    bool take_command(Command &out);

    // A script needs channel i at every step.
    void need(size_t channel) { needed[channel] = true; }

    // What frames are to hold: the weights of every layer, and what else somebody or a script looks at.
    void schedule(ws_schedule *out) const;

  private:
    using Clock = std::chrono::steady_clock;

    void serve(const Build &build, const Status &status, bool is_new);
    void call_out(const Status &status);
    void tell_answer(Link::Answer answer);
    void tell_nobody();
    void tell_once(const std::string &line);
    void tell(const std::string &line) const;
    void lose();
    void round(const Build &build, bool is_new);
    void note_looks();
    void update_wanted(const Build &build, bool is_new);
    std::vector<vtkSMSourceProxy *> sources(bool all) const;
    void mark(vtkSMProxy *proxy, std::vector<bool> &channels) const;

    const std::string host, place;
    const uint16_t port;
    const ws_log log;
    const std::vector<Channel> channels;
    Watchdog &watchdog;
    std::vector<vtkSmartPointer<vtkSMSourceProxy>> producers; // of the channels
    std::vector<uint64_t> built_at;                           // steps
    std::vector<bool> needed, looked_at;                      // by scripts, by viewers
    std::vector<int> misses; // how often this step was shown without the channel
    Knobs knobs;
    const std::function<bool()> stop; // may be empty
    Link link;
    uint64_t step = 0; // that is shown
    bool is_behind = false, was_paused = false, has_told_nobody = false;
    Clock::time_point next_call, last_round, next_refresh;
    double pause = 0; // seconds until it is dialled again
    std::vector<std::string> told;
    std::deque<Command> commands;
};

} // namespace weightscape

#endif
