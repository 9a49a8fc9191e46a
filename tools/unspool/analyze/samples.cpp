// SPDX-License-Identifier: MIT
#include <unspool/analyze/samples.hpp>

#include <algorithm>
#include <cmath>

namespace unspool {
std::uint64_t Samples::middle_of(std::size_t bucket) {
  if (bucket < 2 * parts) return bucket;
  const auto shift = static_cast<unsigned>(bucket / parts) - 1;
  const std::uint64_t lowest = (bucket - shift * parts) << shift;
  return lowest + ((std::uint64_t{1} << shift) >> 1U);
}

trace::Ticks scaled_span(trace::Ticks ticks, double factor) {
  const double value = static_cast<double>(ticks) * factor + 0.5;
  return value >= 1.8e19 ? ~trace::Ticks{0} : static_cast<trace::Ticks>(value);
}

double Samples::mean() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

void Samples::add(trace::Ticks value, std::uint64_t times) {
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  count_ += times;
  sum_ = add_saturated(sum_, value);
  if (buckets_.empty() && exact_.size() < most_exact) {
    sorted_ = false;
    exact_.push_back(value);
    return;
  }
  put(value, times);
}

/// Into the histogram; the exact ones go there first.
void Samples::put(trace::Ticks value, std::uint64_t times) {
  const auto count = [this](trace::Ticks each, std::uint64_t n) {
    const std::size_t bucket = bucket_of(each);
    if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
    buckets_[bucket] += n;
  };
  for (const trace::Ticks each : exact_)
    count(each, 1);
  exact_ = {};
  count(value, times);
}

void Samples::merge(const Samples& other) {
  if (other.count_ == 0) return;
  if (other.buckets_.empty()) {
    for (const trace::Ticks each : other.exact_)
      add(each);
    return;
  }
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  sum_ = add_saturated(sum_, other.sum_);
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) {
    if (other.buckets_[i] != 0) put(middle_of(i), other.buckets_[i]);
  }
}

Samples Samples::scaled(double factor) const {
  const auto times = [&](trace::Ticks value) { return scaled_span(value, factor); };
  if (factor == 1) return *this;
  Samples out;
  if (buckets_.empty()) {
    for (const trace::Ticks each : exact_)
      out.add(times(each));
    return out;
  }
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] != 0) out.put(times(middle_of(i)), buckets_[i]);
  }
  out.count_ = count_;
  out.sum_ = times(sum_);
  out.min_ = times(min_);
  out.max_ = times(max_);
  return out;
}

trace::Ticks Samples::percentile(double fraction) const {
  if (count_ == 0) return 0;
  const auto wanted = static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(count_)));
  const std::uint64_t rank = std::clamp<std::uint64_t>(wanted, 1, count_);
  if (buckets_.empty()) {
    if (!sorted_) std::ranges::sort(exact_);
    sorted_ = true;
    return exact_[rank - 1];
  }
  if (rank == count_) return max_;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    below += buckets_[i];
    if (below >= rank) return std::clamp(middle_of(i), min_, max_);
  }
  return max_;
}

}  // namespace unspool
