// SPDX-License-Identifier: BSD-3-Clause
// The source of ParaView's pipelines that reads recordings.
#ifndef WEIGHTSCAPE_READER_H
#define WEIGHTSCAPE_READER_H

#include "playback.h"

#include <vtkAlgorithm.h>

class vtkImageData;

namespace weightscape
{

// Port 0 is the image of a convolution's weights, port 1 the table `norms`, port 2 the table of the layer's
// trajectory, ports 3 and 4 images of its activations and correlation, port 5 the table `ranks`
// (docs/channels.md). The time is the step; what is shown is the last frame up to it. What cannot
// be read is told once, through vtkErrorMacro, and leaves the outputs empty.
class WeightscapeReader : public vtkAlgorithm
{
  public:
    static WeightscapeReader *New();
    vtkTypeMacro(WeightscapeReader, vtkAlgorithm);

    void SetFileName(const char *name);
    // A convolution; "" for the first one.
    void SetLayer(const char *name);

    // Names of the convolutions; empty if the file cannot be read.
    std::vector<std::string> layers();
    // Takes what has come into the file; what could not be read is tried again.
    void Refresh();
    // Whether the file has changed since it was looked at last; then it is taken.
    bool GetNeedsUpdate();

    // Looks whether the file has changed, too.
    void UpdateInformation() override;
    using vtkAlgorithm::UpdateInformation;

    vtkTypeBool ProcessRequest(vtkInformation *request, vtkInformationVector **in,
                               vtkInformationVector *out) override;

    enum Port {
        weights_port,
        norms_port,
        trajectory_port,
        activations_port,
        correlation_port,
        ranks_port,
        port_count
    };

  protected:
    WeightscapeReader();
    ~WeightscapeReader() override;
    int FillOutputPortInformation(int port, vtkInformation *information) override;

  private:
    Playback &opened();
    void close();
    bool look();
    std::string layer_shown();
    uint64_t frame_wanted(vtkInformation *request, vtkInformationVector *out);
    vtkImageData *image_of(int port, uint64_t n);
    vtkSmartPointer<vtkDataObject> data_of(int port, uint64_t n);
    void tell_steps(vtkInformationVector *out);
    void tell_extent(vtkInformation *request, vtkInformationVector *out);
    void fill(vtkInformation *request, vtkInformationVector *out);
    void answer(vtkInformation *request, vtkInformationVector *out);
    void fail(vtkInformationVector *out, const char *what);

    std::string file, layer;
    std::unique_ptr<Playback> playback; // none: not opened yet, or it could not be read
    // What a port that is an image shows of frame `number`; nullptr: nothing.
    struct Shown {
        vtkSmartPointer<vtkDataObject> image;
        uint64_t number = WS_NEVER;
    };
    Shown shown_at[port_count];
    uint64_t wanted_number = WS_NEVER; // the frame that was last asked for
    std::string told;                  // the last error, until another frame can be read
    uint64_t told_number = WS_NEVER;   // the frame that it was about
};

} // namespace weightscape

#endif
