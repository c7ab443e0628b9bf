// SPDX-License-Identifier: BSD-3-Clause
// The plugin's buttons and its menu in ParaView's window.
#ifndef WEIGHTSCAPE_GUI_TOOLBAR_H
#define WEIGHTSCAPE_GUI_TOOLBAR_H

#include <QToolBar>

class QAction;
class QLabel;

namespace weightscape
{

class Connection;
class Layout;

class ToolBar : public QToolBar
{
    Q_OBJECT

  public:
    ToolBar(Connection *connection, Layout *layout, QWidget *window);

    // Waits for a training on `port`, and lays it out when it has come.
    void connect_and_lay_out(int port);
    // Says why something cannot be done; nothing for "".
    void tell(const QString &problem);

  private Q_SLOTS:
    void press_connect(bool on);
    void ask_port();
    void press_lay_out();
    void press_pause(bool on);
    void press_step();
    void show_state();

  private:
    QAction *add(const QString &name, const QString &text, const QString &tip);
    void add_menu(QWidget *window);

    Connection *connection;
    Layout *layout;
    QAction *connect_, *other_port, *lay_out, *pause, *step;
    QLabel *label;
};

} // namespace weightscape

#endif
