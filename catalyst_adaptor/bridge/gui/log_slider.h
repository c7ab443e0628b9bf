// SPDX-License-Identifier: BSD-3-Clause
// A number of the properties panel that may span many powers of ten.
#ifndef WEIGHTSCAPE_GUI_LOG_SLIDER_H
#define WEIGHTSCAPE_GUI_LOG_SLIDER_H

#include <pqPropertyWidget.h>

class QLineEdit;
class QSlider;

namespace weightscape
{

// A slider, equal ways on which are equal factors, beside a field to type any number into. The slider's ends
// are those of the property's range; its left end is 0 where that begins with 0.
class LogSlider : public pqPropertyWidget
{
    Q_OBJECT
    Q_PROPERTY(double value READ value WRITE set_value NOTIFY value_changed)

  public:
    LogSlider(vtkSMProxy *proxy, vtkSMProperty *property, QWidget *parent);

    double value() const { return number; }
    void set_value(double value);

  Q_SIGNALS:
    void value_changed();

  private Q_SLOTS:
    void slid(int position);
    void typed();

  private:
    void show_value();
    double at(int position) const;
    int position_of(double value) const;

    QSlider *slider;
    QLineEdit *field;
    double number = 0, low = 1e-6, high = 1;
    bool has_zero = false;
};

} // namespace weightscape

#endif
