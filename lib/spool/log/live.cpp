// SPDX-License-Identifier: MIT
#include <spool/log/live.hpp>

#include <algorithm>
#include <deque>
#include <unordered_set>

namespace spool::log {
namespace {

using Circle = std::vector<const LiveThread*>;

bool has_owners(trace::Kind kind) {
  return kind == trace::Kind::lock || kind == trace::Kind::rlock || kind == trace::Kind::shared_lock;
}

trace::Kind kind_of(const LiveWait& wait) {
  const trace::Row* row = trace::row_of_id(wait.record);
  return row == nullptr ? trace::Kind::trace : row->kind;
}

/// The way from `last` back to where the search began.
Circle way_to(const LiveThread* last, const std::unordered_map<const LiveThread*, const LiveThread*>& came_from) {
  Circle way;
  for (const LiveThread* each = last; each != nullptr; each = came_from.at(each))
    way.push_back(each);
  std::ranges::reverse(way);
  return way;
}

/// The shortest circle that `first` is in; empty where it is in none.
Circle circle_of(const LiveThread& first, const LiveOwners& owners) {
  std::unordered_map<const LiveThread*, const LiveThread*> came_from{{&first, nullptr}};
  std::deque<const LiveThread*> next{&first};
  while (!next.empty()) {
    const LiveThread* const waiter = next.front();
    next.pop_front();
    for (const LiveOwner& owner : owners.of(*waiter)) {
      if (owner.thread == &first) return way_to(waiter, came_from);
      if (came_from.try_emplace(owner.thread, waiter).second) next.push_back(owner.thread);
    }
  }
  return {};
}

}  // namespace

double LiveProcess::seconds_since(trace::Ticks ticks) const {
  return ticks >= now ? 0.0 : static_cast<double>(now - ticks) / static_cast<double>(frequency);
}

std::optional<double> LiveProcess::seconds_left(const LiveWait& wait) const {
  if (wait.record == 0 || wait.limit != trace::WaitLimit::deadline) return std::nullopt;
  return wait.deadline <= monotonic ? 0.0 : static_cast<double>(wait.deadline - monotonic) / 1e9;
}

LiveOwners::LiveOwners(const LiveProcess& process) {
  for (const LiveThread& thread : process.threads) {
    threads_.emplace(thread.number, &thread);
    for (const LiveHold& hold : thread.holds) {
      if (hold.object.number != 0) holders_.emplace(hold.object.number, LiveOwner{&thread, &hold});
    }
  }
}

std::vector<LiveOwner> LiveOwners::of(const LiveThread& waiter) const {
  const trace::Kind kind = kind_of(waiter.wait);
  std::vector<LiveOwner> found;
  if (has_owners(kind)) {
    const auto [begin, end] = holders_.equal_range(waiter.wait.object.number);
    for (auto each = begin; each != end; ++each)
      found.push_back(each->second);
  }
  if (!found.empty()) return found;
  const trace::ThreadNumber seen =
      kind == trace::Kind::thread ? static_cast<trace::ThreadNumber>(waiter.wait.object.number) : waiter.wait.owner;
  const auto thread = threads_.find(seen);
  if ((has_owners(kind) || kind == trace::Kind::thread) && thread != threads_.end()) {
    found.push_back({thread->second, nullptr});
  }
  return found;
}

CircleFacts facts_of(const Circle& circle, const LiveProcess& process, const LiveOwners& owners) {
  CircleFacts facts;
  for (std::size_t i = 0; i < circle.size(); ++i) {
    const LiveThread& waiter = *circle[i];
    const LiveThread* const next = circle[(i + 1) % circle.size()];
    const bool joins = kind_of(waiter.wait) == trace::Kind::thread;
    const bool known = joins || std::ranges::any_of(owners.of(waiter), [&](const LiveOwner& owner) {
                         return owner.thread == next && owner.hold != nullptr;
                       });
    facts.certain = facts.certain && known && waiter.wait.limit != trace::WaitLimit::stop;
    const std::optional<double> left = process.seconds_left(waiter.wait);
    if (left) facts.ends_in = std::min(*left, facts.ends_in.value_or(*left));
  }
  return facts;
}

std::vector<Circle> circles(const LiveProcess& process, const LiveOwners& owners) {
  std::vector<Circle> found;
  std::unordered_set<const LiveThread*> told;
  for (const LiveThread& thread : process.threads) {
    if (thread.wait.record == 0 || told.contains(&thread)) continue;
    Circle circle = circle_of(thread, owners);
    if (circle.empty()) continue;
    told.insert(circle.begin(), circle.end());
    found.push_back(std::move(circle));
  }
  return found;
}

}  // namespace spool::log
