// SPDX-License-Identifier: MIT
//
// What truth_program writes down about itself and truth_test reads: one line a call that wanted a lock, by the caller's
// own CLOCK_MONOTONIC. Knows nothing of Records.
#pragma once

#include <cstdint>
#include <istream>
#include <ostream>

namespace truth {

/// One call that took a lock, or failed to. Times are nanoseconds, each read outside of the library:
///
///   asked ──lock()──▶ had ──the caller held it for certain──▶ giving ──unlock()──▶ gave
///
/// A Condition's wait gives the lock back and takes it again: it ends one such line and is another.
struct Call {
  unsigned lock = 0;         ///< it is named "lock-N"
  std::uint32_t thread = 0;  ///< as the thread's ident()
  std::uint32_t line = 0;    ///< of truth_program.cpp
  bool got = false;
  std::int64_t asked = 0;
  std::int64_t had = 0;  ///< or the call had failed
  std::int64_t giving = 0;
  std::int64_t gave = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Call& call) {
  return out << call.lock << ' ' << call.thread << ' ' << call.line << ' ' << call.got << ' ' << call.asked << ' '
             << call.had << ' ' << call.giving << ' ' << call.gave << '\n';
}

inline std::istream& operator>>(std::istream& in, Call& call) {
  return in >> call.lock >> call.thread >> call.line >> call.got >> call.asked >> call.had >> call.giving >> call.gave;
}

}  // namespace truth
