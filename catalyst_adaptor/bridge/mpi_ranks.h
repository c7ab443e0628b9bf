// SPDX-License-Identifier: BSD-3-Clause
#ifndef WEIGHTSCAPE_MPI_RANKS_H
#define WEIGHTSCAPE_MPI_RANKS_H

namespace weightscape
{

// Before ParaView starts: where the host has started MPI, ParaView would take all of the host's ranks for its
// own, and wait for them. It gets this process alone.
void be_one_rank();

} // namespace weightscape

#endif
