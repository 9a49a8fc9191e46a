// SPDX-License-Identifier: MIT
//
// All questions asked of one process in one pass.
#pragma once

#include <unspool/analyze/blame.hpp>
#include <unspool/analyze/deadlocks.hpp>
#include <unspool/analyze/filter.hpp>
#include <unspool/analyze/inside.hpp>
#include <unspool/analyze/inversions.hpp>
#include <unspool/analyze/joins.hpp>
#include <unspool/analyze/locks.hpp>
#include <unspool/analyze/lost_notifies.hpp>
#include <unspool/analyze/messages.hpp>
#include <unspool/analyze/misuse.hpp>
#include <unspool/analyze/signals.hpp>
#include <unspool/analyze/summary.hpp>
#include <unspool/replay/replay.hpp>

#include <utility>

namespace unspool {

/// Reads the source to its end when it is made.
class Analysis {
 public:
  /// `more`: asked besides the others. What the filter leaves out is in no figure; Deadlocks know of all, as the graph
  /// would not be whole otherwise.
  /// `told`: what of the messages is kept.
  struct Tell {
    std::size_t each = 0;    ///< so many of a thread's last
    bool waits = false;      ///< also around the longest waits for locks
    Blame* blame = nullptr;  ///< also asked, as it is asked by few
  };
  Analysis(const Process& process, RecordSource& source, Observer* more, Filter wanted, Tell told)
      : filter{std::move(wanted)},
        summary{filter},
        locks{process, filter},
        joins{filter},
        signals{process, filter},
        notifies{process},
        deadlocks{process, notifies},
        misuses{process, filter, notifies},
        inversions{process},
        inside{process, filter, inversions},
        messages{told.each, told.waits, filter},
        replay{process, all(more, told.blame)} {
    replay.run(source);
  }
  explicit Analysis(const Process& process, RecordSource& source, Observer* more = nullptr, Filter wanted = {})
      : Analysis{process, source, more, std::move(wanted), Tell{}} {}
  Analysis(const Analysis&) = delete;
  Analysis& operator=(const Analysis&) = delete;

  const Filter filter;
  Summary summary;
  Locks locks;
  Joins joins;
  Signals signals;
  LostNotifies notifies;
  Deadlocks deadlocks;
  Misuses misuses;
  Inversions inversions;
  Inside inside;
  Messages messages;
  Replay replay;

  /// Findings that a baseline accepts; they are no longer among the others.
  struct Known {
    std::size_t deadlocks = 0;
    std::size_t inversions = 0;
    std::size_t misuses = 0;
  };
  Known known;

 private:
  Audience all(Observer* more, Blame* blame) {
    Audience audience{summary, locks, joins, signals, notifies, deadlocks, misuses, inversions, inside, messages};
    if (more != nullptr) audience.add(*more);
    if (blame != nullptr) audience.add(*blame);
    // The times that are asked for may cut a hold in two.
    audience.takes_holds = audience.takes_holds && !filter.is_on();
    return audience;
  }
};

}  // namespace unspool
