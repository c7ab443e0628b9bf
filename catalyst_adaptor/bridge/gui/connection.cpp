// SPDX-License-Identifier: BSD-3-Clause
#include "connection.h"

#include "listener.h"
#include "pump.h"

#include <pqActiveObjects.h>
#include <pqApplicationCore.h>
#include <pqLiveInsituManager.h>
#include <pqLiveInsituVisualizationManager.h>
#include <pqServer.h>
#include <pqServerManagerModel.h>

#include <vtkNetworkAccessManager.h>
#include <vtkProcessModule.h>
#include <vtkSMIdTypeVectorProperty.h>
#include <vtkSMLiveInsituLinkProxy.h>
#include <vtkSMPropertyHelper.h>
#include <vtkSMSessionProxyManager.h>
#include <vtkSMSourceProxy.h>

#include <QTimer>

namespace weightscape
{

namespace
{

// The server whose views show the training: the active one, unless that is the training itself.
pqServer *display_server()
{
    pqServer *active = pqActiveObjects::instance().activeServer();
    if (active && !pqLiveInsituManager::isInsituServer(active))
        return active;
    for (pqServer *server : pqApplicationCore::instance()->getServerManagerModel()->findItems<pqServer *>())
        if (!pqLiveInsituManager::isInsituServer(server))
            return server;
    return nullptr;
}

} // namespace

Connection::Connection(QObject *parent) : QObject(parent)
{
    connect(pqLiveInsituManager::instance(), &pqLiveInsituManager::connectionInitiated, this,
            &Connection::follow_menu);
}

Connection::State Connection::state() const
{
    return !link ? State::off : is_live ? State::live : State::waiting;
}

pqServer *Connection::training() const
{
    return is_live && link ? link->insituSession() : nullptr;
}

pqLiveInsituVisualizationManager *Connection::manager() const
{
    return link;
}

vtkSMLiveInsituLinkProxy *Connection::link_proxy() const
{
    return link ? link->getProxy() : nullptr;
}

vtkSMSourceProxy *Connection::source(const char *name) const
{
    pqServer *server = training();
    return server ? vtkSMSourceProxy::SafeDownCast(server->proxyManager()->GetProxy("sources", name))
                  : nullptr;
}

QString Connection::wait_on(int port)
{
    if (link)
        return QString("ParaView waits for a training on port %1 already").arg(asked_port);
    pqServer *display = display_server();
    if (!display)
        return "ParaView has no server to show a training with";
    if (!port_is_free(port))
        return QString("port %1 is taken by another program; another port: weightscape gui --live "
                       "localhost:PORT, "
                       "or the arrow beside Connect")
            .arg(port);
    asked_port = port;
    is_wanted = true;
    pqLiveInsituManager::instance()->connect(display, port);
    // One that dialled at this moment has come before anyone was told.
    if (connection_on(port) >= 0 && !is_live) {
        training_came();
        return "";
    }
    if (display->isRemote() || listen_on_localhost_only(port) == 0)
        return "";
    stop();
    return QString("ParaView does not listen on port %1").arg(port);
}

// Also what the menu Catalyst begins.
void Connection::follow_menu(pqServer *display)
{
    if (!link)
        adopt(pqLiveInsituManager::instance()->managerFromDisplay(display));
}

void Connection::adopt(pqLiveInsituVisualizationManager *manager)
{
    link = manager;
    if (!link)
        return;
    is_live = false;
    asked_port = vtkSMPropertyHelper(link->getProxy(), "InsituPort").GetAsInt();
    connect(link, &pqLiveInsituVisualizationManager::insituConnected, this, &Connection::training_came);
    connect(link, &pqLiveInsituVisualizationManager::insituDisconnected, this, &Connection::training_went);
    connect(link, &pqLiveInsituVisualizationManager::nextTimestepAvailable, this, &Connection::step_came);
    connect(link, &QObject::destroyed, this, [this] { Q_EMIT changed(); });
    Q_EMIT changed();
}

void Connection::training_came()
{
    is_live = true;
    last_step = -1;
    const int descriptor = connection_on(asked_port);
    if (descriptor >= 0) {
        pump = new Pump(descriptor, link);
        connect(link, &pqLiveInsituVisualizationManager::nextTimestepAvailable, pump, &Pump::step_came);
        link->insituSession()->setMonitorServerNotifications(false);
    }
    // What else hears of the connection goes first: the model of the pipelines.
    QTimer::singleShot(0, this, &Connection::connected);
    Q_EMIT changed();
}

void Connection::training_went()
{
    // It may be reading at this moment.
    if (pump)
        pump->deleteLater();
    is_live = false;
    link = nullptr;
    Q_EMIT changed();
    const int port = asked_port;
    if (is_wanted)
        QTimer::singleShot(200, this, [this, port] {
            if (is_wanted && !link)
                wait_on(port);
        });
}

void Connection::stop()
{
    is_wanted = false;
    if (!link)
        return;
    if (!is_live)
        vtkProcessModule::GetProcessModule()->GetNetworkAccessManager()->DisableFurtherConnections(asked_port,
                                                                                                   true);
    // The way on which ParaView itself forgets a connection.
    QMetaObject::invokeMethod(link, "insituDisconnected", Qt::DirectConnection);
}

void Connection::step_came()
{
    if (vtkSMLiveInsituLinkProxy *proxy = link_proxy())
        last_step = proxy->GetTimeStep();
    Q_EMIT updated();
    Q_EMIT changed();
}

bool Connection::is_paused() const
{
    vtkSMLiveInsituLinkProxy *proxy = link_proxy();
    return proxy && is_live && vtkSMPropertyHelper(proxy, "SimulationPaused").GetAsInt() != 0;
}

void Connection::set_paused(bool yes)
{
    vtkSMLiveInsituLinkProxy *proxy = link_proxy();
    if (!proxy || !is_live || yes == is_paused())
        return;
    vtkSMPropertyHelper(proxy, "SimulationPaused").Set(yes ? 1 : 0);
    proxy->UpdateVTKObjects();
    if (!yes)
        proxy->InvokeCommand("LiveChanged");
    Q_EMIT changed();
}

void Connection::push()
{
    // While training runs it takes what is new with its next step.
    if (vtkSMLiveInsituLinkProxy *proxy = link_proxy())
        proxy->PushUpdatedStates();
}

void Connection::ask(const char *knob)
{
    vtkSMSourceProxy *knobs = source("Knobs");
    if (knobs && knobs->GetProperty(knob))
        ask(knob, qlonglong(vtkSMPropertyHelper(knobs, knob).GetAsInt()) + 1);
}

void Connection::ask(const char *knob, qlonglong value)
{
    vtkSMSourceProxy *knobs = source("Knobs");
    if (!knobs || !knobs->GetProperty(knob))
        return;
    auto *large = vtkSMIdTypeVectorProperty::SafeDownCast(knobs->GetProperty(knob));
    if (large)
        large->SetElement(0, value);
    else
        vtkSMPropertyHelper(knobs, knob).Set(static_cast<int>(value));
    knobs->UpdateVTKObjects();
    push();
}

} // namespace weightscape
