// SPDX-License-Identifier: MIT
//
// Question: who joined whom, from where, how long did it wait, and how did it end?
#pragma once

#include <unspool/analyze/filter.hpp>
#include <unspool/analyze/samples.hpp>
#include <unspool/replay/observer.hpp>

#include <vector>

namespace unspool {

struct Join {
  enum class Target : std::uint8_t { running, returned, exception };
  trace::ThreadNumber joiner = 0;
  trace::ThreadNumber target = 0;
  trace::SiteNumber site = 0;
  trace::Ticks since = 0;
  trace::Ticks waited = 0;
  Ending ending = Ending::continued;
  Target ended = Target::running;  ///< as of the end of the trace
};

class Joins : public Observer {
 public:
  /// Joins that are kept one by one: those that waited longest. The totals know them all.
  static constexpr std::size_t most = 1000;

  struct Totals {
    std::uint64_t joined = 0;
    std::uint64_t at_once = 0;  ///< of `joined`: the thread had ended already
    std::uint64_t timeouts = 0;
    std::uint64_t cancels = 0;
    std::uint64_t unended = 0;
    std::uint64_t lost = 0;  ///< the Record that ended it is missing; not among the joins
    trace::Ticks waited = 0;

    std::uint64_t all() const { return joined + timeouts + cancels + unended; }
  };

  explicit Joins(const Filter& filter) : filter_{filter} {}

  void waited(const ObjectState* object, const Wait& wait) override;
  void failed(const ObjectState* object, const Record& record) override;
  void passed(const ObjectState* object, const Record& record) override;
  void finished(const Replay& replay) override;

  const Totals& totals() const { return totals_; }
  /// The longest first, at most `most`. After the replay.
  const std::vector<Join>& longest() const { return joins_; }

 private:
  void keep(const Join& join);
  bool passes(const Record& record) const;

  const Filter& filter_;
  Totals totals_;
  std::vector<Join> joins_;
};

}  // namespace unspool
