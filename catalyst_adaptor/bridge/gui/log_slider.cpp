// SPDX-License-Identifier: BSD-3-Clause
#include "log_slider.h"

#include <vtkSMDoubleRangeDomain.h>
#include <vtkSMProperty.h>

#include <QDoubleValidator>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QLocale>
#include <QSignalBlocker>
#include <QSlider>

#include <cmath>

namespace weightscape
{

namespace
{

constexpr int positions = 1000;
constexpr double least_beside_zero = 1e-7; // of the high end: where the slider begins when its left end is 0

// As few digits as give the same number again, with a dot in every locale.
QString text_of(double value)
{
    return QLocale::c().toString(value, 'g', QLocale::FloatingPointShortest);
}

} // namespace

LogSlider::LogSlider(vtkSMProxy *smproxy, vtkSMProperty *smproperty, QWidget *parent_widget)
    : pqPropertyWidget(smproxy, parent_widget), slider(new QSlider(Qt::Horizontal, this)),
      field(new QLineEdit(this))
{
    setProperty(smproperty);
    setChangeAvailableAsChangeFinished(false);
    auto *range = smproperty->FindDomain<vtkSMDoubleRangeDomain>();
    if (range && range->GetMaximumExists(0))
        high = range->GetMaximum(0);
    if (range && range->GetMinimumExists(0))
        low = range->GetMinimum(0);
    has_zero = low <= 0;
    if (has_zero)
        low = high * least_beside_zero;
    slider->setObjectName("Slider");
    slider->setRange(0, positions);
    field->setObjectName("Field");
    auto *validator = new QDoubleValidator(field);
    validator->setLocale(QLocale::c());
    field->setValidator(validator);
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(slider, 3);
    row->addWidget(field, 2);
    connect(slider, &QSlider::valueChanged, this, &LogSlider::slid);
    connect(slider, &QSlider::sliderReleased, this, &LogSlider::changeFinished);
    connect(field, &QLineEdit::textEdited, this, &LogSlider::typed);
    connect(field, &QLineEdit::editingFinished, this, &LogSlider::changeFinished);
    addPropertyLink(this, "value", SIGNAL(value_changed()), smproperty);
    show_value();
}

double LogSlider::at(int position) const
{
    if (has_zero && position == 0)
        return 0;
    const double value = low * std::pow(high / low, double(position) / positions);
    // Three digits are enough for a hand, and are read more easily.
    return QLocale::c().toDouble(QString::number(value, 'g', 3));
}

int LogSlider::position_of(double value) const
{
    if (!(value > 0))
        return 0;
    const double part = std::log(value / low) / std::log(high / low);
    return int(std::lround(positions * std::fmin(1, std::fmax(0, part))));
}

void LogSlider::set_value(double value)
{
    if (value == number)
        return;
    number = value;
    show_value();
    Q_EMIT value_changed();
}

void LogSlider::show_value()
{
    const QSignalBlocker quiet(slider);
    slider->setValue(position_of(number));
    bool is_number = false;
    // What is being typed stays as it is typed.
    if (QLocale::c().toDouble(field->text(), &is_number) != number || !is_number)
        field->setText(text_of(number));
}

void LogSlider::slid(int position)
{
    number = at(position);
    field->setText(text_of(number));
    Q_EMIT value_changed();
}

void LogSlider::typed()
{
    bool is_number = false;
    const double value = QLocale::c().toDouble(field->text(), &is_number);
    if (is_number)
        set_value(value);
}

} // namespace weightscape
