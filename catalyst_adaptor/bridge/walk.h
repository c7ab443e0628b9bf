// SPDX-License-Identifier: BSD-3-Clause
// The walk of a layer's weights along its principal components, from sketches of it.
#ifndef WEIGHTSCAPE_WALK_H
#define WEIGHTSCAPE_WALK_H

#include "components.h"

#include <array>
#include <cstdint>
#include <vector>

namespace weightscape
{

// The first two components of each of `rows` sketches, NaN for rows that are not finite.
std::array<std::vector<double>, 2> walk_columns(const float *sketches, uint64_t rows,
                                                const ws_components &components);

} // namespace weightscape

#endif
