// SPDX-License-Identifier: MIT
//
// Who did what to an object last: when a waker let go on whoever waited, which its own Record tells and the waiter's
// does not. Owns the last few of each object that nobody holds.
#pragma once

#include <unspool/model/model.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <unordered_map>

namespace unspool {

class LastDeeds {
 public:
  struct Deed {
    trace::ThreadNumber thread = 0;
    trace::Ticks time = 0;
    trace::SiteNumber site = 0;
  };

  /// Whether Records of this row count.
  static bool hears(const trace::Row& row) {
    using trace::Kind;
    const bool deed = row.kind != Kind::message && row.kind != Kind::definition && row.kind != Kind::trace &&
                      row.kind != Kind::status && row.effect != trace::Effect::wait;
    return deed && !can_be_held(row.kind);
  }

  /// Requires: hears(*record.row).
  void note(const Record& record) {
    Deeds& deeds = deeds_[record.object];
    deeds.last[deeds.next] = {record.thread, record.time, record.site};
    deeds.next = (deeds.next + 1) % deeds.last.size();
  }
  void destroyed(trace::ObjectNumber object) { deeds_.erase(object); }

  /// The last one of `thread` within these times; its time is 0 where none is known.
  Deed of(trace::ObjectNumber object, trace::ThreadNumber thread, trace::Ticks since, trace::Ticks until) const {
    Deed latest;
    const auto found = deeds_.find(object);
    if (found == deeds_.end()) return latest;
    for (const Deed& each : found->second.last) {
      const bool fits = each.thread == thread && each.time >= since && each.time <= until;
      if (fits && each.time >= latest.time) latest = each;
    }
    return latest;
  }

 private:
  struct Deeds {
    std::array<Deed, 8> last;
    std::size_t next = 0;
  };
  std::unordered_map<trace::ObjectNumber, Deeds> deeds_;
};

}  // namespace unspool
