// SPDX-License-Identifier: MIT
//
// Question: what do threads do while they hold a lock? Owns, for each class of locks and each line that took one, what
// was waited for and which messages were logged until it was released: what makes a hold long that need not be.
//
// Known where every acquire and release is recorded (mode `all`).
#pragma once

#include <unspool/analyze/filter.hpp>
#include <unspool/analyze/inversions.hpp>
#include <unspool/replay/observer.hpp>

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace unspool {

/// What was done at one line under locks taken at another.
struct InsideDeed {
  trace::SiteNumber hold_site = 0;        ///< where the lock was taken
  trace::Kind kind = trace::Kind::trace;  ///< of what was waited for; `message`: nothing was, something was logged
  trace::SiteNumber site = 0;
  trace::ObjectNumber object = 0;  ///< the one of the longest wait
  trace::ThreadNumber thread = 0;  ///< as `object`
  std::uint64_t count = 0;
  trace::Ticks ticks = 0;
  trace::Ticks longest = 0;
  std::uint64_t hindered = 0;  ///< of `count`: others waited for the lock by the end of it
  trace::Ticks hindering = 0;  ///< of `ticks`: those waits' length
};

class Inside : public Observer {
 public:
  static constexpr std::size_t most_deeds = 1U << 14U;

  /// `inversions` hears of each Record before this, and knows who holds what.
  Inside(const Process& process, const Filter& filter, const Inversions& inversions)
      : process_{process}, filter_{filter}, inversions_{inversions} {}

  void began(const Replay& replay) override { replay_ = &replay; }
  bool hears(const trace::Row& row) const override { return row.kind == trace::Kind::message; }
  void record(const Record& record) override;
  void waited(const ObjectState* object, const Wait& wait) override;

  /// Under locks of this class (kind, creation site and name), the most time first. After the replay.
  std::vector<InsideDeed> of(trace::Kind kind, trace::SiteNumber site, const std::string& name) const;
  /// Waits and messages that were not kept apart.
  std::uint64_t left_out() const { return left_out_; }

 private:
  using Class = std::tuple<trace::Kind, trace::SiteNumber, std::string>;
  struct Key {
    trace::SiteNumber hold_site = 0;
    trace::Kind kind = trace::Kind::trace;
    trace::SiteNumber site = 0;
    auto operator<=>(const Key&) const = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads <=>
  };

  InsideDeed* deed(trace::ObjectNumber lock, const Key& key);
  bool is_waited_for(trace::ObjectNumber lock) const;

  const Process& process_;
  const Filter& filter_;
  const Inversions& inversions_;
  const Replay* replay_ = nullptr;
  std::map<Class, std::map<Key, InsideDeed>> classes_;
  std::size_t deeds_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace unspool
