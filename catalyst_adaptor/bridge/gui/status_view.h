// SPDX-License-Identifier: BSD-3-Clause
// What is in force in the training, as text in a view of its own.
#ifndef WEIGHTSCAPE_GUI_STATUS_VIEW_H
#define WEIGHTSCAPE_GUI_STATUS_VIEW_H

class pqOutputPort;
class pqRenderView;

namespace weightscape
{

// Shows the text of the channel `status`.
pqRenderView *make_status(pqOutputPort *status);

} // namespace weightscape

#endif
