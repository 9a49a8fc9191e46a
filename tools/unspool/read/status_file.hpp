// SPDX-License-Identifier: MIT
//
// The `.status` file of a trace directory: each thread's last state.
#pragma once

#include <unspool/read/trace.hpp>

namespace unspool {

/// Fills Process::status, and `lost` if it knows of more, from the file in `directory`. That there is none is no
/// problem: an archived trace has none.
void read_status(const File& directory, const std::string& path, Process& process, Problems& problems);

}  // namespace unspool
