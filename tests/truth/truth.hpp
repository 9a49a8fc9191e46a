// SPDX-License-Identifier: MIT
//
// What truth_program writes down about itself and truth_test reads: one line a call that wanted a lock, by the caller's
// own CLOCK_MONOTONIC. Knows nothing of Records.
#pragma once

#include <cstdint>
#include <istream>
#include <ostream>

namespace truth {

/// One call that took a lock or a permit, or failed to. Times are nanoseconds, each read outside of the library:
///
///   asked ──lock()──▶ had ──the caller held it for certain──▶ giving ──unlock()──▶ gave
///
/// A Condition's wait gives the lock back and takes it again: it ends one such line and is another.
struct Call {
  unsigned lock = 0;         ///< it is named "lock-N", its Condition "changed-N"
  std::uint32_t thread = 0;  ///< as the thread's ident()
  std::uint32_t line = 0;    ///< of truth_program.cpp
  bool got = false;
  bool shared = false;  ///< as a reader
  std::int64_t asked = 0;
  std::int64_t had = 0;  ///< or the call had failed
  std::int64_t giving = 0;
  std::int64_t gave = 0;
  // Read and written while the lock was held, so it needs no clock. 0 of what can be had by several.
  std::uint64_t turn = 0;           ///< which of the lock's holds this was, from 1
  std::uint32_t giver = 0;          ///< who had it before
  std::uint32_t notifier = 0;       ///< of a Condition's wait: who notified it first
  std::uint32_t notifier_line = 0;  ///< and where
};

inline std::ostream& operator<<(std::ostream& out, const Call& call) {
  return out << call.lock << ' ' << call.thread << ' ' << call.line << ' ' << call.got << ' ' << call.shared << ' '
             << call.asked << ' ' << call.had << ' ' << call.giving << ' ' << call.gave << ' ' << call.turn << ' '
             << call.giver << ' ' << call.notifier << ' ' << call.notifier_line << '\n';
}

inline std::istream& operator>>(std::istream& in, Call& call) {
  return in >> call.lock >> call.thread >> call.line >> call.got >> call.shared >> call.asked >> call.had >>
         call.giving >> call.gave >> call.turn >> call.giver >> call.notifier >> call.notifier_line;
}

}  // namespace truth
