// SPDX-License-Identifier: MIT
//
// Many spans of time in little memory: sum and extremes exact, percentiles exact up to some thousands of samples.
#pragma once

#include <spool/trace/ids.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace unspool {

namespace trace = spool::trace;

/// a + b, or the greatest value.
constexpr std::uint64_t add_saturated(std::uint64_t a, std::uint64_t b) {
  return a + b < a ? ~std::uint64_t{0} : a + b;
}

/// Past `most_exact` samples they are kept in a log-linear histogram: each power of two is cut into 128 equal parts,
/// and the middle of a part stands for what fell into it, so that a percentile is off by 1/256 at most. A few tens
/// of kilobytes whatever the count.
class Samples {
 public:
  static constexpr std::size_t most_exact = 4096;

  void add(trace::Ticks value) {
    const std::size_t bucket = bucket_of(value);
    if (bucket >= buckets_.size()) return add(value, 1);
    ++buckets_[bucket];
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
    ++count_;
    sum_ = add_saturated(sum_, value);
  }
  void merge(const Samples& other);
  /// Each sample multiplied: other clocks' ticks in nanoseconds.
  Samples scaled(double factor) const;

  std::uint64_t count() const { return count_; }
  trace::Ticks sum() const { return sum_; }  ///< stays at the greatest value rather than wrap
  trace::Ticks max() const { return max_; }
  double mean() const;

  /// The smallest sample that at least `fraction` of all are not above; 0 when there is none.
  trace::Ticks percentile(double fraction) const;

 private:
  static constexpr unsigned part_bits = 7;
  static constexpr std::uint64_t parts = 1U << part_bits;

  /// Values below 256 have a bucket each; above, the top 8 bits and their position choose it.
  static std::size_t bucket_of(std::uint64_t value) {
    if (value < 2 * parts) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - part_bits - 1;
    return shift * parts + (value >> shift);
  }
  static std::uint64_t middle_of(std::size_t bucket);
  void add(trace::Ticks value, std::uint64_t times);
  void put(trace::Ticks value, std::uint64_t times);

  std::uint64_t count_ = 0;
  trace::Ticks sum_ = 0;
  trace::Ticks min_ = 0;
  trace::Ticks max_ = 0;
  std::vector<std::uint64_t> buckets_;  ///< empty while `exact_` holds them all
  mutable std::vector<trace::Ticks> exact_;
  mutable bool sorted_ = true;
};

/// ticks * factor to the nearest, or the greatest value.
trace::Ticks scaled_span(trace::Ticks ticks, double factor);

}  // namespace unspool
