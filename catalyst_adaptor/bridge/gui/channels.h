// SPDX-License-Identifier: BSD-3-Clause
// The outputs that are laid out, wherever they come from: a live training, or a recording.
#ifndef WEIGHTSCAPE_GUI_CHANNELS_H
#define WEIGHTSCAPE_GUI_CHANNELS_H

#include <QList>
#include <QString>

class pqOutputPort;

namespace weightscape
{

struct LayerOutput {
    QString layer;
    pqOutputPort *output;
};

struct Channels {
    QList<LayerOutput> weights;      // of each convolution, in order
    QList<LayerOutput> trajectories; // of each convolution, in order
    pqOutputPort *norms = nullptr;
    pqOutputPort *status = nullptr; // nullptr: none, as in a recording
};

} // namespace weightscape

#endif
