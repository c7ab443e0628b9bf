// SPDX-License-Identifier: BSD-3-Clause
// The line to one ParaView: ParaView's own link for Live, over a connection of ours, so that it can be
// watched.
#ifndef WEIGHTSCAPE_LINK_H
#define WEIGHTSCAPE_LINK_H

#include "patience.h"

#include <vtkSmartPointer.h>

#include <set>

class vtkAlgorithm;
class vtkSMSessionProxyManager;

namespace weightscape
{

class Link
{
  public:
    explicit Link(std::function<bool()> stop); // as for Patience
    ~Link();
    Link(const Link &) = delete;
    Link &operator=(const Link &) = delete;

    enum class Answer {
        connected,
        closed,  // the other side has ended the connection
        silent,  // nothing has come in time
        strange, // what came is not what a ParaView says
        version, // a ParaView of another version
    };

    // Greets whoever is behind the socket, which is taken over, and tells it the proxies that there are.
    Answer connect(int socket, vtkSMSessionProxyManager *manager);

    bool is_connected() const;

    // Whether somebody there has pressed pause.
    bool is_paused() const;

    // A round has two halves: what is wished, and what is there. Each returns false if the connection is
    // gone.
    bool update(double time, long long step);
    bool deliver(double time, long long step);

    // Those whose data are delivered, after `update`.
    std::set<vtkAlgorithm *> wanted() const;

    // Whether the other side was cut off because it did not answer.
    bool was_cut() const { return patience.has_ended(); }

    void drop();

  private:
    bool check();

    class Line; // a vtkLiveInsituLink

    vtkSmartPointer<Line> line;
    Patience patience;
};

} // namespace weightscape

#endif
