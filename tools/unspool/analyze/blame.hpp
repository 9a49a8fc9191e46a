// SPDX-License-Identifier: MIT
//
// Question: whose doing was the waiting in the end? A waits for B, which waits for C, which runs: the time is C's.
// Owns the division of waits for what somebody holds (locks, and joins) along the chains of waits; over all chains it
// sums to exactly these waits' time.
#pragma once

#include <unspool/analyze/filter.hpp>
#include <unspool/analyze/tally.hpp>
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
    signal,     ///< `thread` holds it, and waits at `site` for `object`, which nobody holds
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

  /// Node 0 is the root and no step.
  struct Node {
    BlameStep step;
    std::size_t parent = 0;
    trace::Ticks ticks = 0;  ///< of the chains that end here
  };

  /// The filter restricts the waits that are divided, by who waits and for what; their chains are whole.
  explicit Blame(const Process& process, Filter filter = {})
      : process_{process}, filter_{std::move(filter)}, nodes_(1) {}

  void began(const Replay& replay) override { replay_ = &replay; }
  void record(const Record& record) override;
  void waited(const ObjectState* object, const Wait& wait) override;

  /// A parent stands before its children. After the replay.
  const std::vector<Node>& nodes() const { return nodes_; }
  trace::Ticks total() const { return total_; }

 protected:
  /// A wait has been divided: the time on each chain, by its last node. They sum to the wait.
  virtual void divided(const Wait& /*wait*/, const std::vector<std::pair<std::size_t, trace::Ticks>>& /*parts*/) {}

 private:
  struct Open {
    trace::Ticks until = 0;  ///< divided up to here
    std::size_t node = 0;    ///< whose the time is now
    bool stale = true;
    std::vector<BlameStep> chain;
    std::vector<trace::ObjectNumber> objects;  ///< that its steps wait for
    std::vector<std::pair<std::size_t, trace::Ticks>> parts;
  };

  static bool covers(const Wait& wait);
  void refresh();
  void find_chain(trace::ThreadNumber thread, Open& open);
  BlameStep next_step(const Wait& wait) const;
  const Wait* wait_of(trace::ThreadNumber thread) const;
  void charge(Open& open, trace::Ticks until);
  std::size_t node_of(const std::vector<BlameStep>& chain);
  std::size_t child(std::size_t parent, const BlameStep& step);
  trace::ObjectNumber class_of(trace::ObjectNumber object, trace::Kind kind);

  const Process& process_;
  const Filter filter_;
  const Replay* replay_ = nullptr;
  std::unordered_map<trace::ThreadNumber, Open> open_;
  trace::ThreadNumber begins_ = 0;  ///< the thread whose last Record may have begun a wait
  bool any_stale_ = false;
  std::vector<Node> nodes_;
  std::map<std::pair<std::size_t, BlameStep>, std::size_t> children_;
  std::map<std::tuple<trace::Kind, trace::SiteNumber, std::string>, trace::ObjectNumber> classes_;
  trace::Ticks total_ = 0;
};

}  // namespace unspool
