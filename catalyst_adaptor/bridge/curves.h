// SPDX-License-Identifier: BSD-3-Clause
// The filter of ParaView's pipelines that makes a table fit for a logarithmic axis.
#ifndef WEIGHTSCAPE_CURVES_H
#define WEIGHTSCAPE_CURVES_H

#include <vtkTableAlgorithm.h>

namespace weightscape
{

// Passes the table `norms` (docs/channels.md) on, with NaN, which a chart leaves out, wherever a loss, a
// learning rate or a norm is not above zero. Anything else than a table makes nothing.
class WeightscapeCurves : public vtkTableAlgorithm
{
  public:
    static WeightscapeCurves *New();
    vtkTypeMacro(WeightscapeCurves, vtkTableAlgorithm);

  protected:
    WeightscapeCurves();
    ~WeightscapeCurves() override;
    int FillInputPortInformation(int port, vtkInformation *information) override;
    int RequestData(vtkInformation *request, vtkInformationVector **in, vtkInformationVector *out) override;
};

} // namespace weightscape

#endif
