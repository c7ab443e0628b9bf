// SPDX-License-Identifier: BSD-3-Clause
// Puts back what ParaView, Mesa, MPI and Python change in a process that is not theirs.
#ifndef WEIGHTSCAPE_GUARD_H
#define WEIGHTSCAPE_GUARD_H

#include "handlers.h"

#include <cfenv>
#include <string>

namespace weightscape
{

// As long as one lives, floating point is in its default mode; afterwards everything is as it was before:
// signal handlers and mask, floating-point modes and flags, locale, working folder.
class ProcessGuard
{
  public:
    ProcessGuard();
    ~ProcessGuard();
    ProcessGuard(const ProcessGuard &) = delete;
    ProcessGuard &operator=(const ProcessGuard &) = delete;

  private:
    ws_handlers handlers;
    std::fenv_t modes;
    std::string locale;
    int folder; // a descriptor, so that a folder without a name can be found again
};

} // namespace weightscape

#endif
