// SPDX-License-Identifier: MIT
//
// All questions asked of one process in one pass.
#pragma once

#include <unspool/analyze/deadlocks.hpp>
#include <unspool/analyze/joins.hpp>
#include <unspool/analyze/locks.hpp>
#include <unspool/analyze/misuse.hpp>
#include <unspool/analyze/summary.hpp>
#include <unspool/replay/replay.hpp>

#include <array>

namespace unspool {

/// Reads the source to its end when it is made.
class Analysis {
 public:
  Analysis(const Process& process, RecordSource& source)
      : locks{process}, deadlocks{process}, misuses{process}, replay{process, all()} {
    replay.run(source);
  }

  Summary summary;
  Locks locks;
  Joins joins;
  Deadlocks deadlocks;
  Misuses misuses;
  Replay replay;

 private:
  std::array<Observer*, 5> all() { return {&summary, &locks, &joins, &deadlocks, &misuses}; }
};

}  // namespace unspool
