// SPDX-License-Identifier: BSD-3-Clause
// The weights of a convolution as a field of boxes, in a view of ParaView's window.
#ifndef WEIGHTSCAPE_GUI_LANDSCAPE_H
#define WEIGHTSCAPE_GUI_LANDSCAPE_H

#include "channels.h"

class pqRenderView;

namespace weightscape
{

// Shows the boxes of `weights` in a new view, coloured by the weight on a scale that stays, with its legend.
pqRenderView *make_landscape(const LayerOutput &weights);

// Turns the camera so that the boxes fill the view as large as it is now.
void fit(pqRenderView *view);

} // namespace weightscape

#endif
