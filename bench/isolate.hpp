// SPDX-License-Identifier: MIT
//
// A benchmark in a process of its own: each has a recorder and a trace directory for itself, on the file system that it
// asks for, and a row cannot warm or spoil the next.
#pragma once

#include "measure.hpp"

namespace bench {

/// Forks, so it requires that the calling process has one thread. Throws where the child fails.
Samples run_apart(const Benchmark& benchmark);

}  // namespace bench
