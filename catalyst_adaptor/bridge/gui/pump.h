// SPDX-License-Identifier: BSD-3-Clause
// What moves a live training through ParaView's window.
#ifndef WEIGHTSCAPE_GUI_PUMP_H
#define WEIGHTSCAPE_GUI_PUMP_H

#include <QElapsedTimer>
#include <QMap>
#include <QObject>
#include <QSocketNotifier>
#include <QTimer>

class pqView;

namespace weightscape
{

// ParaView by itself looks ten times a second whether a message has come, though a step takes two of them;
// and if they come fast, it reads on and draws nothing. This reads a message as soon as it is there, and
// after each step draws what has changed and lets the window answer its user. Charts, which are slow to draw
// and slow to change, are drawn twice a second.
class Pump : public QObject
{
    Q_OBJECT

  public:
    // Reads from the connection with this descriptor.
    Pump(int descriptor, QObject *parent);

  public Q_SLOTS:
    // A step is complete.
    void step_came();

  private Q_SLOTS:
    void read();
    void draw();

  private:
    bool is_due(pqView *view);

    QSocketNotifier notifier;
    QTimer later;                 // for charts that were left out
    QMap<pqView *, qint64> drawn; // when, by the clock
    QElapsedTimer clock;
    bool step_is_complete = false;
};

} // namespace weightscape

#endif
