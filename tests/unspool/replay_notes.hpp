// SPDX-License-Identifier: MIT
//
// All that replay tells about a script, kept to be looked at.
#pragma once

#include <unspool/replay_script.hpp>

#include <array>

namespace unspool::test {

/// Keeps all that replay tells.
class Notes : public Observer {
 public:
  std::vector<Wait> waits;
  std::vector<Hold> holds;
  std::uint64_t acquired_plain = 0;
  std::uint64_t acquired_after_wait = 0;
  std::uint64_t tries_failed = 0;
  std::uint64_t missing_records = 0;
  std::uint64_t freed = 0;

  void acquired(const ObjectState&, const Record&, trace::Ticks, bool after_wait) override {
    ++(after_wait ? acquired_after_wait : acquired_plain);
  }
  void held(const ObjectState&, const Hold& hold) override { holds.push_back(hold); }
  void waited(const ObjectState*, const Wait& wait) override { waits.push_back(wait); }
  void failed(const ObjectState*, const Record&) override { ++tries_failed; }
  void missing(const Record&, std::uint64_t records) override { missing_records += records; }
  void destroyed(const ObjectState&) override { ++freed; }
};

struct Run {
  Notes notes;
  Replay replay;

  explicit Run(const Script& script) : replay{script.process, Audience{notes}} {
    ListSource source{script.records};
    replay.run(source);
  }
};

inline trace::Ticks share_of(const Wait& wait, const Holder& holder) {
  for (const Share& share : wait.shares) {
    if (share.holder == holder) return share.ticks;
  }
  return 0;
}
inline Holder held_by(trace::ThreadNumber thread, trace::SiteNumber site) {
  return {Holder::Tenant::thread, thread, site};
}
inline constexpr Holder hand_over{Holder::Tenant::nobody, 0, 0};
inline constexpr Holder unknown{};

inline trace::Ticks sum(const Wait& wait) {
  trace::Ticks ticks = 0;
  for (const Share& share : wait.shares)
    ticks += share.ticks;
  return ticks;
}

}  // namespace unspool::test
