// SPDX-License-Identifier: BSD-3-Clause
// What ParaView's window asks a plugin for.
#ifndef WEIGHTSCAPE_GUI_INTERFACES_H
#define WEIGHTSCAPE_GUI_INTERFACES_H

#include <QObjectList>

namespace weightscape
{

// The toolbar with its menu, and the widgets. To be called in a process that has a window, once.
QObjectList gui_interfaces();

} // namespace weightscape

#endif
