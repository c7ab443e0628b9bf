// SPDX-License-Identifier: BSD-3-Clause
#include "toolbar.h"

#include "connection.h"
#include "layout.h"

#include <QAction>
#include <QInputDialog>
#include <QLabel>
#include <QMainWindow>
#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QSignalBlocker>
#include <QStyle>

namespace weightscape
{

namespace
{

constexpr int default_port = 22222; // ParaView's, and that of --live

} // namespace

ToolBar::ToolBar(Connection *used, Layout *used_layout, QWidget *window)
    : QToolBar("Weightscape", window), connection(used), layout(used_layout)
{
    setObjectName("WeightscapeToolBar");
    setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    connect_ = add("actionWeightscapeConnect", "Connect",
                   "Wait for a training (weightscape train --live) on this machine; press again to leave it");
    connect_->setCheckable(true);
    lay_out =
        add("actionWeightscapeLayOut", "Lay out",
            "Boxes, norms, progress, walk and knobs of the training, or of the recording that is selected");
    pause = add("actionWeightscapePause", "Pause", "Let the training rest at the end of its present step");
    pause->setCheckable(true);
    step = add("actionWeightscapeStep", "Step", "One step, then rest");
    other_port = new QAction("Connect on Another Port...", this);
    other_port->setObjectName("actionWeightscapePort");
    label = new QLabel(this);
    label->setObjectName("WeightscapeState");
    label->setContentsMargins(6, 0, 6, 0);
    addWidget(label);
    add_menu(window);
    connect(connect_, &QAction::triggered, this, &ToolBar::press_connect);
    connect(other_port, &QAction::triggered, this, &ToolBar::ask_port);
    connect(lay_out, &QAction::triggered, this, &ToolBar::press_lay_out);
    connect(pause, &QAction::triggered, this, &ToolBar::press_pause);
    connect(step, &QAction::triggered, this, &ToolBar::press_step);
    connect(connection, &Connection::changed, this, &ToolBar::show_state);
    show_state();
}

QAction *ToolBar::add(const QString &name, const QString &text, const QString &tip)
{
    auto *action = new QAction(text, this);
    action->setObjectName(name);
    action->setToolTip(tip);
    action->setStatusTip(tip);
    addAction(action);
    return action;
}

// Before Help, where ParaView's own menus end.
void ToolBar::add_menu(QWidget *window)
{
    auto *main_window = qobject_cast<QMainWindow *>(window);
    if (!main_window)
        return;
    auto *menu = new QMenu("&Weightscape", main_window);
    menu->setObjectName("menuWeightscape");
    menu->addActions({connect_, other_port, lay_out, pause, step});
    QMenuBar *bar = main_window->menuBar();
    bar->insertMenu(bar->actions().isEmpty() ? nullptr : bar->actions().last(), menu);
}

void ToolBar::tell(const QString &problem)
{
    if (problem.isEmpty())
        return;
    auto *box = new QMessageBox(QMessageBox::Warning, "Weightscape", problem, QMessageBox::Ok, window());
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->open();
}

void ToolBar::connect_and_lay_out(int port)
{
    connect(connection, &Connection::connected, layout, [this] {
        QObject::disconnect(connection, &Connection::connected, layout, nullptr);
        tell(layout->lay_out());
    });
    tell(connection->wait_on(port));
}

void ToolBar::press_connect(bool on)
{
    if (on)
        tell(connection->wait_on(connection->port() > 0 ? connection->port() : default_port));
    else
        connection->stop();
    show_state();
}

void ToolBar::ask_port()
{
    bool is_given = false;
    const int port = QInputDialog::getInt(window(), "Weightscape",
                                          "Port of this machine that the training dials:", default_port, 1,
                                          65535, 1, &is_given);
    if (is_given)
        tell(connection->wait_on(port));
}

void ToolBar::press_lay_out()
{
    tell(layout->lay_out());
}

void ToolBar::press_pause(bool on)
{
    // A rest that the training was asked for by a knob or from a terminal ends with Continue, too.
    if (!on && !connection->is_paused())
        connection->ask("continue");
    connection->set_paused(on);
    show_state();
}

void ToolBar::press_step()
{
    connection->ask("step");
    connection->set_paused(false);
}

void ToolBar::show_state()
{
    using State = Connection::State;
    const State state = connection->state();
    const QSignalBlocker quiet_connect(connect_), quiet_pause(pause);
    connect_->setChecked(state != State::off);
    connect_->setIcon(
        style()->standardIcon(state == State::live ? QStyle::SP_DialogYesButton : QStyle::SP_DriveNetIcon));
    other_port->setEnabled(state == State::off);
    const bool is_paused = connection->is_paused() || layout->training_rests();
    pause->setEnabled(state == State::live);
    pause->setChecked(is_paused);
    pause->setText(is_paused ? "Continue" : "Pause");
    pause->setIcon(style()->standardIcon(is_paused ? QStyle::SP_MediaPlay : QStyle::SP_MediaPause));
    step->setEnabled(state == State::live && is_paused);
    step->setIcon(style()->standardIcon(QStyle::SP_MediaSkipForward));
    lay_out->setIcon(style()->standardIcon(QStyle::SP_FileDialogDetailedView));
    if (state == State::off)
        label->setText("not connected");
    else if (state == State::waiting)
        label->setText(QString("waiting on port %1").arg(connection->port()));
    else
        label->setText(QString("step %1%2").arg(connection->step()).arg(is_paused ? ", paused" : ""));
}

} // namespace weightscape
