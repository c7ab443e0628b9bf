// SPDX-License-Identifier: BSD-3-Clause
// Breakpoints of ParaView's menu Catalyst.
#ifndef WEIGHTSCAPE_GUI_BREAKPOINT_H
#define WEIGHTSCAPE_GUI_BREAKPOINT_H

#include <QObject>

namespace weightscape
{

class Connection;

// ParaView would pause when it sees the step, and it sees few. The training is asked to rest at the very
// step; when it has, ParaView's own pause is set, so that its Continue continues.
class Breakpoint : public QObject
{
    Q_OBJECT

  public:
    Breakpoint(Connection *connection, QObject *parent);

  private Q_SLOTS:
    void added();
    void removed();
    void look();

  private:
    Connection *connection;
    qlonglong step = 0;      // 0: none
    bool is_resting = false; // the training rests for it
};

} // namespace weightscape

#endif
