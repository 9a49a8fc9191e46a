// SPDX-License-Identifier: MIT
//
// What keeps threads apart beside the locks that they hold themselves: semaphores, which let in as many as they have
// permits, and what a thread holds from before it starts another one until after it has joined it. Owns what counts as
// such a gate.
//
// A semaphore counts if it never had more permits than at first, and nobody released it but who had acquired it. What
// happens later can show that it does not: so that is known after the replay only.
//
// Memory: by live semaphore; up to a limit of semaphores that count, and of threads that were started by one that held
// locks.
#pragma once

#include <unspool/model/model.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace unspool {

/// A lock that a thread holds.
struct HeldLock {
  trace::ObjectNumber object = 0;
  bool shared = false;
  auto operator<=>(const HeldLock&) const = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads <=>
};
using HeldLocks = std::vector<HeldLock>;  ///< sorted; a semaphore once for each permit

/// The same, from when on.
struct HeldFrom {
  HeldLock lock;
  trace::Ticks since = 0;
  auto operator<=>(const HeldFrom&) const = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads <=>
};

class Gates {
 public:
  /// A semaphore's acquire or release.
  void semaphore(const Record& record);
  void destroyed(trace::ObjectNumber object);
  /// Semaphores of which the thread has a permit, as often as it has one; the oldest first.
  std::span<const HeldFrom> permits_of(trace::ThreadNumber thread) const;
  /// Records of it are missing.
  void forget_permits(trace::ThreadNumber thread) { permits_.erase(thread); }

  /// The first thread, that holds these, starts or has joined the other one. What is held around the first one's life is
  /// around the other one's, too.
  void started(trace::ThreadNumber thread, trace::ThreadNumber other, std::vector<HeldFrom> held);
  void joined(trace::ThreadNumber thread, trace::ThreadNumber other, const std::vector<HeldFrom>& held);

  /// Whether these two threads can hold these at the same time. After the replay.
  bool let_both(trace::ThreadNumber a, const HeldLocks& held_by_a, trace::ThreadNumber b,
                const HeldLocks& held_by_b) const;
  /// Whether the semaphores of which `held` has permits have as many beside those that `others` have. After the replay.
  bool has_room(const HeldLocks& held, std::span<const HeldLocks* const> others) const;

 private:
  struct Semaphore {
    std::vector<trace::ThreadNumber> holders;  ///< one of each permit that is taken
    std::size_t permits = 0;                   ///< at first
    trace::Sequence last = 0;
    bool is_gate = true;
    bool is_new = true;
  };
  /// Who started a thread.
  struct Parent {
    trace::ThreadNumber thread = 0;
    bool has_joined = false;
    std::vector<HeldFrom> held;  ///< sorted; from before the start on and, once it has joined, until then
    HeldLocks locks;             ///< the same once it has joined
  };

  bool take(const Record& record, Semaphore& semaphore);
  bool give(const Record& record, Semaphore& semaphore);
  void refuse(trace::ObjectNumber object, Semaphore& semaphore, bool at_once);
  void keep_permits(trace::ThreadNumber thread, trace::ObjectNumber object, std::size_t count);
  /// Locks that keep other threads out while a thread goes on, and who holds them.
  struct Around {
    trace::ThreadNumber holder = 0;
    const HeldLocks* locks = nullptr;
  };

  const Parent* parent_of(trace::ThreadNumber thread) const;
  std::vector<Around> around(trace::ThreadNumber thread, const HeldLocks& held) const;
  bool exclude(const HeldLocks& a, const HeldLocks& b) const;

  std::unordered_map<trace::ObjectNumber, Semaphore> semaphores_;
  std::unordered_map<trace::ThreadNumber, std::vector<HeldFrom>> permits_;
  std::size_t gates_ = 0;                                      ///< semaphores that are or were taken for such
  std::unordered_set<trace::ObjectNumber> none_;               ///< of them: they are not
  std::unordered_map<trace::ObjectNumber, std::size_t> room_;  ///< of them: for how many, where that is more than one
  std::unordered_map<trace::ThreadNumber, Parent> parents_;
  std::size_t holding_none_ = 0;  ///< of them: they count only for what is held around their own lives
};

}  // namespace unspool
