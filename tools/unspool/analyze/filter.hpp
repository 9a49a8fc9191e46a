// SPDX-License-Identifier: MIT
//
// What of a process's Records the figures are about. Replay sees all Records all the same, or holders would be wrong;
// the analyses ask the filter before they count. Owns what a name, a glob or a time means, not what is counted.
//
//   wanted.threads = {"worker-*"};
//   const Filter filter{wanted, process, 0};  if (filter.passes(wait)) figures.add(wait.ticks());
//
// Thread-safe once made, as it never changes.
#pragma once

#include <unspool/read/when.hpp>
#include <unspool/replay/state.hpp>

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace unspool {

/// What was asked for, as given. Of several patterns in one list one has to match, and each list that is not empty.
struct Wanted {
  std::vector<std::string> threads;    ///< a name, a glob (fnmatch), a number, or NAME#NUMBER
  std::vector<std::string> objects;    ///< a name, a glob, a number, FILE:LINE of its creation
  std::vector<std::string> kinds;      ///< a kind of the schema, or a glob
  std::vector<std::string> processes;  ///< a program, PROGRAM-PID, the last part of the path, each also a glob; a pid
  std::optional<When> from;
  std::optional<When> to;
  std::uint64_t min_wait = 0;  ///< nanoseconds
  bool own_waits = false;      ///< a join passes only by who joins

  bool any() const {
    return from || to || min_wait != 0 || !threads.empty() || !objects.empty() || !kinds.empty() || !processes.empty();
  }
  /// From `end` on is from the last Record on.
  bool needs_last() const { return (from && (from->needs_last() || from->is_end())) || (to && to->needs_last()); }
};

class Filter {
 public:
  struct Count {
    std::size_t passing = 0;
    std::size_t all = 0;
  };

  /// Lets everything pass.
  Filter() = default;
  /// Requires: the process's definitions are complete; `last` is its last Record's time where needs_last() says so.
  Filter(const Wanted& wanted, const Process& process, trace::Ticks last);

  /// Whether anything may be left out.
  bool is_on() const { return on_; }
  const Wanted& wanted() const { return wanted_; }

  bool thread(trace::ThreadNumber number) const { return !by_thread_ || threads_.contains(number); }
  /// Requires: of an object without a definition, `kind` is what a Record says.
  bool object(trace::ObjectNumber number, trace::Kind kind) const {
    return (!by_kind_ || kinds_.test(static_cast<std::size_t>(kind))) && (!by_object_ || objects_.contains(number));
  }
  bool time(trace::Ticks time) const { return time >= from_ && time <= to_; }
  /// Some of the span lies within.
  bool span(trace::Ticks since, trace::Ticks until) const { return until >= from_ && since <= to_; }
  /// How much of it.
  trace::Ticks within(trace::Ticks since, trace::Ticks until) const;

  bool passes(const Record& record) const;
  /// A wait counts whole where any of it lies within the times. A join passes by either of its threads, unless
  /// `own_waits`.
  bool passes(const Wait& wait) const;
  /// As a wait; the least length is of waits alone.
  bool passes(const Hold& hold, trace::Kind kind) const;

  /// Of those that are defined; the recorder's own threads are not counted.
  Count threads() const { return thread_count_; }
  Count objects() const { return object_count_; }
  trace::Ticks from() const { return from_; }
  trace::Ticks to() const { return to_; }

 private:
  void choose_threads(const Process& process);
  void choose_objects(const Process& process);
  void choose_kinds();

  Wanted wanted_;
  bool on_ = false;
  bool by_thread_ = false;
  bool by_object_ = false;
  bool by_kind_ = false;
  std::unordered_set<trace::ThreadNumber> threads_;
  std::unordered_set<trace::ObjectNumber> objects_;
  std::bitset<256> kinds_;
  trace::Ticks from_ = 0;
  trace::Ticks to_ = ~trace::Ticks{0};
  trace::Ticks min_wait_ = 0;
  Count thread_count_;
  Count object_count_;
};

/// What the patterns fit, so that it can be asked for under other names.
struct Fitting {
  std::string number;  ///< a pattern for this one alone, within its process
  std::string_view name;
  bool is_thread = false;
};
std::vector<Fitting> fitting_threads(const Wanted& wanted, std::span<const Process* const> processes);
/// Threads too: they can be joined.
std::vector<Fitting> fitting_objects(const Wanted& wanted, std::span<const Process* const> processes);
std::vector<Fitting> fitting_processes(const Wanted& wanted, std::span<const Process* const> processes);

/// Whether the process is asked for.
bool passes(const Wanted& wanted, const Process& process);

/// Empty, or a sentence: a pattern that fits nothing in any of the processes, with the names that are nearest to it.
std::string misfit(const Wanted& wanted, std::span<const Process* const> processes);

}  // namespace unspool
