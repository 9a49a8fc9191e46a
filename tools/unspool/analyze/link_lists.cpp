// SPDX-License-Identifier: MIT
//
// What is kept of links, and for how long.
#include <unspool/analyze/links.hpp>

#include <algorithm>
#include <functional>
#include <utility>

namespace unspool {
namespace {

constexpr std::size_t most_occurrences = 100'000;
constexpr std::size_t most_at_one_link = 256;
constexpr std::size_t most_where_many = 32;  // once half of all are kept
constexpr std::size_t most_moments = 16;     // of one occurrence
constexpr std::size_t most_moments_in_all = 200'000;
constexpr std::size_t most_writers = 64;  // of one lock

constexpr std::size_t most_partners = 1024;
constexpr std::size_t most_neighbours = 64;    // steps that begin where this one ends, or end where it begins
constexpr std::size_t most_of_neighbour = 16;  // occurrences

template <class T>
void erase_unkept(std::vector<T>& list, const std::vector<bool>& kept) {
  std::size_t next = 0;
  std::erase_if(list, [&](const T&) { return !kept[next++]; });
}

/// Of each of a list the occurrence that `of` finds in it.
template <class T, class Of = std::identity>
std::vector<const Occurrence*> pointers_to(const std::vector<T>& list, Of of = {}) {
  std::vector<const Occurrence*> all;
  all.reserve(list.size());
  for (const T& each : list)
    all.push_back(&std::invoke(of, each));
  return all;
}

void add_newest(const std::vector<Occurrence>& list, std::size_t most, std::vector<const Occurrence*>& out) {
  for (auto each = list.rbegin(); each != list.rend() && most-- != 0; ++each) {
    if (out.size() >= most_partners) return;
    out.push_back(&*each);
  }
}

}  // namespace

/// Null where so many are kept already.
const HeldLocks* Links::interned(const std::vector<Held>& held, std::span<const HeldFrom> permits) {
  HeldLocks locks;
  for (const Held& each : held)
    locks.push_back({each.object, each.shared});
  for (const HeldFrom& permit : permits)
    locks.push_back(permit.lock);
  std::ranges::sort(locks);
  if (const auto known = held_.find(locks); known != held_.end()) return &*known;
  ++sets_since_;
  if (held_.size() >= most_occurrences && sets_since_ >= most_occurrences / 4) drop_unused_sets();
  return held_.size() >= most_occurrences ? nullptr : &*held_.insert(std::move(locks)).first;
}

void Links::drop_unused_sets() {
  sets_since_ = 0;
  std::unordered_set<const HeldLocks*> used;
  for (const auto& [key, list] : links_) {
    for (const Occurrence& each : list)
      used.insert(each.held);
  }
  for (const auto& [lock, list] : writers_) {
    for (const WriterCall& each : list)
      used.insert(each.by.held);
  }
  std::erase_if(held_, [&](const HeldLocks& each) { return !used.contains(&each); });
}

/// With itself only what a reader asks for again is a link: a lock that a thread takes twice is stuck at once.
void Links::add(const Held& outer, const Call& call, const HeldLocks* held, const Moment& moment) {
  if (outer.object == call.object && !(outer.shared && call.shared)) return;
  const LinkKey key{outer.object, call.object, outer.site, call.site, outer.shared, call.shared};
  const auto found = links_.find(key);
  if (found == links_.end() && occurrences_ >= most_occurrences) {
    ++left_out_;
    return;
  }
  std::vector<Occurrence>& list = found == links_.end() ? links_[key] : found->second;
  if (!add_to(list, key, call, outer.since, held, moment)) return;
  outers_[call.object].insert(outer.object);
}

/// True where it is a new one.
bool Links::add_to(std::vector<Occurrence>& list, const LinkKey& key, const Call& call, trace::Ticks since,
                   const HeldLocks* held, const Moment& moment) {
  const auto same = std::ranges::find_if(list, [&](const Occurrence& each) {
    return each.thread == call.thread && each.held == held && each.waited == call.waited &&
           each.limited == call.limited && each.stuck == call.stuck;
  });
  if (same != list.end()) {
    ++same->count;
    keep_moment(*same, key, moment);
    return false;
  }
  Occurrence one{call.thread, held, call.waited, call.limited, call.stuck, 1, since, call.time, {moment}};
  const std::size_t most = occurrences_ < most_occurrences / 2 ? most_at_one_link : most_where_many;
  if (list.size() >= most) thin(list, key, one, most);
  if (occurrences_ >= most_occurrences) {
    ++left_out_;
    return false;
  }
  list.push_back(std::move(one));
  ++occurrences_;
  ++moments_;
  return true;
}

void Links::keep_moment(Occurrence& same, const LinkKey& key, const Moment& moment) {
  std::vector<Moment>& moments = same.moments;
  Moment& last = moments.back();
  if (last.component == moment.component && last.epoch == moment.epoch && last.seen == moment.seen) return;
  if (moments.size() == most_moments) thin_moments(same, key, moment);
  if (moments_ >= most_moments_in_all) {
    moments.back() = moment;
    return;
  }
  moments.push_back(moment);
  ++moments_;
}

/// Each as if it were an occurrence. This is done often.
void Links::thin_moments(Occurrence& same, const LinkKey& key, const Moment& newer) {
  const auto alone = [&](const Moment& moment) {
    return Occurrence{same.thread, same.held, same.waited, same.limited, false, 1, 0, 0, {moment}};
  };
  std::vector<Occurrence> singles;
  for (const Moment& each : same.moments)
    singles.push_back(alone(each));
  const Choice choice = choose(pointers_to(singles), alone(newer), opposites_of(key), gates_, most_moments);
  const std::size_t before = same.moments.size();
  erase_unkept(same.moments, choice.kept);
  moments_ -= before - same.moments.size();
}

void Links::thin(std::vector<Occurrence>& list, const LinkKey& key, const Occurrence& newer, std::size_t most) {
  const Choice choice = choose(pointers_to(list), newer, partners_of(key), gates_, most);
  forget(list);
  erase_unkept(list, choice.kept);
  for (const Occurrence& each : list)
    moments_ += each.moments.size();
  occurrences_ += list.size();
  left_out_ += choice.missed;
}

void Links::add_between(trace::ObjectNumber outer, trace::ObjectNumber inner, std::size_t most,
                        std::vector<const Occurrence*>& out) const {
  for (auto link = links_.lower_bound({outer, inner, 0, 0, false, false});
       link != links_.end() && link->first.outer == outer && link->first.inner == inner; ++link)
    add_newest(link->second, most, out);
}

/// What makes a ring with such an occurrence alone; and who has to stand between readers.
std::vector<const Occurrence*> Links::opposites_of(const LinkKey& key) const {
  std::vector<const Occurrence*> out;
  add_between(key.inner, key.outer, most_at_one_link, out);
  for (const trace::ObjectNumber lock : {key.outer, key.inner}) {
    for (const WriterCall& each : writers(lock))
      out.push_back(&each.by);
  }
  return out;
}

/// What could stand beside it in any ring, the opposites first.
std::vector<const Occurrence*> Links::partners_of(const LinkKey& key) const {
  std::vector<const Occurrence*> out = opposites_of(key);
  std::size_t neighbours = 0;
  for (auto link = links_.lower_bound({key.inner, 0, 0, 0, false, false});
       link != links_.end() && link->first.outer == key.inner && neighbours++ < most_neighbours; ++link)
    add_newest(link->second, most_of_neighbour, out);
  const auto outers = outers_.find(key.outer);
  if (outers == outers_.end()) return out;
  neighbours = 0;
  for (auto outer = outers->second.begin(); outer != outers->second.end() && neighbours++ < most_neighbours; ++outer)
    add_between(*outer, key.outer, most_of_neighbour, out);
  return out;
}

void Links::add_writer(const Call& call, const HeldLocks* held, const Moment& moment) {
  std::vector<WriterCall>& writers = writers_[call.object];
  const LinkKey key{call.object, call.object, 0, 0, false, false};
  for (WriterCall& each : writers) {
    if (each.by.thread != call.thread || each.by.held != held) continue;
    ++each.by.count;
    each.by.stuck |= call.stuck;
    return keep_moment(each.by, key, moment);
  }
  WriterCall one{call.site,
                 {call.thread, held, call.waited, call.limited, call.stuck, 1, call.time, call.time, {moment}}};
  if (writers.size() >= most_writers) {
    const Choice choice = choose(pointers_to(writers, &WriterCall::by), one.by, partners_of(key), gates_, most_writers);
    forget(writers);
    erase_unkept(writers, choice.kept);
    for (const WriterCall& each : writers)
      moments_ += each.by.moments.size();
    left_out_ += choice.missed;
  }
  writers.push_back(std::move(one));
  ++moments_;
}

std::span<const WriterCall> Links::writers(trace::ObjectNumber lock) const {
  const auto found = writers_.find(lock);
  return found == writers_.end() ? std::span<const WriterCall>{} : std::span<const WriterCall>{found->second};
}

void Links::destroyed(const ObjectState& object) {
  clocks_.destroyed(object.number);
  gates_.destroyed(object.number);
  gone_.insert(object.number);
  prune(object.number);
}

/// A destroyed lock that was only ever an outer one, or only an inner one, is in no cycle. Without it the same may hold
/// of its neighbours.
void Links::prune(trace::ObjectNumber object) {
  std::vector<trace::ObjectNumber> pending{object};
  while (!pending.empty()) {
    const trace::ObjectNumber each = pending.back();
    pending.pop_back();
    if (!gone_.contains(each)) continue;
    const auto begin = links_.lower_bound({each, 0, 0, 0, false, false});
    const bool is_outer = begin != links_.end() && begin->first.outer == each;
    const auto outers = outers_.find(each);
    const bool is_inner = outers != outers_.end() && !outers->second.empty();
    if (is_outer && is_inner) continue;
    gone_.erase(each);
    if (const auto writers = writers_.find(each); writers != writers_.end()) {
      forget(writers->second);
      writers_.erase(writers);
    }
    if (is_inner) {
      for (const trace::ObjectNumber outer : outers->second) {
        erase_between(outer, each);
        pending.push_back(outer);
      }
      outers_.erase(each);
      continue;  // it is in no link any more, and `begin`, the next lock's, may be gone
    }
    for (auto link = begin; link != links_.end() && link->first.outer == each;) {
      const trace::ObjectNumber inner = link->first.inner;
      forget(link->second);
      link = links_.erase(link);
      if (const auto others = outers_.find(inner); others != outers_.end()) others->second.erase(each);
      pending.push_back(inner);
    }
  }
}

void Links::erase_between(trace::ObjectNumber outer, trace::ObjectNumber inner) {
  for (auto link = links_.lower_bound({outer, inner, 0, 0, false, false});
       link != links_.end() && link->first.outer == outer && link->first.inner == inner;) {
    forget(link->second);
    link = links_.erase(link);
  }
}

void Links::forget(const std::vector<Occurrence>& list) {
  occurrences_ -= list.size();
  for (const Occurrence& each : list)
    moments_ -= each.moments.size();
}

void Links::forget(const std::vector<WriterCall>& list) {
  for (const WriterCall& each : list)
    moments_ -= each.by.moments.size();
}

}  // namespace unspool
