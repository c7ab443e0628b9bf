// SPDX-License-Identifier: BSD-3-Clause
#include "message_boxes.h"

#include <QApplication>
#include <QEvent>
#include <QMessageBox>
#include <QTimer>

namespace weightscape
{

MessageBoxes::MessageBoxes(QObject *parent) : QObject(parent)
{
    qApp->installEventFilter(this);
}

bool MessageBoxes::eventFilter(QObject *watched, QEvent *event)
{
    if (event->type() == QEvent::Show) {
        auto *box = qobject_cast<QMessageBox *>(watched);
        if (box && (box->windowTitle() == "Ready for Catalyst connections" ||
                    box->windowTitle() == "Catalyst Disconnected"))
            QTimer::singleShot(0, box, &QMessageBox::accept);
    }
    return QObject::eventFilter(watched, event);
}

} // namespace weightscape
