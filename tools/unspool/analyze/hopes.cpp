// SPDX-License-Identifier: MIT
#include <unspool/analyze/hope_unseen.hpp>
#include <unspool/analyze/hopes.hpp>
#include <unspool/model/damage.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>

namespace unspool {

using trace::Kind;

Hopes::Hopes(const Process& process, const Replay& replay, const Deeds& deeds, const Habits& habits)
    : process_{process}, replay_{replay}, deeds_{deeds}, habits_{habits} {
  collect();
  add_details();
  note_teams();
  for (Waiting& each : waiting_)
    find(each);
  add_all_kin();
  judge();
  for (Waiting& each : waiting_)
    choose_owner(each);
}

bool Hopes::incomplete() const {
  return !replay_.complete() || lost_some();
}

bool Hopes::lost_some() const {
  return process_.cut || lost_between();
}

bool Hopes::lost_between() const {
  return replay_.losses() != 0 || replay_.lost_records() != 0 || lacks_records(process_);
}

void Hopes::collect() {
  for (const auto& [number, object] : replay_.objects()) {
    if (!object.holders_known()) continue;
    for (const Reader& each : object.readers)
      ++holds_[each.thread];
    if (object.readers.empty() && object.now().holder.tenant == Holder::Tenant::thread) {
      ++holds_[object.now().holder.thread];
    }
  }
  for (const auto& [number, thread] : replay_.threads()) {
    if (thread.waits.empty()) continue;
    Waiting waiting;
    waiting.wait = thread.waits.back();
    const auto held = holds_.find(number);
    waiting.holds = held == holds_.end() ? 0 : held->second;
    waiting_.push_back(std::move(waiting));
  }
  std::ranges::sort(waiting_, {}, [](const Waiting& each) { return each.wait.thread; });
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    index_[waiting_[i].wait.thread] = i;
    waiters_[waiting_[i].wait.object].push_back(i);
  }
  for (auto& [object, indexes] : waiters_) {
    std::ranges::stable_sort(indexes, {}, [&](std::size_t each) { return waiting_[each].wait.since; });
  }
}

/// What the block Record said, and the status entry.
void Hopes::add_details() {
  for (Waiting& each : waiting_) {
    const LastBlock* block = deeds_.last_block(each.wait.thread);
    if (block == nullptr || block->object != each.wait.object) continue;
    each.verb = block->verb;
    each.a = block->a;
    each.b = block->b;
    each.details_known = true;
  }
  for (const trace::StatusEntry& entry : process_.status) {
    const auto found = index_.find(entry.thread);
    if (found == index_.end() || entry.version % 2 != 0 || entry.wait_record == 0) continue;
    Waiting& each = waiting_[found->second];
    if (entry.wait_object != each.wait.object || entry.wait_limit == 0 || entry.wait_limit > 3) continue;
    each.verb = trace::verb_of(entry.wait_record);
    each.a = entry.wait_a;
    each.b = entry.wait_b;
    each.details_known = true;
  }
}

void Hopes::note_teams() {
  for (const auto& [object, past] : deeds_.all()) {
    if (past.kind != Kind::pool && past.kind != Kind::barrier) continue;
    const Role part = past.kind == Kind::pool ? Role::finish : Role::give;
    for (const auto& [thread, deeds] : past.threads) {
      if (deed_of(deeds, part).count != 0) teams_[thread].push_back(object);
    }
    for (const trace::ThreadNumber each : past.workers)
      teams_[each].push_back(object);
  }
}

bool Hopes::is_of_another_team(trace::ThreadNumber thread, const Waiting& waiting) const {
  const auto teams = teams_.find(thread);
  if (teams == teams_.end() || std::ranges::find(teams->second, waiting.wait.object) != teams->second.end())
    return false;
  const Kind kind = waiting.wait.kind;
  return std::ranges::any_of(teams->second, [&](trace::ObjectNumber each) {
    const Past& past = *deeds_.of(each);
    return past.kind == kind &&
           (kind == Kind::pool || deeds_.class_of(each, kind) == deeds_.class_of(waiting.wait.object, kind));
  });
}

bool Hopes::goes_on(trace::ThreadNumber thread) const {
  if (thread == 0) return false;
  if (has_ended(thread)) return false;
  const auto found = index_.find(thread);
  return found == index_.end() || !waiting_[found->second].stuck;
}

bool Hopes::is_stuck(const Waiting& waiting) const {
  if (waiting.needs_all) {
    return std::ranges::any_of(waiting.suspects, [&](const Suspect& each) { return !goes_on(each.answers); });
  }
  std::size_t found = 0;
  for (const Suspect& each : waiting.suspects) {
    if (goes_on(each.answers) && ++found >= waiting.needs) return false;
  }
  for (const trace::ThreadNumber each : waiting.kin) {
    if (goes_on(each) && ++found >= waiting.needs) return false;
  }
  return true;
}

