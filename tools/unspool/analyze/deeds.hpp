// SPDX-License-Identifier: MIT
//
// Who did what to which object: set, notified, released, put, got, arrived, ran a task. Tells whom a wait can hope for.
// Owns no judgement; hopes.hpp makes it.
//
// Memory: by live object, and of those that are gone by class; so many threads of each at most. Where there are more, one
// stands for all that have ended and were made alike, if it gave back what it took; then `crowded`.
#pragma once

#include <unspool/model/model.hpp>

#include <array>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace unspool {

/// What ends waits, and its counterpart. Each kind uses the ones that it has.
enum class Role : std::uint8_t {
  give,   ///< set, notify, release, put, submit, arrival at a barrier
  take,   ///< acquire, get
  finish  ///< task_done; running a pool's task
};
inline constexpr std::size_t role_count = 3;

// What a Queue's and a pool's block Records mean by `what`.
enum class QueueCall : std::uint32_t { put = 0, get = 1, join = 2 };
enum class PoolWait : std::uint32_t { room = 0, result = 1, work = 2, all = 3 };

/// What one thread did to an object in one role.
struct Deed {
  std::uint64_t count = 0;
  trace::Ticks last = 0;
  trace::SiteNumber site = 0;  ///< of the last
};

inline const Deed& deed_of(const std::array<Deed, role_count>& deeds, Role role) {
  return deeds[static_cast<std::size_t>(role)];
}

/// Everything that is kept of an object.
struct Past {
  trace::Kind kind = trace::Kind::trace;
  std::unordered_map<trace::ThreadNumber, std::array<Deed, role_count>> threads;
  bool crowded = false;              ///< more threads than are kept
  std::uint64_t wakes = 0;           ///< waits that were ended, as those who ended them say
  std::uint64_t woken = 0;           ///< and as the woken say
  trace::Ticks last_all = 0;         ///< when all who waited were let go: set, trip, shutdown
  trace::Ticks last_finished = 0;    ///< of a queue: when the last item was done, and so all joins of it over
  std::uint32_t size = 0;            ///< of a queue, as last told
  trace::ThreadNumber acting = 0;    ///< of a barrier: who runs its action
  std::uint32_t parties = 0;         ///< of a barrier, once it has tripped
  std::uint32_t last_begun = 0;      ///< the newest task that began
  std::uint32_t last_submitted = 0;  ///< the newest task
  std::unordered_map<std::uint32_t, trace::ThreadNumber> running;  ///< task → worker
  std::unordered_set<trace::ThreadNumber> workers;                 ///< who waited for a task of it
  std::unordered_set<std::uint32_t> dropped;                       ///< tasks beyond last_begun
  std::unordered_set<trace::ThreadNumber> triers;                  ///< who found a queue empty, and did not wait

  void add(Role role, trace::ThreadNumber thread, trace::Ticks time, trace::SiteNumber site);
  /// When somebody gave; 0: nobody.
  trace::Ticks last_given() const;
  void add_worker(trace::ThreadNumber thread);
  /// The newest task of a pool waits for a worker.
  bool queued() const { return last_submitted > last_begun && !dropped.contains(last_submitted); }
  void merge(const Past& other);
};

/// The block Record of a thread's last wait for a SharedLock, or an object that no lock is; of a SharedLock the verb alone
/// where the trace has only the repetition.
struct LastBlock {
  trace::ObjectNumber object = 0;
  trace::Verb verb = trace::Verb::block;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
};

class Deeds {
 public:
  /// Requires: the definitions are complete.
  explicit Deeds(const Process& process);

  /// Records of other rows need not be given to `record`.
  static bool hears(const trace::Row& row);
  void record(const Record& record);
  void destroyed(trace::ObjectNumber object);
  /// After the last Record: puts what live objects have into their classes too.
  void finish();

  /// Kind, creation site and name, in which one number is like another; an object without a known site is a class of its own.
  std::uint64_t class_of(trace::ObjectNumber object, trace::Kind kind) const;
  /// The same whatever the name.
  std::uint64_t line_of(trace::ObjectNumber object, trace::Kind kind) const;
  /// Of the live objects.
  const std::unordered_map<trace::ObjectNumber, Past>& all() const { return pasts_; }
  /// What is known of the object; null if it never had such a Record.
  const Past* of(trace::ObjectNumber object) const;
  /// After finish(): of all objects of its class.
  const Past* of_class(trace::ObjectNumber object, trace::Kind kind) const;
  const LastBlock* last_block(trace::ThreadNumber thread) const;
  /// Where and when a thread was created; 0: not known.
  trace::SiteNumber made_at(trace::ThreadNumber thread) const { return made(thread).site; }
  trace::Ticks made_when(trace::ThreadNumber thread) const { return made(thread).time; }

 private:
  struct Made {
    trace::SiteNumber site = 0;
    trace::Ticks time = 0;
  };

  Made made(trace::ThreadNumber thread) const;
  void repeated(const Record& record);
  Past& past(const Record& record);
  void make_room(Past& past) const;
  void semaphore(const Record& record, Past& past);
  void barrier(const Record& record, Past& past);
  void queue(const Record& record, Past& past);
  void pool(const Record& record, Past& past);

  const Process& process_;
  std::unordered_map<trace::ObjectNumber, Past> pasts_;
  std::unordered_map<std::uint64_t, Past> classes_;
  std::unordered_map<trace::SiteNumber, std::vector<std::uint64_t>> shapes_at_;  ///< of names; no more than tell
  std::unordered_map<trace::ThreadNumber, LastBlock> blocks_;
  std::unordered_map<trace::ThreadNumber, Made> made_;
  std::unordered_map<trace::ThreadNumber, bool> ended_;  ///< by an exception?
};

}  // namespace unspool
