// SPDX-License-Identifier: MIT
//
// All questions asked of one process in one pass.
#pragma once

#include <unspool/analyze/deadlocks.hpp>
#include <unspool/analyze/inversions.hpp>
#include <unspool/analyze/joins.hpp>
#include <unspool/analyze/locks.hpp>
#include <unspool/analyze/misuse.hpp>
#include <unspool/analyze/signals.hpp>
#include <unspool/analyze/summary.hpp>
#include <unspool/replay/replay.hpp>

namespace unspool {

/// Reads the source to its end when it is made.
class Analysis {
 public:
  /// `more`: asked besides the others.
  Analysis(const Process& process, RecordSource& source, Observer* more = nullptr)
      : locks{process},
        signals{process},
        deadlocks{process},
        misuses{process},
        inversions{process},
        replay{process, all(more)} {
    replay.run(source);
  }

  Summary summary;
  Locks locks;
  Joins joins;
  Signals signals;
  Deadlocks deadlocks;
  Misuses misuses;
  Inversions inversions;
  Replay replay;

 private:
  Audience all(Observer* more) {
    Audience audience{summary, locks, joins, signals, deadlocks, misuses, inversions};
    if (more != nullptr) audience.add(*more);
    return audience;
  }
};

}  // namespace unspool