/// From those that go on to those that hope for them: whoever is not reached is stuck.
void Hopes::spread(bool unknown_goes_on) {
  std::vector<std::vector<std::size_t>> hoped_by(waiting_.size());
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    waiting_[i].stuck = true;
    const auto hopes_for = [&](trace::ThreadNumber thread) {
      if (const auto found = index_.find(thread); found != index_.end()) hoped_by[found->second].push_back(i);
    };
    for (const Suspect& each : waiting_[i].suspects)
      hopes_for(each.answers);
    std::ranges::for_each(waiting_[i].kin, hopes_for);
  }
  std::vector<std::size_t> reached;
  const auto look_at = [&](std::size_t i) {
    Waiting& each = waiting_[i];
    if (!each.stuck) return;
    if (each.hope == Hope::unknown && !unknown_goes_on) return;
    if (each.hope == Hope::suspects && is_stuck(each)) return;
    each.stuck = false;
    reached.push_back(i);
  };
  for (std::size_t i = 0; i < waiting_.size(); ++i)
    look_at(i);
  for (std::size_t next = 0; next < reached.size(); ++next) {
    for (const std::size_t each : hoped_by[reached[next]])
      look_at(each);
  }
}

void Hopes::judge() {
  spread(false);
  standstill_ = stands_still();
  if (standstill_) return;
  do {
    spread(true);
  } while (hope_for_unseen(waiting_, process_, replay_));
}

namespace {

/// Where threads wait for the next piece of work, whoever brings it.
bool waits_for_work(const Waiting& waiting) {
  switch (waiting.wait.kind) {
    case Kind::condition:
      return true;
    case Kind::queue:
    case Kind::pool:
      return waiting.idle;
    default:
      return false;
  }
}

/// As main does for a signal that tells the program to stop.
bool waits_for_anybody(const Waiting& waiting) {
  return waiting.hope == Hope::unknown && waiting.wait.kind != Kind::thread && !can_be_held(waiting.wait.kind);
}

}  // namespace

/// Itself, or whom the thread that it joins waits for, and so on.
const Waiting& Hopes::last_of_joins(const Waiting& waiting) const {
  const Waiting* at = &waiting;
  for (std::size_t i = 0; i < waiting_.size() && at->wait.kind == Kind::thread; ++i) {
    const auto joined = index_.find(at->owner);
    if (joined == index_.end()) break;
    at = &waiting_[joined->second];
  }
  return *at;
}

/// Needs to know every thread there is, and of each wait that it has no limit.
bool Hopes::stands_still() const {
  if (replay_.ended_orderly() || waiting_.empty() || process_.unknown_threads != 0) return false;
  const Waiting* main = nullptr;
  bool main_known = false;
  for (const auto& [number, thread] : process_.threads) {
    if (thread.origin == trace::Origin::internal) continue;
    const auto found = index_.find(number);
    if (thread.origin == trace::Origin::foreign) return false;
    if (!has_ended(number) && (found == index_.end() || !waiting_[found->second].stuck)) return false;
    main_known |= thread.origin == trace::Origin::main;
    if (thread.origin == trace::Origin::main && found != index_.end()) main = &waiting_[found->second];
  }
  if (!main_known) return false;
  const bool all_known = std::ranges::all_of(waiting_, [&](const Waiting& each) {
    return process_.threads.contains(each.wait.thread) && each.wait.limit != trace::WaitLimit::unknown;
  });
  if (!all_known) return false;
  if (main == nullptr) return true;
  const Waiting& last = last_of_joins(*main);
  if (!waits_for_anybody(last)) return true;
  const bool others_had_a_part = process_.threads.size() > 1;
  return others_had_a_part &&
         std::ranges::none_of(waiting_, [&](const Waiting& each) { return &each != &last && waits_for_work(each); });
}

/// Of several one that is stuck, rather another than itself: who waits for all of them waits for that one.
void Hopes::choose_owner(Waiting& waiting) const {
  if (waiting.suspects.empty() || !(waiting.stuck || waiting.is_owned())) return;
  const auto is_stuck = [&](const Suspect& each) { return !goes_on(each.answers); };
  auto stuck = std::ranges::find_if(
      waiting.suspects, [&](const Suspect& each) { return is_stuck(each) && each.thread != waiting.wait.thread; });
  if (stuck == waiting.suspects.end()) stuck = std::ranges::find_if(waiting.suspects, is_stuck);
  const Suspect& chosen = stuck == waiting.suspects.end() ? waiting.suspects.front() : *stuck;
  if (waiting.is_owned() || waiting.owner == 0) {
    waiting.owner = chosen.thread;
    if (waiting.is_owned() && can_be_held(waiting.wait.kind) && chosen.deed.site != 0) {
      waiting.owner_site = chosen.deed.site;
      waiting.owner_since = chosen.deed.last;
      waiting.owner_since_known = chosen.deed.last != 0;
    }
  }
  waiting.owner_ended = has_ended(waiting.owner);
}

}  // namespace unspool
