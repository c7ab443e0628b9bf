// SPDX-License-Identifier: BSD-3-Clause
// What a training tells of itself beside its numbers: the channel `status`.
#ifndef WEIGHTSCAPE_STATUS_H
#define WEIGHTSCAPE_STATUS_H

#include <vtkSmartPointer.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

class vtkDataObject;

namespace weightscape
{

class Status
{
  public:
    // Takes a JSON object (ws_insitu_status). Returns a problem, "" if there is none; then it is as before.
    std::string take(const char *json);

    // The values in force, as texts.
    const std::vector<std::pair<std::string, std::string>> &knobs() const { return knob_values; }

    // The table of the channel, with the numbers of a frame.
    vtkSmartPointer<vtkDataObject> build(const void *frame) const;

  private:
    std::string text(const void *frame) const;

    std::vector<std::pair<std::string, std::string>> entries, knob_values; // in the order they were told
    std::map<std::string, double> numbers;
};

} // namespace weightscape

#endif
