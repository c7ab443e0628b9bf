// SPDX-License-Identifier: BSD-3-Clause
#include "breakpoint.h"

#include "connection.h"

#include <pqLiveInsituManager.h>
#include <pqServer.h>

#include <cmath>

namespace weightscape
{

Breakpoint::Breakpoint(Connection *used, QObject *parent) : QObject(parent), connection(used)
{
    pqLiveInsituManager *manager = pqLiveInsituManager::instance();
    connect(manager, &pqLiveInsituManager::breakpointAdded, this, &Breakpoint::added);
    connect(manager, &pqLiveInsituManager::breakpointRemoved, this, &Breakpoint::removed);
    // Queued: what is sent to the training while a step of it is taken in is lost.
    connect(connection, &Connection::changed, this, &Breakpoint::look, Qt::QueuedConnection);
}

void Breakpoint::added()
{
    pqLiveInsituManager *manager = pqLiveInsituManager::instance();
    // Time is the step.
    const double asked = manager->breakpointTime() != pqLiveInsituManager::INVALID_TIME
                             ? manager->breakpointTime()
                             : manager->breakpointTimeStep();
    step = qlonglong(std::ceil(asked));
    is_resting = false;
    if (step > 0)
        connection->ask("pause_at", step);
}

void Breakpoint::removed()
{
    if (step > 0 && !is_resting)
        connection->ask("pause_at", 0);
    step = is_resting ? step : 0;
}

void Breakpoint::look()
{
    if (step <= 0)
        return;
    if (connection->state() != Connection::State::live) {
        step = 0;
        is_resting = false;
    } else if (!is_resting && connection->step() >= step) {
        is_resting = true;
        pqLiveInsituManager::instance()->removeBreakpoint();
        connection->set_paused(true);
    } else if (is_resting && !connection->is_paused()) {
        step = 0;
        is_resting = false;
        connection->ask("continue");
    }
}

} // namespace weightscape
