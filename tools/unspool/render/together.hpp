// SPDX-License-Identifier: MIT
//
// What several processes have in common: their locks by name and creation site, findings that come up in more than one,
// who waits for what, on one clock as far as there is one. Owns what is the same in two processes, and the words for
// it; what a process says alone is each command's.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/analyze/common_clock.hpp>
#include <unspool/analyze/merged_locks.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/json.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace unspool {

/// Thread-bound. Its memory is bounded by the classes of locks, waits and findings, not by Records.
///
///   Together together{"locks", options};
///   together.add(process, analysis, analysis.replay.last_time());  // each, in turn; the analysis can go then
///   text += together.text();
class Together {
 public:
  /// One process.
  struct Member {
    const Process* process = nullptr;
    std::uint64_t records = 0;
    trace::Ticks first = 0;
    trace::Ticks last = 0;
    trace::Ticks moment = 0;  ///< that its state is of
    std::uint64_t threads = 0;
    std::uint64_t waiting = 0;
    std::uint64_t findings = 0;  ///< of the command's sorts
    std::uint64_t lost = 0;
    bool orderly = false;
  };
  /// The same finding, wherever it came up.
  struct Finding {
    std::string_view certainty;
    std::string comment;  ///< of the first
    std::uint64_t count = 0;
    std::set<trace::ThreadNumber> processes;
  };
  /// Threads that wait for the same class of object at the same line.
  struct Waits {
    std::uint64_t threads = 0;
    std::uint64_t longest = 0;  ///< ns
    std::set<trace::ThreadNumber> processes;
  };
  struct WaitKey {
    trace::Kind kind = trace::Kind::trace;
    std::string name;            ///< raw; of a join the thread's
    trace::SiteNumber made = 0;  ///< where the object was created
    trace::SiteNumber site = 0;
    auto operator<=>(const WaitKey&) const = default;  // NOLINT(modernize-use-nullptr)
  };
  struct JoinOf {
    std::uint64_t waited = 0;  ///< ns
    trace::ThreadNumber process = 0;
    std::string joiner;  ///< raw
    std::string target;
    trace::SiteNumber site = 0;
    std::string_view ending;
  };

  /// Commands that have something to say of processes together.
  static bool is_for(std::string_view command);

  Together(std::string_view command, const Options& options) : command_{command}, options_{options} {}

  /// `moment`: of what its open waits are told. Requires: the process outlives it.
  void add(const Process& process, const Analysis& analysis, trace::Ticks moment);

  /// A section of its own. Once, after the last process.
  std::string text();
  Json json();

 private:
  trace::ThreadNumber number() const { return static_cast<trace::ThreadNumber>(members_.size()); }
  void add_findings(const Process& process, const Analysis& analysis, Member& member);
  void add_waits(const Process& process, const Analysis& analysis, trace::Ticks moment);
  void add_joins(const Process& process, const Analysis& analysis);
  void name_members();
  std::vector<const Process*> processes() const;
  /// The first Record of all, on the common clock.
  std::uint64_t start(const CommonClock& clock) const;

  std::string_view command_;
  const Options& options_;
  Process merged_;  ///< its threads stand for the processes; its sites are everyone's
  MergedSites sites_{merged_};
  MergedLocks locks_{sites_};
  std::vector<Member> members_;
  std::map<std::pair<std::string_view, std::uint64_t>, Finding> findings_;
  std::map<WaitKey, Waits> waits_;
  std::vector<JoinOf> joins_;
  std::uint64_t joins_not_kept_ = 0;
  friend class TogetherText;
  friend class TogetherJson;
};

}  // namespace unspool
