// SPDX-License-Identifier: MIT
//
// What the Records say of each thread's life: its begin, its end, and who joined it. Owns no words for it.
#pragma once

#include <unspool/model/source.hpp>

#include <cstdint>
#include <map>
#include <vector>

namespace unspool {

struct ThreadLife {
  trace::Ticks first = 0;  ///< its own first Record, and
  trace::Ticks last = 0;
  trace::Ticks begun = 0;
  trace::Ticks ended = 0;
  trace::SiteNumber started_at = 0;
  bool has_begun = false;
  bool has_ended = false;
  std::uint32_t outcome = 0;
  std::uint64_t records = 0;
  trace::ThreadNumber creator = 0;
  std::vector<trace::ThreadNumber> joiners;  ///< the first few

  bool returned() const { return outcome == static_cast<std::uint32_t>(trace::Outcome::returned); }
};

/// Passes the Records on, and keeps of them what is about threads.
class ThreadLives final : public RecordSource {
 public:
  ThreadLives(const Process& process, RecordSource& source);
  bool next(Record& record) override;
  const std::map<trace::ThreadNumber, ThreadLife>& lives() const { return lives_; }

 private:
  void saw_transition(const Record& record);

  RecordSource& source_;
  std::map<trace::ThreadNumber, ThreadLife> lives_;
};

}  // namespace unspool
