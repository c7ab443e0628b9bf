// SPDX-License-Identifier: BSD-3-Clause
// The knobs of knobs.xml, on the side of the training: what a viewer changes becomes a command.
#ifndef WEIGHTSCAPE_KNOBS_H
#define WEIGHTSCAPE_KNOBS_H

#include "status.h"

#include <vtkSmartPointer.h>

#include <deque>
#include <map>
#include <string>

class vtkSMProxy;
class vtkSMSessionProxyManager;

namespace weightscape
{

// One command: see docs/steering.md.
struct Command {
    std::string name, value;
};

class Knobs
{
  public:
    // Registers the proxy "Knobs" among the sources.
    explicit Knobs(vtkSMSessionProxyManager *manager);
    ~Knobs();
    Knobs(const Knobs &) = delete;
    Knobs &operator=(const Knobs &) = delete;

    // Turns the knobs to what is in force. Only a viewer that connects afterwards sees that: a value that is
    // set here while one is connected does not reach it.
    void turn_to(const Status &status);

    // Adds what was changed since the last call to `commands`.
    void read_wishes(std::deque<Command> &commands);

  private:
    std::map<std::string, std::string> read() const;

    vtkSmartPointer<vtkSMProxy> proxy;
    std::map<std::string, std::string> known; // each knob's value, each action's counter
};

} // namespace weightscape

#endif
