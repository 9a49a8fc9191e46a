// SPDX-License-Identifier: MIT
//
// The locks of several processes as if they were one's: rows of the same kind, name and creation site are put together,
// in nanoseconds. Owns what is the same in two processes; locks.hpp owns the figures.
#pragma once

#include <unspool/analyze/locks.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace unspool {

/// Numbers of its own for sites of several processes: the same file, line and function are one. Thread-bound.
class MergedSites {
 public:
  /// The sites go into `merged`, which outlives it.
  explicit MergedSites(Process& merged) : merged_{merged} {}
  /// 0 where the process does not define it.
  trace::SiteNumber number(const Process& process, trace::SiteNumber site);

 private:
  Process& merged_;
  std::map<std::tuple<std::string, std::uint32_t, std::string>, trace::SiteNumber> numbers_;
};

/// Thread-bound.
class MergedLocks {
 public:
  explicit MergedLocks(MergedSites& sites) : sites_{sites} {}

  /// The figures of one process. Threads in them become `as`, a thread that stands for the whole process.
  void add(const Process& process, trace::ThreadNumber as, const std::vector<LockFigures>& figures);

  struct Row {
    LockFigures figures;
    std::vector<trace::ThreadNumber> processes;  ///< as given
  };
  /// What hurts most first.
  std::vector<Row> rows() const;
  /// Locks that have neither a name nor a creation site, by which they could be found again in another process.
  std::uint64_t left_out() const { return left_out_; }

 private:
  LockFigures converted(const Process& process, trace::ThreadNumber as, const LockFigures& from);
  Tally converted(const Process& process, trace::ThreadNumber as, const Tally& from, double factor);

  using Key = std::tuple<trace::Kind, std::string, bool, trace::SiteNumber>;

  MergedSites& sites_;
  std::map<Key, Row> rows_;
  std::uint64_t left_out_ = 0;
};

}  // namespace unspool
