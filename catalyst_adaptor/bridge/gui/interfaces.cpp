// SPDX-License-Identifier: BSD-3-Clause
#include "interfaces.h"

#include "start.h"
#include "widgets.h"

namespace weightscape
{

QObjectList gui_interfaces()
{
    return {new Widgets(nullptr), new Start(nullptr)};
}

} // namespace weightscape
