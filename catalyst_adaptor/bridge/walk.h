// SPDX-License-Identifier: BSD-3-Clause
// Principal components of the walk of a layer's weights, from sketches of it.
#ifndef WEIGHTSCAPE_WALK_H
#define WEIGHTSCAPE_WALK_H

#include "sketch.h"

#include <array>
#include <cstdint>
#include <vector>

namespace weightscape
{

class Walk
{
  public:
    // The first two components of each of `rows` sketches, NaN for rows that are not finite: those do not
    // count. Sums of rows that were given before are kept, so a long walk is not added up again for every
    // picture.
    std::array<std::vector<double>, 2> components(const float *sketches, uint64_t rows);

  private:
    using Vector = std::array<double, WS_SKETCH_CELLS>;

    void add(const float *sketch);
    std::array<Vector, 2> axes() const;

    uint64_t added = 0; // rows seen
    uint64_t count = 0; // of those, finite ones
    Vector sum{};
    std::array<Vector, WS_SKETCH_CELLS> products{}; // upper triangle of the sum of outer products
};

} // namespace weightscape

#endif
