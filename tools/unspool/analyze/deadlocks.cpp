// SPDX-License-Identifier: MIT
#include <unspool/analyze/components.hpp>
#include <unspool/analyze/deadlocks.hpp>
#include <unspool/analyze/fingerprint.hpp>
#include <unspool/analyze/stuck_since.hpp>
#include <unspool/replay/kinds.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace unspool {
namespace {

constexpr std::size_t nowhere = Waiting::no_cycle;

}  // namespace

std::string_view name_of(Cause cause) {
  switch (cause) {
    case Cause::cycle:
      return "cycle";
    case Cause::abandoned:
      return "abandoned";
    case Cause::nobody:
      return "nobody";
  }
  return "cycle";
}

void Deadlocks::released_by_other(const ObjectState& object, const Record& record) {
  habits_.other_releasers[deeds_.line_of(object.number, object.kind)].insert(record.thread);
  habits_.own_other_releasers[object.number].insert(record.thread);
}

void Deadlocks::waited(const ObjectState*, const Wait& wait) {
  if (wait.ending == Ending::timeout || wait.ending == Ending::cancel) habits_.gave_up.insert(wait.site);
}

void Deadlocks::failed(const ObjectState*, const Record& record) {
  const trace::Verb verb = record.row->verb;
  if (verb == trace::Verb::timeout || verb == trace::Verb::cancel) habits_.gave_up.insert(record.site);
}

void Deadlocks::finished(const Replay& replay) {
  deeds_.finish();
  last_time_ = replay.last_time();
  for (const auto& [number, thread] : replay.threads()) {
    if (thread.waits.empty() || thread.waits.back().kind != trace::Kind::condition) continue;
    const LostNotifies::Notify* const lost = notifies_.before_wait(number, thread.waits.back().object);
    if (lost != nullptr && lost->holds_known) habits_.lost_a_wake_up.insert(number);
  }
  Hopes hopes{process_, replay, deeds_, habits_};
  standstill_ = hopes.standstill();
  incomplete_ = hopes.incomplete();
  waiting_ = hopes.take();
  stuck_since_ = stuck_since(waiting_, replay);
  for (std::size_t i = 0; i < waiting_.size(); ++i)
    index_[waiting_[i].wait.thread] = i;
  put_first_who_goes_on();
  note_lost_notifies();
  note_writers_ahead(replay);
  find_cycles();
  // What daemons wait for at an orderly end is of no interest, unless they lock each other out.
  if (!replay.ended_orderly()) find_knots();
  order_cycles();
  find_hanging();
  forget_explained_notifies();
}

/// Whoever notified last stands still itself, and not in a join or for want of a notify: that is why there was no other one.
void Deadlocks::forget_explained_notifies() {
  const auto lost = [&](std::size_t each) { return waiting_[each].lost_wake_up != Lost::no; };
  for (const Cycle& cycle : cycles_) {
    if (cycle.cause != Cause::cycle || std::ranges::all_of(cycle.members, lost)) continue;
    for (const std::size_t each : cycle.members) {
      const Wait& wait = waiting_[each].wait;
      const LostNotifies::Notify* const notify = lost(each) ? notifies_.before_wait(wait.thread, wait.object) : nullptr;
      const auto notifier = notify == nullptr ? index_.end() : index_.find(notify->thread);
      if (notifier == index_.end() || waiting_[notifier->second].wait.kind == trace::Kind::thread) continue;
      const bool inside = std::ranges::find(cycle.members, notifier->second) != cycle.members.end();
      if (inside && !lost(notifier->second)) waiting_[each].lost_wake_up = Lost::no;
    }
  }
}

/// Among those whom one hopes for that is not stuck, before those who wait themselves.
void Deadlocks::put_first_who_goes_on() {
  for (Waiting& waiting : waiting_) {
    if (waiting.stuck || waiting.is_owned()) continue;
    const auto rank = [this](const Suspect& each) {
      if (each.answers == 0) return 2;
      return index_.contains(each.answers) ? 1 : 0;
    };
    std::ranges::stable_sort(waiting.suspects, {}, rank);
  }
}

void Deadlocks::note_lost_notifies() {
  for (Waiting& each : waiting_) {
    if (each.wait.kind != trace::Kind::condition) continue;
    const LostNotifies::Notify* const lost = notifies_.before_wait(each.wait.thread, each.wait.object);
    if (lost != nullptr) each.lost_wake_up = lost->holds_known ? Lost::yes : Lost::perhaps;
  }
}

/// A reader that readers keep out hopes for the writers before it.
void Deadlocks::note_writers_ahead(const Replay& replay) {
  for (Waiting& each : waiting_) {
    const bool reads = each.details_known && each.verb == trace::Verb::block_shared;
    const auto object = replay.objects().find(each.wait.object);
    const auto owner = index_.find(each.owner);
    if (!reads || owner == index_.end() || object == replay.objects().end()) continue;
    const Waiting& ahead = waiting_[owner->second];
    each.behind =
        !object->second.readers.empty() && ahead.wait.object == each.wait.object && ahead.verb == trace::Verb::block;
  }
}

