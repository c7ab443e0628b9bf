// SPDX-License-Identifier: BSD-3-Clause
// From a frame and a history to the objects that docs/channels.md describes.
#ifndef WS_MAPPING_H
#define WS_MAPPING_H

#include "frame.h"
#include "history.h"
#include <string>
#include <vector>
#include <vtkSmartPointer.h>

class vtkDataObject;
class vtkImageData;
class vtkPolyData;
class vtkTable;

namespace weightscape
{

// One channel: its name, and how to build it.
struct Channel {
    enum Kind { Weights, Norms, NormsPoints, Trajectory, TrajectoryPoints };
    std::string name;
    Kind kind;
    int convolution; // Weights and Trajectory: which one
};

// All channels of a run with these layers, in order.
std::vector<Channel> channels_of(const ws_history &layers);

// Name of convolution number `convolution`.
const char *convolution_name(const ws_history &layers, int convolution);

// The object of a channel; NULL if the frame does not hold what it needs.
vtkSmartPointer<vtkDataObject> build(const Channel &channel, const ws_frame &frame,
                                     const ws_history &history);

// Field data of every channel: step, epoch, loss, ...
void add_scalars(vtkDataObject &object, const ws_frame &frame);

// Values as one-row field arrays.
void add_field(vtkDataObject &object, const char *name, const std::vector<double> &values);
void add_field(vtkDataObject &object, const char *name, const std::vector<long long> &values);
void add_field(vtkDataObject &object, const char *name, const std::vector<std::string> &values);

vtkSmartPointer<vtkImageData> weights_image(const ws_frame &frame, const char *layer);
vtkSmartPointer<vtkTable> norms_table(const ws_frame &frame, const ws_history &history);
vtkSmartPointer<vtkTable> trajectory_table(const ws_frame &frame, const ws_history &history, int convolution);
// One point per row at (column x, column y or 0, 0), one polyline, the columns
// as point data.
vtkSmartPointer<vtkPolyData> points_of(vtkTable &table, const char *x, const char *y);

} // namespace weightscape

#endif
