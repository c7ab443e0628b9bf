// SPDX-License-Identifier: BSD-3-Clause
// What happens when ParaView's window has loaded the plugin.
#ifndef WEIGHTSCAPE_GUI_START_H
#define WEIGHTSCAPE_GUI_START_H

#include <pqAutoStartInterface.h>

#include <QObject>

namespace weightscape
{

class ToolBar;
class Layout;

// Adds the toolbar; then does what `weightscape gui` asks for through the environment, once: WEIGHTSCAPE_GUI
// is "live:PORT" or "recording:PATH".
class Start : public QObject, public pqAutoStartInterface
{
    Q_OBJECT
    Q_INTERFACES(pqAutoStartInterface)

  public:
    explicit Start(QObject *parent);
    void startup() override;
    void shutdown() override;

  private Q_SLOTS:
    void build();
    void do_what_was_asked();

  private:
    ToolBar *bar = nullptr;
    Layout *layout = nullptr;
};

} // namespace weightscape

#endif
