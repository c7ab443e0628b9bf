// SPDX-License-Identifier: BSD-3-Clause
// ParaView's side of a live training.
#ifndef WEIGHTSCAPE_GUI_CONNECTION_H
#define WEIGHTSCAPE_GUI_CONNECTION_H

#include <QObject>
#include <QPointer>
#include <QString>

class pqLiveInsituVisualizationManager;
class pqServer;
class vtkSMLiveInsituLinkProxy;
class vtkSMSourceProxy;

namespace weightscape
{

class Pump;

// Waits for a training on a port of this machine, by ParaView's own means, so that its menu Catalyst shows
// the same; and when the training has gone waits for the next one, until it is told to stop. Follows what the
// menu does, too.
class Connection : public QObject
{
    Q_OBJECT

  public:
    explicit Connection(QObject *parent);

    enum class State { off, waiting, live };
    State state() const;
    int port() const { return asked_port; }
    // The step that was shown last; -1: none since the connection.
    qlonglong step() const { return last_step; }
    // The session that holds the training's sources; nullptr unless live.
    pqServer *training() const;
    pqLiveInsituVisualizationManager *manager() const;
    vtkSMSourceProxy *source(const char *name) const;

    // Waits on `port`. A line that says why not, if so; else "".
    QString wait_on(int port);
    void stop();

    bool is_paused() const;
    void set_paused(bool yes);
    // An action or a value that the training is asked for, through its knobs; nothing if it has no such knob.
    void ask(const char *knob);
    void ask(const char *knob, qlonglong value);

  Q_SIGNALS:
    // State, step or pause may have changed.
    void changed();
    // The training's sources are there.
    void connected();
    // A step has come.
    void updated();

  private Q_SLOTS:
    void follow_menu(pqServer *display);
    void training_came();
    void training_went();
    void step_came();

  private:
    void adopt(pqLiveInsituVisualizationManager *manager);
    vtkSMLiveInsituLinkProxy *link_proxy() const;
    void push();

    QPointer<pqLiveInsituVisualizationManager> link;
    QPointer<Pump> pump;
    int asked_port = 0;
    bool is_wanted = false; // someone waits for the next training, too
    bool is_live = false;
    qlonglong last_step = -1;
};

} // namespace weightscape

#endif
