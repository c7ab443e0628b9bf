// SPDX-License-Identifier: BSD-3-Clause
// ParaView's message boxes about Catalyst, which nobody needs who has a toolbar that tells the same.
#ifndef WEIGHTSCAPE_GUI_MESSAGE_BOXES_H
#define WEIGHTSCAPE_GUI_MESSAGE_BOXES_H

#include <QObject>

namespace weightscape
{

// While it lives, the boxes that say that ParaView waits for Catalyst, and that Catalyst has gone, close as
// soon as they are shown.
class MessageBoxes : public QObject
{
    Q_OBJECT

  public:
    explicit MessageBoxes(QObject *parent);
    bool eventFilter(QObject *watched, QEvent *event) override;
};

} // namespace weightscape

#endif
