// SPDX-License-Identifier: MIT
//
// Definitions into the Process: threads, objects, sites, clock readings, mode. A later definition of the same number
// replaces an earlier one.
#pragma once

#include <unspool/read/trace.hpp>

namespace unspool {

/// Reads all definitions of the trace, oldest segment first, then settles the clock.
void read_definitions(Trace& trace);

}  // namespace unspool
