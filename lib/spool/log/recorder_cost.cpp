// SPDX-License-Identifier: MIT
//
// The recorder's account of itself: what was lost, what was written, and what its own threads spend. The hot path
// counts nothing of it but losses.
#include <spool/log/dispatcher.hpp>
#include <spool/log/keeper.hpp>
#include <spool/log/recorder.hpp>
#include <spool/os/process.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>
#include <utility>

namespace spool::log {
namespace {

constexpr auto cost_interval = std::chrono::seconds{1};

/// A thread that is just ending may be read low.
void raise(std::chrono::nanoseconds& to, std::chrono::nanoseconds now) {
  to = std::max(to, now);
}

}  // namespace

void Recorder::count_loss(Writer& writer, trace::LossReason reason) noexcept {
  ++writer.lost;
  writer.lost_reason = reason;
  add_lost(1);
}

void Recorder::note_no_space() {
  const int why = errno;
  no_space_.store(true, std::memory_order_relaxed);  // relaxed: a hint
  if (!told_no_space_.load(std::memory_order_relaxed)) tell_no_space(std::generic_category().message(why).c_str());
}

/// Once; without the heap, and without a formatter that may throw.
void Recorder::tell_no_space(const char* why) noexcept {
  if (told_no_space_.exchange(true, std::memory_order_relaxed)) return;  // relaxed: whoever comes first
  std::array<char, 1024> line{};
  const char* const place = directory_.empty() ? "memory" : directory_.c_str();
  const int size = std::snprintf(
      line.data(), line.size(),
      "spool: no room for Records in %.512s: %s; they are lost and counted until there is (said once)\n", place, why);
  os::print_error({line.data(), std::min(static_cast<std::size_t>(size), line.size() - 1)});
}

void Recorder::note_no_memory() noexcept {
  tell_no_space("Cannot allocate memory");
}

void Recorder::count_loss_without_writer() noexcept {
  add_lost(1);
  note_no_memory();
}

void Recorder::add_lost(std::uint64_t count) noexcept {
  const std::uint64_t total = lost_.fetch_add(count, std::memory_order_relaxed) + count;  // relaxed: a count
  if (status_) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a mapped file
    auto& header = *reinterpret_cast<trace::StatusHeader*>(status_.data());
    std::atomic_ref{header.lost}.store(total, std::memory_order_relaxed);  // relaxed: a count
  }
}

/// Has a walk count what may be longer than a transition.
void Recorder::mark_mixed(Writer& writer) {
  if (writer.mixed_in != current_->number) return;
  // relaxed: the release of the message's commit comes after it
  std::atomic_ref{Segment::header_at(writer.packet).mixed}.store(1, std::memory_order_relaxed);
}

void Recorder::count_written() {
  struct Part {
    std::shared_ptr<Segment> segment;
    std::size_t chunks = 0;
    bool closed = false;
  };
  std::vector<Part> parts;
  const auto add = [&](const std::shared_ptr<Segment>& segment, bool closed) {
    if (segment != nullptr && !segment->counted_whole) parts.push_back({segment, segment->next_chunk, closed});
  };
  {
    const std::lock_guard guard{m_};
    for (const auto& each : closed_)
      add(each, true);
    for (const auto& each : closing_)
      add(each, false);
    add(current_, false);
  }
  for (const Part& each : parts) {
    tally_.count(*each.segment, each.chunks);
    each.segment->counted_whole = each.closed;
  }
}

void Recorder::count_whole(Segment& segment) {
  if (!std::exchange(segment.counted_whole, true)) tally_.count(segment, segment.next_chunk);
}

/// Counts anew, as of now.
void Recorder::begin_cost() {
  tally_.clear();
  cost_ = {};
  cost_.since = os::ticks();
  cost_segment_ = 0;
  next_cost_ = os::deadline_after(cost_interval);
}

void Recorder::update_cost() {
  count_written();
  cost_.written = tally_.so_far();
  raise(cost_.cpu.keeper, Keeper::cpu_time());
  raise(cost_.cpu.dispatcher, Dispatcher::cpu_time());
  raise(cost_.cpu.archiver, archiver_.cpu_time());
  const std::lock_guard guard{m_};
  cost_.lost = lost_.load(std::memory_order_relaxed);  // relaxed: a count
  cost_.helped = counters_.helped;
}

void Recorder::write_cost() {
  const std::lock_guard guard{m_};
  if (current_ != nullptr && definitions_.cost(*current_, cost_)) cost_segment_ = current_->number;
}

void Recorder::note_cost() {
  bool is_first = false;
  {
    const std::lock_guard guard{m_};
    is_first = current_ != nullptr && current_->number != cost_segment_;
  }
  if (!is_first && std::chrono::steady_clock::now() < next_cost_) return;
  next_cost_ = os::deadline_after(cost_interval);
  const std::uint64_t records = cost_.written.records;
  const std::uint64_t lost = cost_.lost;
  update_cost();
  if (is_first || cost_.written.records != records || cost_.lost != lost) write_cost();
}

void Recorder::end_cost() noexcept {
  try {
    const std::lock_guard files{fm_};
    update_cost();
    write_cost();
  } catch (const std::exception&) {  // no memory: what was told last stays
  }
}

Cost Recorder::cost() {
  const std::lock_guard files{fm_};
  update_cost();
  return cost_;
}

}  // namespace spool::log
