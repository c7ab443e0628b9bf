// SPDX-License-Identifier: BSD-3-Clause
// An action of the properties panel.
#ifndef WEIGHTSCAPE_GUI_ACTION_BUTTON_H
#define WEIGHTSCAPE_GUI_ACTION_BUTTON_H

#include <pqPropertyWidget.h>

namespace weightscape
{

// A press counts the integer property up, which is the action, and sends it at once: without Apply, and
// without what else was changed in the panel.
class ActionButton : public pqPropertyWidget
{
    Q_OBJECT

  public:
    ActionButton(vtkSMProxy *proxy, vtkSMProperty *property, QWidget *parent);

  private Q_SLOTS:
    void press();
};

} // namespace weightscape

#endif
