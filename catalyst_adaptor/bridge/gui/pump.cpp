// SPDX-License-Identifier: BSD-3-Clause
#include "pump.h"

#include <pqApplicationCore.h>
#include <pqRenderView.h>
#include <pqServerManagerModel.h>

#include <vtkNetworkAccessManager.h>
#include <vtkProcessModule.h>
#include <vtkSMViewProxy.h>

#include <QPointer>

namespace weightscape
{

namespace
{

constexpr int chart_pause = 500; // milliseconds between two pictures of a chart
constexpr int messages_a_step = 2;

} // namespace

Pump::Pump(int descriptor, QObject *parent) : QObject(parent), notifier(descriptor, QSocketNotifier::Read)
{
    clock.start();
    later.setSingleShot(true);
    later.setInterval(chart_pause);
    connect(&notifier, &QSocketNotifier::activated, this, &Pump::read);
    connect(&later, &QTimer::timeout, this, &Pump::draw);
}

void Pump::step_came()
{
    step_is_complete = true;
}

void Pump::read()
{
    // What is read may run an event loop, in which this must not be called again; and may end the connection,
    // and this with it.
    notifier.setEnabled(false);
    step_is_complete = false;
    const QPointer<Pump> self = this;
    vtkNetworkAccessManager *network = vtkProcessModule::GetProcessModule()->GetNetworkAccessManager();
    for (int i = 0; i < messages_a_step && network->ProcessEvents(1) == 1; i++)
        if (!self)
            return;
    if (step_is_complete)
        draw();
    if (self)
        QTimer::singleShot(0, this, [this] { notifier.setEnabled(true); });
}

bool Pump::is_due(pqView *view)
{
    if (qobject_cast<pqRenderView *>(view) ||
        clock.elapsed() - drawn.value(view, -chart_pause) >= chart_pause)
        return true;
    later.start();
    return false;
}

void Pump::draw()
{
    for (pqView *view : pqApplicationCore::instance()->getServerManagerModel()->findItems<pqView *>()) {
        if (!view->getViewProxy()->HasDirtyRepresentation() || !is_due(view))
            continue;
        view->forceRender();
        drawn[view] = clock.elapsed();
    }
}

} // namespace weightscape
