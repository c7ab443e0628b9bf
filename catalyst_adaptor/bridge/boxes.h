// SPDX-License-Identifier: BSD-3-Clause
// The filter of ParaView's pipelines that makes boxes of weights.
#ifndef WEIGHTSCAPE_BOXES_H
#define WEIGHTSCAPE_BOXES_H

#include <vtkPolyDataAlgorithm.h>

#include <string>

namespace weightscape
{

// Of an image `weights_L` (docs/channels.md) each cell that is a weight becomes a box without a bottom, from
// the ground to the weight. Its faces carry all arrays of the cell. The field data is passed on, with `end`,
// the value at which boxes end to grow. Anything else than an image, which is what a viewer gets before the
// first data has come, makes nothing.
class WeightscapeBoxes : public vtkPolyDataAlgorithm
{
  public:
    static WeightscapeBoxes *New();
    vtkTypeMacro(WeightscapeBoxes, vtkPolyDataAlgorithm);

    // What the height shows: `weight`, `gradient` or `delta`.
    void SetArray(const char *name);
    // Height, in cells, at the end of the scale. Default 1.3.
    void SetHeight(double cells);
    // The value at the end of the scale; 0, the default, takes a round one that follows from the initial
    // weights.
    void SetRange(double value);

  protected:
    WeightscapeBoxes();
    ~WeightscapeBoxes() override;
    int FillInputPortInformation(int port, vtkInformation *information) override;
    int RequestData(vtkInformation *request, vtkInformationVector **in, vtkInformationVector *out) override;

  private:
    std::string array = "weight";
    double height = 1.3, range = 0;
};

// The value at which a scale ends that has room for `array` in a layer whose initial weights reach up to
// `weight_range`; 1 if that is none.
double scale_end(const std::string &array, double weight_range);

} // namespace weightscape

#endif