namespace {

/// It would have to do it: a pool's worker at rest will not give back what a task left held.
bool leads_to(const Waiting& waiting, trace::ThreadNumber thread) {
  return std::ranges::none_of(waiting.suspects,
                              [&](const Suspect& each) { return each.thread == thread && each.answers == 0; });
}

}  // namespace

/// The waiting thread that this one waits for at a lock or in a join, or nowhere.
std::size_t Deadlocks::next(std::size_t index) const {
  const Waiting& waiting = waiting_[index];
  if (!waiting.stuck || waiting.edge == Edge::none || !waiting.has_owner()) return nowhere;
  const auto found = index_.find(waiting.owner);
  const bool leads = found != index_.end() && waiting_[found->second].stuck && leads_to(waiting, waiting.owner);
  return leads ? found->second : nowhere;
}

/// All stuck threads that this one hopes for; not those that could only make another thread which does it.
std::vector<std::size_t> Deadlocks::edges_from(std::size_t index) const {
  std::vector<std::size_t> edges;
  if (!waiting_[index].stuck) return edges;
  for (const Suspect& each : waiting_[index].suspects) {
    const auto found = each.ended || each.answers == 0 ? index_.end() : index_.find(each.thread);
    if (found != index_.end() && waiting_[found->second].stuck) edges.push_back(found->second);
  }
  return edges;
}

/// Each thread waits for one owner at most, so that a walk that meets its own steps has found the only cycle there.
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
    Cycle cycle = cycle_of(std::move(members));
    cycle.fingerprint = fingerprint(cycle.members);
    cycles_.push_back(std::move(cycle));
  }
}

/// Where the stuck hope for each other in any other way, and where the hope of a thread ends at nobody.
void Deadlocks::find_knots() {
  std::vector<std::vector<std::size_t>> edges(waiting_.size());
  for (std::size_t i = 0; i < waiting_.size(); ++i)
    edges[i] = edges_from(i);
  std::vector<bool> told(waiting_.size(), false);
  for (const Cycle& each : cycles_) {
    for (const std::size_t member : each.members)
      told[member] = true;
  }
  std::vector<std::size_t> alone;
  for (std::vector<std::size_t>& component : components(edges)) {
    const std::size_t first = component.front();
    if (!waiting_[first].stuck || std::ranges::any_of(component, [&](std::size_t each) { return told[each]; })) {
      continue;
    }
    const bool waits_for_itself = std::ranges::find(edges[first], first) != edges[first].end();
    if (component.size() > 1 || waits_for_itself) {
      add_knot(std::move(component));
    } else if (edges[first].empty()) {
      alone.push_back(first);
    }
  }
  add_abandoned(alone);
}

/// Each member before one that it waits for, as far as that goes.
std::vector<std::size_t> Deadlocks::ordered(std::vector<std::size_t> component) {
  std::set<std::size_t> left{component.begin(), component.end()};
  std::vector<std::size_t> order;
  for (std::size_t at = component.front(); !left.empty();) {
    left.erase(at);
    order.push_back(at);
    if (left.empty()) break;
    const std::vector<std::size_t> edges = edges_from(at);
    const auto step = std::ranges::find_if(edges, [&](std::size_t each) { return left.contains(each); });
    at = step == edges.end() ? *left.begin() : *step;
  }
  return order;
}

namespace {

/// Of those that it hopes for it is this one, who waits.
void make_owner(Waiting& waiting, trace::ThreadNumber thread) {
  if (waiting.owner == thread) return;
  waiting.owner = thread;
  waiting.owner_ended = false;
  const auto suspect = std::ranges::find(waiting.suspects, thread, &Suspect::thread);
  if (!can_be_held(waiting.wait.kind) || suspect == waiting.suspects.end()) return;
  waiting.owner_site = suspect->deed.site;
  waiting.owner_since = suspect->deed.last;
  waiting.owner_since_known = suspect->deed.last != 0;
}

}  // namespace

void Deadlocks::add_knot(std::vector<std::size_t> component) {
  const std::set<std::size_t> inside{component.begin(), component.end()};
  if (std::ranges::all_of(component, [&](std::size_t each) {
        return waiting_[each].idle && waiting_[each].wait.kind == trace::Kind::pool;
      })) {
    return;
  }
  Cycle cycle = cycle_of(ordered(std::move(component)));
  for (std::size_t i = 0; i < cycle.members.size(); ++i) {
    Waiting& waiting = waiting_[cycle.members[i]];
    const std::size_t after = cycle.members[(i + 1) % cycle.members.size()];
    const std::vector<std::size_t> edges = edges_from(cycle.members[i]);
    const bool goes_around = std::ranges::find(edges, after) != edges.end();
    const auto within = std::ranges::find_if(edges, [&](std::size_t each) { return inside.contains(each); });
    make_owner(waiting, waiting_[goes_around ? after : *within].wait.thread);
    cycle.ring &= goes_around;
  }
  cycle.fingerprint = fingerprint(cycle);
  cycles_.push_back(std::move(cycle));
}

