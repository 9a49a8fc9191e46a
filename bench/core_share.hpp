// SPDX-License-Identifier: MIT
//
// Whether this thread has its core to itself. On a virtual machine a CPU may be one of the two hardware threads of a
// core, and somebody else's program the other: then everything but waiting takes longer, for tens of milliseconds at a
// time.
#pragma once

namespace bench {

/// Looks for so long that a moment alone is likely to be among it. Before the first row; a fork inherits what it
/// learnt.
void learn_core_alone();

/// Takes about 15 us. True also where it cannot be told.
bool is_core_alone();

}  // namespace bench
