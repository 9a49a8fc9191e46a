// SPDX-License-Identifier: MIT
//
// Question: whose doing was the waiting in the end? A waits for B, which waits for C, which runs: the time is C's.
// Owns the division of waits along the chains of waits; over all chains it sums to exactly these waits' time.
//
// Of what somebody holds (locks, and joins) it is known at each moment for whom its waiters wait. Of a signal (a
// condition, an event, a semaphore, a barrier, a queue, a pool) it is known only once somebody has given it: then all
// that this thread waited for since the wait's begin counts as waited for by the waiter too, and the rest is what that
// thread ran. Signal waits that nobody ended by the last Record are left out; of a Condition's wait the one for its
// lock is a wait of its own.
#pragma once

#include <unspool/analyze/filter.hpp>
#include <unspool/analyze/last_deeds.hpp>
#include <unspool/analyze/tally.hpp>
#include <unspool/analyze/trails.hpp>
#include <unspool/replay/observer.hpp>

#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace unspool {

/// One step of a chain. The first is a thread that waits, the last is what all before it waited for.
struct BlameStep {
  enum class Role : std::uint8_t {
    waits,      ///< `thread` waits at `site` for `object`; a step follows
    runs,       ///< `thread` holds what the step before waits for, taken at `site`, and waits for nothing
    gives,      ///< `thread` runs, and lets the step before go on at `site`
    signal,     ///< `thread` holds it, and waits at `site` for `object`, a signal that nobody gives
    limit,      ///< nobody gave it, and the time was over
    woken,      ///< somebody has given it, and who waited does not run yet
    ended,      ///< `thread` has ended
    hand_over,  ///< released and not yet acquired again
    readers,    ///< several readers, of which none waits
    cycle,      ///< `thread` is in the chain already
    unknown,    ///< the Records do not say
    rest,       ///< chains past the number that is kept apart
  };
  Role role = Role::unknown;
  trace::ThreadNumber thread = 0;
  trace::SiteNumber site = 0;
  trace::ObjectNumber object = 0;  ///< one of its class
  trace::Kind kind = trace::Kind::trace;
  auto operator<=>(const BlameStep&) const = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads <=>
};
std::string_view name_of(BlameStep::Role role);

class Blame : public Observer {
 public:
  static constexpr std::size_t most_nodes = 1U << 16U;
  /// A longer chain is cut: its last thread counts as unknown.
  static constexpr std::size_t most_steps = 64;

  /// Node 0 is the root and no step.
  struct Node {
    BlameStep step;
    std::size_t parent = 0;
    trace::Ticks ticks = 0;  ///< of the chains that end here
  };

  enum class Effort {
    all,     ///< whatever it takes: each change of a lock's holder costs time for each thread that waits then
    little,  ///< gives up where that would be much beside reading the Records
  };

  /// The filter restricts the waits that are divided, by who waits and for what; their chains are whole.
  explicit Blame(const Process& process, Filter filter = {}, Effort effort = Effort::all)
      : process_{process}, filter_{std::move(filter)}, effort_{effort}, nodes_(1) {}

  void began(const Replay& replay) override { replay_ = &replay; }
  bool hears(const trace::Row& row) const override;
  void record(const Record& record) override;
  void waited(const ObjectState* object, const Wait& wait) override;
  /// Nobody waits for them, so that they are in no chain.
  using NeedsNoPlainHolds = void;
  void destroyed(const ObjectState& object) override { deeds_.destroyed(object.number); }

  /// A parent stands before its children. After the replay.
  const std::vector<Node>& nodes() const { return nodes_; }
  /// Nothing is known then: so much was waited that a little effort is not enough.
  bool has_given_up() const { return given_up_; }
  /// Of waits for locks and joins.
  trace::Ticks total() const { return total_; }
  /// Of waits for signals that ended.
  trace::Ticks signal_total() const { return signal_total_; }