/// Those that wait for the same thing are one finding. A pool's worker without a task is none.
void Deadlocks::add_abandoned(const std::vector<std::size_t>& alone) {
  std::map<std::tuple<trace::ObjectNumber, bool, std::uint32_t>, std::vector<std::size_t>> groups;
  for (const std::size_t each : alone) {
    const Waiting& waiting = waiting_[each];
    if (waiting.idle && waiting.wait.kind == trace::Kind::pool) continue;
    const bool has_call = waiting.wait.kind == trace::Kind::queue || waiting.wait.kind == trace::Kind::pool;
    groups[{waiting.wait.object, waiting.suspects.empty(), has_call ? waiting.a : 0}].push_back(each);
  }
  for (auto& [key, members] : groups) {
    Cycle cycle = cycle_of(std::move(members));
    cycle.cause = waiting_[cycle.members.front()].suspects.empty() ? Cause::nobody : Cause::abandoned;
    cycle.certainty = std::max(cycle.certainty, Certainty::likely);  // of a lock too: another thread may release it
    cycle.ring = false;
    // Each of them would be stuck without the others.
    for (const std::size_t each : cycle.members)
      cycle.since = std::min(cycle.since, stuck_since_[each]);
    cycle.fingerprint = fingerprint(cycle);
    cycles_.push_back(std::move(cycle));
  }
}

void Deadlocks::order_cycles() {
  std::ranges::sort(cycles_, [](const Cycle& a, const Cycle& b) {
    if (a.certainty != b.certainty) return a.certainty < b.certainty;
    if (a.members.size() != b.members.size()) return a.members.size() < b.members.size();
    return a.since != b.since ? a.since < b.since : a.members < b.members;
  });
  number_cycles();
}

void Deadlocks::number_cycles() {
  for (std::size_t i = 0; i < cycles_.size(); ++i) {
    for (const std::size_t member : cycles_[i].members)
      waiting_[member].cycle = i;
    for (const std::size_t each : cycles_[i].hanging)
      waiting_[each].cycle = i;
  }
}

const Waiting* Deadlocks::waiting_of(trace::ThreadNumber thread) const {
  const auto found = index_.find(thread);
  return found == index_.end() ? nullptr : &waiting_[found->second];
}

Certainty Deadlocks::certainty_of(const Waiting& waiting) const {
  if (waiting.has_owner() && waiting.edge != Edge::none) {
    if (waiting.edge == Edge::owned) return Certainty::certain;
    return waiting.edge == Edge::last_known ? Certainty::likely : Certainty::possible;
  }
  return incomplete_ && !standstill_ ? Certainty::possible : Certainty::likely;
}

Cycle Deadlocks::cycle_of(std::vector<std::size_t> members) const {
  Cycle cycle;
  for (const std::size_t member : members) {
    cycle.since = std::max(cycle.since, stuck_since_[member]);
    cycle.certainty = std::max(cycle.certainty, certainty_of(waiting_[member]));
  }
  cycle.members = std::move(members);
  return cycle;
}

/// From the cycles outwards against the edges.
void Deadlocks::find_hanging() {
  std::vector<std::vector<std::size_t>> waits_for(waiting_.size());
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const bool rests = waiting_[i].idle && waiting_[i].wait.kind == trace::Kind::pool;
    if (waiting_[i].cycle != nowhere || rests) continue;
    for (const std::size_t to : edges_from(i))
      waits_for[to].push_back(i);
  }
  for (std::size_t number = 0; number < cycles_.size(); ++number) {
    std::vector<std::size_t> queue = cycles_[number].members;
    for (std::size_t head = 0; head < queue.size(); ++head) {
      for (const std::size_t each : waits_for[queue[head]]) {
        if (waiting_[each].cycle != nowhere) continue;
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

/// How many threads take part does not matter where it is not a ring: a pool may have more workers in another run.
std::uint64_t Deadlocks::fingerprint(const Cycle& cycle) const {
  std::set<std::uint64_t> parts;
  for (const std::size_t member : cycle.members) {
    const Waiting& waiting = waiting_[member];
    Fingerprint part;
    part.add(trace::name_of(waiting.wait.kind));
    part.add_site(process_, waiting.wait.site);
    part.add_object(process_, waiting.wait.object);
    parts.insert(part.value());
  }
  Fingerprint whole;
  whole.add(name_of(cycle.cause));
  for (const std::uint64_t part : parts)
    whole.add_number(part);
  return whole.value();
}

}  // namespace unspool
