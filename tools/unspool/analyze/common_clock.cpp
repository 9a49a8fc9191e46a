// SPDX-License-Identifier: MIT
#include <unspool/analyze/common_clock.hpp>
#include <unspool/analyze/samples.hpp>

#include <algorithm>
#include <limits>

namespace unspool {
namespace {

constexpr long double billion = 1e9L;
constexpr std::uint64_t highest = std::numeric_limits<std::uint64_t>::max();

std::uint64_t in_nanoseconds(trace::Ticks ticks, std::uint64_t frequency) {
  const long double ns = static_cast<long double>(ticks) * billion / static_cast<long double>(frequency);
  return ns >= 1.8e19L ? highest : static_cast<std::uint64_t>(ns);
}

/// Tick 0 as the metadata have it, for processes without a reading.
std::uint64_t epoch_of(const Process& process, std::uint64_t frequency) {
  const auto seconds = static_cast<std::uint64_t>(std::clamp<std::int64_t>(process.epoch_seconds, 0, 9'000'000'000));
  return seconds * 1'000'000'000 + in_nanoseconds(process.epoch_ticks % frequency, frequency);
}

}  // namespace

/// From the reading before it: a step of the clock is followed.
std::uint64_t CommonClock::Line::at(trace::Ticks ticks) const {
  if (points.empty()) return 0;
  auto point = std::ranges::upper_bound(points, ticks, {}, &Point::ticks);
  if (point != points.begin()) --point;
  if (ticks >= point->ticks) return add_saturated(point->time, in_nanoseconds(ticks - point->ticks, frequency));
  return point->time - std::min(point->time, in_nanoseconds(point->ticks - ticks, frequency));
}

/// How far a time before a reading can be off: as far as the line from the last reading misses this one.
std::uint64_t CommonClock::Line::worst() const {
  std::uint64_t worst = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const Point& last = points[i - 1];
    const std::uint64_t due = add_saturated(last.time, in_nanoseconds(points[i].ticks - last.ticks, frequency));
    worst = std::max(worst, due > points[i].time ? due - points[i].time : points[i].time - due);
  }
  return worst;
}

CommonClock::CommonClock(std::span<const Process* const> processes) {
  choose(processes);
  std::vector<std::uint64_t> worst;
  for (const Process* const process : processes) {
    Line line;
    line.frequency = std::max<std::uint64_t>(process->frequency, 1);
    for (const ClockReading& each : process->clocks) {
      const std::uint64_t time = by_ == By::monotonic ? each.monotonic : each.realtime;
      if (time != 0) line.points.push_back({each.ticks, time});
    }
    std::ranges::stable_sort(line.points, {}, &Point::ticks);
    if (line.points.empty() && by_ == By::wall) line.points.push_back({0, epoch_of(*process, line.frequency)});
    worst.push_back(line.worst());
    lines_.push_back(std::move(line));
  }
  // Two processes are off by both of their errors at most.
  std::ranges::sort(worst, std::greater<>{});
  for (std::size_t i = 0; i < std::min<std::size_t>(worst.size(), 2); ++i)
    seen_ = add_saturated(seen_, worst[i]);
}

void CommonClock::choose(std::span<const Process* const> processes) {
  std::set<std::string> boots;
  bool monotonic = true;
  bool wall = true;
  for (const Process* const process : processes) {
    hosts_.insert(process->hostname);
    boots.insert(process->boot);
    monotonic &= std::ranges::any_of(process->clocks, [](const ClockReading& each) { return each.monotonic != 0; });
    wall &= process->epoch_seconds > 0 ||
            std::ranges::any_of(process->clocks, [](const ClockReading& each) { return each.realtime != 0; });
  }
  boots_known_ = !boots.contains("");
  const bool one_boot = boots_known_ && boots.size() == 1;
  one_machine_ = one_boot;  // a host's name is no proof: many are "localhost"
  by_ = one_boot && monotonic ? By::monotonic : wall ? By::wall : By::none;
}

std::uint64_t CommonClock::time(std::size_t process, trace::Ticks ticks) const {
  return process < lines_.size() ? lines_[process].at(ticks) : 0;
}

std::optional<std::uint64_t> CommonClock::uncertainty() const {
  if (by_ == By::none || !one_machine_) return std::nullopt;
  return seen_;
}

}  // namespace unspool
