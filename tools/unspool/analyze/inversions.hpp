// SPDX-License-Identifier: MIT
//
// Question: which locks were asked for in orders that could deadlock, though this run did not? Owns what is a finding
// and how grave; links.hpp collects who asked for what, inversion_search.hpp finds the cycles.
//
// Only of a recording in mode `all` from its begin on: elsewhere it is not known what was held.
#pragma once

#include <unspool/analyze/filter.hpp>
#include <unspool/analyze/inversion_search.hpp>
#include <unspool/analyze/links.hpp>
#include <unspool/analyze/misuse.hpp>
#include <unspool/analyze/waiting.hpp>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace unspool {

enum class Danger : std::uint8_t {
  inversion,        ///< each asks for a lock that the next one holds
  read_again,       ///< a reader asks again, and a writer may come in between
  join_under_lock,  ///< a thread is joined with a lock held that it asks for
  task_under_lock,  ///< a task's result is waited for with a lock held that the task asks for
};
std::string_view name_of(Danger danger);

/// Why it is not sure.
struct Doubt {
  bool few_threads = false;  ///< fewer threads than links were seen
  bool signal = false;       ///< one of the locks was released by another thread than its owner
  bool records_missing = false;
  bool clocks_missing = false;  ///< of a thread is not known what comes before what
};

struct Inversion {
  Danger danger = Danger::inversion;
  LinkCycle cycle;     ///< of read_again one link
  JoinUnderLock join;  ///< of join_under_lock and task_under_lock
  Certainty certainty = Certainty::likely;
  Severity severity = Severity::warning;
  Doubt doubt;
  bool happened = false;  ///< all who take part wait for each other at the end
  bool limited = false;   ///< one of the waits would have given up
  std::uint64_t fingerprint = 0;

  bool is_join() const { return danger == Danger::join_under_lock || danger == Danger::task_under_lock; }
};

class Inversions : public Observer {
 public:
  explicit Inversions(const Process& process) : process_{process}, links_{process} {}

  void began(const Replay& replay) override { links_.began(replay); }
  bool hears(const trace::Row& row) const override { return Links::hears(row); }
  void record(const Record& record) override { links_.record(record); }
  void acquired(const ObjectState& object, const Record& record, trace::Ticks, bool waited) override {
    links_.acquired(object, record, waited);
  }
  void held_plainly(HoldsOfObjects holds) override {
    for (const auto& [object, hold] : holds)
      links_.held_plainly(*object, *hold);
  }
  void waited(const ObjectState*, const Wait& wait) override { links_.waited(wait); }
  void failed(const ObjectState*, const Record& record) override { links_.failed(record); }
  void released_by_other(const ObjectState& object, const Record&) override { links_.released_by_other(object); }
  void destroyed(const ObjectState& object) override { links_.destroyed(object); }
  void finished(const Replay& replay) override;

  /// The gravest first, of those the shortest. After the replay.
  const std::vector<Inversion>& all() const { return all_; }
  /// False: the recording does not tell what was held.
  bool is_known() const { return known_; }
  /// Takes the chosen ones out, and says how many.
  std::size_t leave_out(const std::function<bool(const Inversion&)>& chosen) { return std::erase_if(all_, chosen); }
  /// One of its threads passes, and asks for or holds an object that does.
  bool concerns(const Inversion& inversion, const Filter& filter) const;
  /// One of them is more than a note.
  bool any_findings() const;
  /// As Links has it.
  std::span<const HeldSince> held_by(trace::ThreadNumber thread) const { return links_.held_by(thread); }
  /// How many pairs of locks were seen one inside the other.
  std::size_t links() const { return links_.all().size(); }
  std::uint64_t left_out() const { return links_.left_out(); }
  std::uint64_t threads_without_clock() const { return links_.threads_without_clock(); }
  bool is_search_cut() const { return cut_; }

 private:
  void add(Inversion inversion);
  void add_cycle(LinkCycle cycle);
  void add_reads_again();
  std::uint64_t times_of(const LinkKey& key, trace::ThreadNumber thread) const;
  void add_join(const JoinUnderLock& join);
  std::uint64_t fingerprint(const Inversion& inversion) const;
  std::uint64_t fingerprint(const LinkKey& link) const;

  const Process& process_;
  Links links_;
  std::vector<Inversion> all_;
  bool known_ = true;
  bool records_missing_ = false;
  bool cut_ = false;
};

}  // namespace unspool
