// SPDX-License-Identifier: MIT
#include <unspool/analyze/deadlocks.hpp>
#include <unspool/analyze/fingerprint.hpp>
#include <unspool/replay/kinds.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>

namespace unspool {
namespace {

constexpr std::size_t nowhere = Waiting::no_cycle;

}  // namespace

std::string_view name_of(Certainty certainty) {
  switch (certainty) {
    case Certainty::certain:
      return "certain";
    case Certainty::likely:
      return "likely";
    case Certainty::possible:
      return "possible";
  }
  return "possible";
}

std::string_view name_of(Edge edge) {
  switch (edge) {
    case Edge::none:
      return "none";
    case Edge::owned:
      return "owned";
    case Edge::last_known:
      return "last-known";
    case Edge::candidate:
      return "candidate";
  }
  return "none";
}

/// Kind and creation site; an object without a known one is a class of its own.
std::uint64_t Deadlocks::class_of(trace::ObjectNumber object, trace::Kind kind) const {
  const auto found = process_.objects.find(object);
  if (found == process_.objects.end() || found->second.site == 0) return std::uint64_t{1} << 63U | object;
  return std::uint64_t{static_cast<std::uint8_t>(kind)} << 32U | found->second.site;
}

void Deadlocks::released_by_other(const ObjectState& object, const Record&) {
  released_by_other_.insert(class_of(object.number, object.kind));
}

void Deadlocks::waited(const ObjectState*, const Wait& wait) {
  if (wait.ending == Ending::timeout || wait.ending == Ending::cancel) gave_up_.insert(wait.site);
}

void Deadlocks::failed(const ObjectState*, const Record& record) {
  const trace::Verb verb = record.row->verb;
  if (verb == trace::Verb::timeout || verb == trace::Verb::cancel) gave_up_.insert(record.site);
}

void Deadlocks::finished(const Replay& replay) {
  std::unordered_map<trace::ThreadNumber, std::uint64_t> holds;
  for (const auto& [number, object] : replay.objects()) {
    for (const Reader& each : object.readers)
      ++holds[each.thread];
    if (object.readers.empty() && object.now().holder.tenant == Holder::Tenant::thread) {
      ++holds[object.now().holder.thread];
    }
  }
  for (const auto& [number, thread] : replay.threads()) {
    if (thread.waits.empty()) continue;
    waiting_.push_back(waiting_of(replay, thread.waits.back()));
    const auto held = holds.find(number);
    waiting_.back().holds = held == holds.end() ? 0 : held->second;
  }
  std::ranges::sort(waiting_, {}, [](const Waiting& each) { return each.wait.thread; });
  for (std::size_t i = 0; i < waiting_.size(); ++i)
    index_[waiting_[i].wait.thread] = i;
  find_cycles();
  find_hanging();
}

Waiting Deadlocks::waiting_of(const Replay& replay, const Wait& wait) const {
  Waiting waiting;
  waiting.wait = wait;
  if (wait.kind == trace::Kind::thread) {
    waiting.owner = static_cast<trace::ThreadNumber>(wait.object);
    waiting.edge = Edge::owned;
  } else if (can_be_held(wait.kind)) {
    find_owner(replay, waiting);
  }
  const auto owner = replay.threads().find(waiting.owner);
  waiting.owner_ended = owner != replay.threads().end() && owner->second.life == ThreadState::Life::ended;
  // A join of an ended thread was about to return.
  if (waiting.owner_ended && wait.kind == trace::Kind::thread) waiting.edge = Edge::none;
  if (waiting.edge == Edge::none) return waiting;
  const bool others_release = released_by_other_.contains(class_of(wait.object, wait.kind));
  const bool gives_up = wait.site != 0 && gave_up_.contains(wait.site);
  if (others_release || gives_up) waiting.edge = Edge::candidate;
  return waiting;
}

/// Of several readers one that waits itself, if there is one: who waits for all of them waits for that one.
const Reader& Deadlocks::blocking_reader(const Replay& replay, const std::vector<Reader>& readers) {
  const auto waits = [&](const Reader& each) {
    const auto thread = replay.threads().find(each.thread);
    return thread != replay.threads().end() && !thread->second.waits.empty();
  };
  const auto found = std::ranges::find_if(readers, waits);
  return found == readers.end() ? readers.front() : *found;
}

void Deadlocks::find_owner(const Replay& replay, Waiting& waiting) const {
  const auto found = replay.objects().find(waiting.wait.object);
  if (found == replay.objects().end()) return;
  const Tenure& now = found->second.now();
  if (!found->second.readers.empty()) {
    const Reader& reader = blocking_reader(replay, found->second.readers);
    waiting.owner = reader.thread;
    waiting.owner_site = reader.site;
    waiting.owner_since = reader.since;
    waiting.owner_since_known = true;
    waiting.edge = found->second.confirmed == replay.losses() ? Edge::owned : Edge::last_known;
    return;
  }
  if (now.holder.tenant == Holder::Tenant::nobody) return;
  if (now.holder.tenant == Holder::Tenant::thread) {
    waiting.owner = now.holder.thread;
    waiting.owner_site = now.holder.site;
    waiting.owner_since = now.from;
    waiting.owner_since_known = now.from_known;
    waiting.edge = found->second.confirmed == replay.losses() ? Edge::owned : Edge::last_known;
  } else if (waiting.wait.owner != 0) {
    waiting.owner = waiting.wait.owner;
    waiting.owner_site = waiting.wait.owner_site;
    waiting.edge = Edge::last_known;
  }
}

/// The waiting thread that this one waits for, or nowhere.
std::size_t Deadlocks::next(std::size_t index) const {
  if (waiting_[index].edge == Edge::none) return nowhere;
  const auto found = index_.find(waiting_[index].owner);
  return found == index_.end() ? nowhere : found->second;
}

/// Each thread waits for one other at most, so that a walk that meets its own steps has found the only cycle there.
void Deadlocks::find_cycles() {
  std::vector<std::size_t> walk_of(waiting_.size(), nowhere);
  for (std::size_t start = 0; start < waiting_.size(); ++start) {
    std::size_t at = start;
    while (at != nowhere && walk_of[at] == nowhere) {
      walk_of[at] = start;
      at = next(at);
    }
    if (at == nowhere || walk_of[at] != start) continue;
    std::vector<std::size_t> members{at};
    for (std::size_t each = next(at); each != at; each = next(each))
      members.push_back(each);
    std::rotate(members.begin(), std::ranges::min_element(members), members.end());
    cycles_.push_back(cycle_of(std::move(members)));
  }
  std::ranges::sort(cycles_, [](const Cycle& a, const Cycle& b) {
    if (a.members.size() != b.members.size()) return a.members.size() < b.members.size();
    return a.since != b.since ? a.since < b.since : a.members < b.members;
  });
  for (std::size_t i = 0; i < cycles_.size(); ++i) {
    for (const std::size_t member : cycles_[i].members)
      waiting_[member].cycle = i;
  }
}

Cycle Deadlocks::cycle_of(std::vector<std::size_t> members) const {
  Cycle cycle;
  for (const std::size_t member : members) {
    const Waiting& waiting = waiting_[member];
    cycle.since = std::max(cycle.since, waiting.wait.since);
    if (waiting.edge == Edge::candidate) cycle.certainty = Certainty::possible;
    if (waiting.edge == Edge::last_known) cycle.certainty = std::max(cycle.certainty, Certainty::likely);
  }
  cycle.fingerprint = fingerprint(members);
  cycle.members = std::move(members);
  return cycle;
}

/// From the cycles outwards against the edges.
void Deadlocks::find_hanging() {
  std::vector<std::vector<std::size_t>> waits_for(waiting_.size());
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (const std::size_t to = next(i); to != nowhere && waiting_[i].cycle == nowhere) waits_for[to].push_back(i);
  }
  for (std::size_t number = 0; number < cycles_.size(); ++number) {
    std::vector<std::size_t> queue = cycles_[number].members;
    for (std::size_t head = 0; head < queue.size(); ++head) {
      for (const std::size_t each : waits_for[queue[head]]) {
        waiting_[each].cycle = number;
        waiting_[each].distance = waiting_[queue[head]].distance + 1;
        cycles_[number].hanging.push_back(each);
        queue.push_back(each);
      }
    }
  }
}

/// The sum over the edges does not depend on where the cycle is entered.
std::uint64_t Deadlocks::fingerprint(const std::vector<std::size_t>& members) const {
  std::uint64_t sum = 0;
  for (const std::size_t member : members) {
    const Waiting& waiting = waiting_[member];
    const std::size_t after = next(member);
    Fingerprint edge;
    edge.add(trace::name_of(waiting.wait.kind));
    edge.add_site(process_, waiting.wait.site);
    edge.add_site(process_, waiting.owner_site);
    edge.add_object(process_, waiting.wait.object);
    edge.add_site(process_, waiting_[after].wait.site);
    edge.add_object(process_, waiting_[after].wait.object);
    sum += edge.value();
  }
  Fingerprint whole;
  whole.add_number(members.size());
  whole.add_number(sum);
  return whole.value();
}

}  // namespace unspool
