// SPDX-License-Identifier: BSD-3-Clause
#include "start.h"

#include "breakpoint.h"
#include "connection.h"
#include "layout.h"
#include "message_boxes.h"
#include "toolbar.h"

#include <pqActiveObjects.h>
#include <pqApplicationCore.h>
#include <pqCoreUtilities.h>
#include <pqObjectBuilder.h>

#include <QMainWindow>
#include <QTimer>

namespace weightscape
{

Start::Start(QObject *parent) : QObject(parent) {}

void Start::startup()
{
    QTimer::singleShot(0, this, &Start::build);
}

void Start::shutdown() {}

void Start::build()
{
    auto *window = qobject_cast<QMainWindow *>(pqCoreUtilities::mainWidget());
    // A plugin that is found through PV_PLUGIN_PATH is loaded before ParaView is ready, and events are
    // processed in the midst of that.
    if (!window || !window->isVisible() || !pqActiveObjects::instance().activeServer() ||
        pqApplicationCore::instance()->getObjectBuilder()->waitingForConnection()) {
        QTimer::singleShot(50, this, &Start::build);
        return;
    }
    new MessageBoxes(window);
    auto *connection = new Connection(window);
    new Breakpoint(connection, window);
    layout = new Layout(connection, window);
    bar = new ToolBar(connection, layout, window);
    window->addToolBar(bar);
    QTimer::singleShot(0, this, &Start::do_what_was_asked);
}

void Start::do_what_was_asked()
{
    const QString asked = qEnvironmentVariable("WEIGHTSCAPE_GUI");
    if (!asked.isEmpty())
        bar->window()->showMaximized();
    const QString kind = asked.section(':', 0, 0), what = asked.section(':', 1);
    if (kind == "live")
        bar->connect_and_lay_out(what.toInt());
    else if (kind == "recording")
        bar->tell(layout->lay_out_recording(what));
    else if (!asked.isEmpty())
        bar->tell("WEIGHTSCAPE_GUI is \"" + asked + "\", not live:PORT or recording:PATH");
}

} // namespace weightscape
