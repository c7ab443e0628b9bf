// SPDX-License-Identifier: BSD-3-Clause
// Curves of the training, in views of ParaView's window.
#ifndef WEIGHTSCAPE_GUI_CHARTS_H
#define WEIGHTSCAPE_GUI_CHARTS_H

#include "channels.h"

#include <functional>

class pqOutputPort;
class pqView;

namespace weightscape
{

struct Chart {
    pqView *view;
    // Draws the curves, and no others, once more: the properties panel, which has looked at the chart in the
    // midst of its making, may have changed them.
    std::function<void()> draw;
};

// A table as a chart can draw it, through the filter WeightscapeCurves, which is called `name`; of `norms`,
// what the next two draw.
pqOutputPort *make_curves(pqOutputPort *table, const QString &name);

// L2 norms of the weights and gradients of every layer over the steps, on a logarithmic axis.
Chart make_norms(pqOutputPort *curves);

// Loss, accuracy and learning rate over the steps.
Chart make_progress(pqOutputPort *curves);

// The walk of a convolution's first two weights in their plane.
Chart make_walk(const LayerOutput &trajectory);

} // namespace weightscape

#endif
