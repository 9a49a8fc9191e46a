// SPDX-License-Identifier: MIT
//
// Who a thread is. Owns numbers and names of threads and the list of those alive; starting and joining them is the
// thread room's.
#pragma once

#include <spool/log/object.hpp>
#include <spool/os/park.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace spool::log {

/// How many forks lie between this process and the first one. What was left in memory by threads of an earlier process
/// is told by it.
inline std::atomic<std::uint32_t> forks{0};

inline std::uint32_t fork_depth() noexcept {
  return forks.load(std::memory_order_relaxed);  // relaxed: changes while the process has one thread
}

/// A thread's identity: shared by its handles and by the thread itself while it lives. Thread-safe.
class Identity : public Object {
 public:
  Identity(trace::Origin origin, std::string name, bool daemon, trace::ThreadNumber creator);
  virtual ~Identity() = default;

  /// Called by the thread itself as the last thing, after its thread_local objects are gone.
  virtual void on_ended() {}
  /// In the child of a fork: this thread stayed behind in the parent.
  virtual void on_forked_away() {}
  /// In the child of a fork: this is the thread that forked, and the main thread from now on.
  virtual void on_became_main() {}

  /// Lets all joiners go on.
  void mark_ended();

  trace::ThreadNumber thread_number() const { return static_cast<trace::ThreadNumber>(known_number()); }
  trace::Origin origin() const { return origin_.load(std::memory_order_relaxed); }  // relaxed: changed by a fork alone
  trace::ThreadNumber creator() const { return creator_; }

  std::string name() const;
  void rename(std::string name);

  bool daemon() const { return daemon_.load(std::memory_order_relaxed); }  // relaxed: fixed before the thread starts
  void set_daemon(bool daemon) { daemon_.store(daemon, std::memory_order_relaxed); }  // relaxed: as above

  /// The kernel's id; 0 before the thread has begun.
  std::uint32_t native_id() const { return native_id_.load(std::memory_order_relaxed); }  // relaxed: a mere number

  /// The next number in the sequence of the thread's Records; each call takes one.
  trace::Sequence next_sequence() { return sequence_.fetch_add(1, std::memory_order_relaxed) + 1; }  // relaxed: a count
  trace::Sequence last_sequence() const { return sequence_.load(std::memory_order_relaxed); }        // relaxed: a count

  /// Changes from 0 to 1 when the thread has ended; joiners park on it.
  os::Word ended{0};
  /// Joiners that may be parked; whoever ends wakes them only then.
  os::Word joiners{0};

  /// How it ended, for its last Record. Set by the thread itself.
  trace::Outcome outcome = trace::Outcome::returned;

 private:
  friend class Registry;
  std::atomic<trace::Origin> origin_;
  const trace::ThreadNumber creator_;
  std::atomic<bool> daemon_;
  std::atomic<std::uint32_t> native_id_{0};
  std::atomic<trace::Sequence> sequence_{0};
  std::string name_;  ///< under the mutex of all names
};

/// All threads alive that have an identity, by number.
class Registry {
 public:
  static void add(std::shared_ptr<Identity> identity);
  static void remove(const Identity& identity);
  /// Also one that stayed behind in the parent of a fork.
  static std::shared_ptr<Identity> find(trace::ThreadNumber number);
  static std::vector<std::shared_ptr<Identity>> all();
  /// So that the child of a fork finds nothing locked by a thread that it does not have.
  static void lock_for_fork();
  static void unlock_after_fork();
  /// In the child: all but the calling thread have ended, and it is the main thread.
  static void forget_others_after_fork();
  static bool is_left_behind(trace::ThreadNumber number);
  /// Notes which kernel thread runs this identity; the thread itself calls it.
  static void set_native_id(Identity& identity);
};

/// Did this thread stay behind in the parent of a fork? What it holds is held for ever.
inline bool is_left_behind(trace::ThreadNumber number) {
  return fork_depth() != 0 && Registry::is_left_behind(number);
}

/// "Thread-1", "Thread-2", ... as Python counts them; `target` gives "Thread-3 (target)" where known.
std::string next_thread_name();
/// "Dummy-1", ... for threads that spool did not start.
std::string next_dummy_name();

/// The calling thread's identity; made now for a thread that spool did not start. Thread-safe.
std::shared_ptr<Identity> current_identity();
std::shared_ptr<Identity> main_identity();

}  // namespace spool::log
