// SPDX-License-Identifier: BSD-3-Clause
// Principal components of the walk of a layer's weights, from sketches of it.
#ifndef WEIGHTSCAPE_WALK_H
#define WEIGHTSCAPE_WALK_H

#include "curve.h"

#include <array>
#include <cstdint>
#include <vector>

namespace weightscape
{

// The first two components of each of `rows` sketches, NaN for rows that are not finite. The axes are those
// of all rows that `sums` are of, also of those that are not among the sketches.
std::array<std::vector<double>, 2> walk_components(const float *sketches, uint64_t rows,
                                                   const ws_walk_sums &sums);

} // namespace weightscape

#endif