 protected:
  /// A wait has been divided: the time on each chain, by its last node. They sum to the wait, of a Condition without
  /// the wait for its lock.
  virtual void divided(const Wait& /*wait*/, const ChainParts& /*parts*/) {}

 private:
  using Child = std::pair<std::size_t, BlameStep>;  ///< a step, and its parent's node
  struct ChildHash {
    std::size_t operator()(const Child& child) const;
  };
  struct Open {
    trace::Ticks until = 0;  ///< divided up to here
    std::size_t node = 0;    ///< whose the time is now
    trace::Ticks turns = 0;  ///< from then on it is `turned`'s; 0: it stays
    std::size_t turned = 0;
    bool stale = true;
    bool reads = false;  ///< of a SharedLock
    std::vector<BlameStep> chain;
    std::vector<trace::ObjectNumber> objects;  ///< that its steps wait for
    ChainParts parts;
    ChainParts settled;  ///< parts that no signal changes any more
  };
  /// The wait for its lock within a Condition's.
  struct Inner {
    trace::Ticks since = 0;
    trace::Ticks until = 0;
  };
  /// How many chains have a thread or an object, by the last bits of its number: of most Records that is nobody.
  class Watch {
   public:
    void add(std::uint64_t number) { ++counts_[number % size]; }
    void remove(std::uint64_t number) { --counts_[number % size]; }
    bool has(std::uint64_t number) const { return counts_[number % size] != 0; }

   private:
    static constexpr std::size_t size = 1U << 12U;
    std::vector<std::uint32_t> counts_ = std::vector<std::uint32_t>(size);
  };

  static bool covers(const Wait& wait);
  bool is_of_thread(const Record& record) const;
  void touch(const Record& record, bool of_thread);
  void work(std::uint64_t looks);
  bool foresees_too_much() const;
  void refresh();
  void find_chain(trace::ThreadNumber thread, Open& open);
  void watch(const Open& open);
  void unwatch(const Open& open);
  const Wait* writer_before(const Wait& wait) const;
  BlameStep next_step(const Wait& wait) const;
  const Wait* wait_of(trace::ThreadNumber thread) const;
  trace::Ticks end_of_hold(const Open& open, const Wait& wait) const;
  bool turn_to_unseen(Open& open, const Record& record);
  static void charge(Open& open, trace::Ticks until);
  void owned(const Wait& wait);
  void signalled(const Wait& wait);
  ChainParts divide_signal(const Wait& wait, const Inner& inner);
  void settle(const Wait& wait, const ChainParts& parts);
  void count(const Wait& wait, const ChainParts& parts, trace::Ticks& total);
  std::size_t node_of(const std::vector<BlameStep>& chain);
  BlameStep rest_of(std::size_t parent, const BlameStep& step) const;
  std::size_t graft(std::size_t node, std::size_t below);
  std::size_t child(std::size_t parent, const BlameStep& step);
  trace::ObjectNumber class_of(trace::ObjectNumber object, trace::Kind kind);

  const Process& process_;
  const Filter filter_;
  const Effort effort_;
  const Replay* replay_ = nullptr;
  bool given_up_ = false;
  std::uint64_t work_ = 0;  ///< looks at an open wait
  std::unordered_map<trace::ThreadNumber, Open> open_;
  std::unordered_map<trace::ThreadNumber, Inner> inner_;
  Watch objects_;
  Watch threads_;
  std::size_t reader_chains_ = 0;   ///< that end at several readers
  trace::ThreadNumber begins_ = 0;  ///< the thread whose last Record may have begun a wait
  bool any_stale_ = false;
  bool begins_to_read_ = false;  ///< that wait
  LastDeeds deeds_;
  Trails trails_;
  std::vector<Node> nodes_;
  std::unordered_map<Child, std::size_t, ChildHash> children_;
  std::map<std::tuple<trace::Kind, trace::SiteNumber, std::string>, trace::ObjectNumber> classes_;
  trace::Ticks total_ = 0;
  trace::Ticks signal_total_ = 0;
};

}  // namespace unspool
