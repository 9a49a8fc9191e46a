// SPDX-License-Identifier: MIT
//
// All questions asked of one process in one pass.
#pragma once

#include <unspool/analyze/deadlocks.hpp>
#include <unspool/analyze/joins.hpp>
#include <unspool/analyze/locks.hpp>
#include <unspool/analyze/misuse.hpp>
#include <unspool/analyze/signals.hpp>
#include <unspool/analyze/summary.hpp>
#include <unspool/replay/replay.hpp>

#include <vector>

namespace unspool {

/// Reads the source to its end when it is made.
class Analysis {
 public:
  /// `more`: asked besides the others.
  Analysis(const Process& process, RecordSource& source, Observer* more = nullptr)
      : locks{process}, signals{process}, deadlocks{process}, misuses{process}, replay{process, all(more)} {
    replay.run(source);
  }

  Summary summary;
  Locks locks;
  Joins joins;
  Signals signals;
  Deadlocks deadlocks;
  Misuses misuses;
  Replay replay;

 private:
  std::vector<Observer*> all(Observer* more) {
    std::vector<Observer*> observers{&summary, &locks, &joins, &signals, &deadlocks, &misuses};
    if (more != nullptr) observers.push_back(more);
    return observers;
  }
};

}  // namespace unspool
