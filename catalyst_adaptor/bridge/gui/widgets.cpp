// SPDX-License-Identifier: BSD-3-Clause
#include "widgets.h"

#include "action_button.h"
#include "log_slider.h"

#include <vtkSMProperty.h>

namespace weightscape
{

Widgets::Widgets(QObject *parent) : QObject(parent) {}

pqPropertyWidget *Widgets::createWidgetForProperty(vtkSMProxy *proxy, vtkSMProperty *property,
                                                   QWidget *parent)
{
    const QString name = property && property->GetPanelWidget() ? property->GetPanelWidget() : "";
    if (name == "weightscape_log_slider")
        return new LogSlider(proxy, property, parent);
    if (name == "weightscape_button")
        return new ActionButton(proxy, property, parent);
    return nullptr;
}

} // namespace weightscape
