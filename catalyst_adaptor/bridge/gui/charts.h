// SPDX-License-Identifier: BSD-3-Clause
// Curves of the training, in views of ParaView's window.
#ifndef WEIGHTSCAPE_GUI_CHARTS_H
#define WEIGHTSCAPE_GUI_CHARTS_H

#include "channels.h"

class pqView;

namespace weightscape
{

// A table as a chart can draw it, through the filter WeightscapeCurves; of `norms`, what the next two draw.
pqOutputPort *make_curves(pqOutputPort *table);

// L2 norms of the weights and gradients of every layer over the steps, on a logarithmic axis.
pqView *make_norms(pqOutputPort *curves);

// Loss, accuracy and learning rate over the steps.
pqView *make_progress(pqOutputPort *curves);

// The walk of a convolution's first two weights in their plane.
pqView *make_walk(const LayerOutput &trajectory);

} // namespace weightscape

#endif
