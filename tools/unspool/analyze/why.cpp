// SPDX-License-Identifier: MIT
#include <unspool/analyze/samples.hpp>
#include <unspool/analyze/why.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>

namespace unspool {
namespace {

bool is_longer(const Why::Told& a, const Why::Told& b) {
  if (a.own != b.own) return a.own > b.own;
  return a.wait.since < b.wait.since;
}

}  // namespace

void Why::record(const Record& record) {
  Blame::record(record);
  const bool counts = record.row != nullptr && record.row->kind != trace::Kind::definition && record.thread != 0;
  if (!counts || !wanted_.thread(record.thread)) return;
  Thread& thread = threads_[record.thread];
  if (!thread.seen) thread.first = record.time;
  thread.seen = true;
  thread.first = std::min(thread.first, record.time);
  thread.last = std::max(thread.last, record.time);
  if (record.row->kind == trace::Kind::thread && record.row->verb == trace::Verb::end && record.object == record.thread)
    thread.ended = true;
}

void Why::divided(const Wait& /*wait*/, const Chains& parts) {
  chains_ = parts;
}

/// Within a Condition's wait lies that for its lock: no moment is counted twice.
trace::Ticks Why::own_time(Thread& thread, const Wait& wait) const {
  constexpr std::size_t most_inner = 64;
  trace::Ticks inside = 0;
  std::erase_if(thread.inner, [&](const Thread::Inner& each) {
    const bool within = each.since >= wait.since && each.until <= wait.until;
    if (within) inside = add_saturated(inside, each.counted);
    return within;
  });
  const trace::Ticks all = wanted_.within(wait.since, wait.until);
  if (thread.inner.size() == most_inner) thread.inner.erase(thread.inner.begin());
  thread.inner.push_back({wait.since, wait.until, all});
  return all - std::min(all, inside);
}

void Why::waited(const ObjectState* object, const Wait& wait) {
  chains_.clear();
  Blame::waited(object, wait);
  if (!wanted_.thread(wait.thread) || wait.ending == Ending::lost) return;
  Thread& thread = threads_[wait.thread];
  // A wait that began before the Records do, known from the thread's status.
  thread.first = thread.seen ? std::min(thread.first, wait.since) : wait.since;
  thread.last = std::max(thread.last, wait.until);
  thread.seen = true;
  if (!wanted_.span(wait.since, wait.until)) return;
  const trace::Ticks own = own_time(thread, wait);
  Sum& sum = thread.waited[wait.kind];
  ++sum.waits;
  sum.ticks = add_saturated(sum.ticks, own);
  if (wanted_.passes(wait)) keep(thread, {wait, own, chains_});
}

void Why::keep(Thread& thread, Told told) {
  thread.longest.push_back(std::move(told));
  if (thread.longest.size() < 2 * most_waits) return;
  std::ranges::sort(thread.longest, is_longer);
  for (std::size_t i = most_waits; i < thread.longest.size(); ++i) {
    ++thread.rest.waits;
    thread.rest.ticks = add_saturated(thread.rest.ticks, thread.longest[i].own);
  }
  thread.longest.resize(most_waits);
}

void Why::finished(const Replay& replay) {
  Blame::finished(replay);
  end_ = replay.last_sign_of_life();
  for (auto& [number, thread] : threads_)
    std::ranges::sort(thread.longest, is_longer);
}

trace::Ticks Why::until(const Thread& thread) const {
  return std::min(thread.ended ? thread.last : std::max(thread.last, end_), wanted_.to());
}

trace::Ticks Why::ran(const Thread& thread) const {
  const trace::Ticks begin = since(thread);
  const trace::Ticks end = until(thread);
  trace::Ticks left = end > begin ? end - begin : 0;
  for (const auto& [kind, sum] : thread.waited)
    left -= std::min(left, sum.ticks);
  return left;
}

}  // namespace unspool
