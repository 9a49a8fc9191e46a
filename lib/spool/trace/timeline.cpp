// SPDX-License-Identifier: MIT
#include <spool/trace/timeline.hpp>

#include <algorithm>
#include <limits>

namespace spool::trace {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t billion = 1'000'000'000;
constexpr std::uint64_t catch_up = 10 * billion;  ///< ns until the line meets the clock again
constexpr unsigned fraction_bits = 48;
constexpr std::int64_t most_ppm = 500;
constexpr std::int64_t most_seconds = 9'000'000'000;
constexpr std::uint64_t highest = std::numeric_limits<std::uint64_t>::max();

std::uint64_t narrow(Wide value) {
  return value > highest ? highest : static_cast<std::uint64_t>(value);
}

std::uint64_t scaled(Ticks ticks, std::uint64_t slope) {
  return narrow(Wide{ticks} * slope >> fraction_bits);
}

}  // namespace

void Timeline::begin(std::uint64_t frequency, std::int64_t epoch_seconds, std::uint64_t epoch_ticks,
                     std::uint64_t monotonic_zero) {
  frequency = std::max<std::uint64_t>(1, frequency);
  nominal_ = std::max<std::uint64_t>(1, narrow((Wide{billion} << fraction_bits) / frequency));
  const auto seconds = static_cast<std::uint64_t>(std::clamp<std::int64_t>(epoch_seconds, 0, most_seconds));
  pieces_.assign(1, {0, seconds * billion + narrow(Wide{epoch_ticks % frequency} * billion / frequency), nominal_});
  zero_ = monotonic_zero;
  has_reading_ = false;
}

void Timeline::read(Ticks ticks, std::uint64_t monotonic) {
  if (pieces_.empty() || ticks < pieces_.back().ticks) return;
  if (!has_reading_) {
    has_reading_ = true;
    first_monotonic_ = monotonic;
    first_realtime_ = zero_ != 0 ? zero_ + monotonic : realtime(ticks);
    return;
  }
  if (ticks == pieces_.back().ticks) return;
  const std::uint64_t passed = monotonic - std::min(monotonic, first_monotonic_);
  const auto behind = static_cast<std::int64_t>(first_realtime_ + passed - realtime(ticks));
  const std::int64_t most = static_cast<std::int64_t>(catch_up / 1'000'000) * most_ppm;
  const Wide wanted = catch_up + static_cast<std::uint64_t>(std::clamp(behind, -most, most));
  add(ticks, std::max<std::uint64_t>(1, narrow(Wide{nominal_} * wanted / catch_up)));
}

void Timeline::add(Ticks ticks, std::uint64_t slope) {
  const std::uint64_t here = realtime(ticks);
  pieces_.push_back({ticks, here, slope});
}

std::uint64_t Timeline::realtime(Ticks ticks) const {
  if (pieces_.empty()) return 0;
  auto piece = pieces_.end() - 1;
  if (piece->ticks > ticks) {
    piece = std::ranges::upper_bound(pieces_, ticks, {}, &Piece::ticks);
    if (piece != pieces_.begin()) --piece;
  }
  if (ticks < piece->ticks)
    return piece->realtime - std::min(piece->realtime, scaled(piece->ticks - ticks, piece->slope));
  const std::uint64_t ahead = scaled(ticks - piece->ticks, piece->slope);
  return ahead > highest - piece->realtime ? highest : piece->realtime + ahead;
}

std::uint64_t Timeline::span(Ticks ticks) const {
  return scaled(ticks, pieces_.empty() ? 0 : nominal_);
}

Ticks Timeline::ticks_in(std::uint64_t nanoseconds) const {
  return narrow((Wide{nanoseconds} << fraction_bits) / std::max<std::uint64_t>(1, nominal_));
}

void Timeline::keep_newest(std::size_t count) {
  if (pieces_.size() > 2 * count) pieces_.erase(pieces_.begin(), pieces_.end() - static_cast<std::ptrdiff_t>(count));
}

}  // namespace spool::trace
