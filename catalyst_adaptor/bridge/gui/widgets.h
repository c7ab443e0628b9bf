// SPDX-License-Identifier: BSD-3-Clause
// The widgets that knobs.xml names.
#ifndef WEIGHTSCAPE_GUI_WIDGETS_H
#define WEIGHTSCAPE_GUI_WIDGETS_H

#include <pqPropertyWidgetInterface.h>

#include <QObject>

namespace weightscape
{

class Widgets : public QObject, public pqPropertyWidgetInterface
{
    Q_OBJECT
    Q_INTERFACES(pqPropertyWidgetInterface)

  public:
    explicit Widgets(QObject *parent);
    pqPropertyWidget *createWidgetForProperty(vtkSMProxy *proxy, vtkSMProperty *property,
                                              QWidget *parent) override;
};

} // namespace weightscape

#endif
