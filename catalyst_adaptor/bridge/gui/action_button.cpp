// SPDX-License-Identifier: BSD-3-Clause
#include "action_button.h"

#include <pqApplicationCore.h>
#include <pqLiveInsituManager.h>
#include <pqServer.h>
#include <pqServerManagerModel.h>

#include <vtkSMLiveInsituLinkProxy.h>
#include <vtkSMProperty.h>
#include <vtkSMPropertyHelper.h>
#include <vtkSMProxy.h>

#include <QHBoxLayout>
#include <QPushButton>

namespace weightscape
{

ActionButton::ActionButton(vtkSMProxy *smproxy, vtkSMProperty *smproperty, QWidget *parent_widget)
    : pqPropertyWidget(smproxy, parent_widget)
{
    setProperty(smproperty);
    setShowLabel(false);
    auto *button = new QPushButton(smproperty->GetXMLLabel(), this);
    button->setObjectName("Button");
    button->setToolTip(getTooltip(smproperty));
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(button);
    connect(button, &QPushButton::clicked, this, &ActionButton::press);
}

void ActionButton::press()
{
    vtkSMPropertyHelper counter(property());
    counter.Set(counter.GetAsInt() + 1);
    proxy()->UpdateVTKObjects();
    pqServer *server =
        pqApplicationCore::instance()->getServerManagerModel()->findServer(proxy()->GetSession());
    // A training that rests is told; one that runs takes it with its next step.
    vtkSMLiveInsituLinkProxy *link = pqLiveInsituManager::linkProxy(server);
    if (link)
        link->PushUpdatedStates();
}

} // namespace weightscape
