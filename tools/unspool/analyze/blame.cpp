// SPDX-License-Identifier: MIT
#include <unspool/analyze/blame.hpp>
#include <unspool/analyze/samples.hpp>
#include <unspool/replay/kinds.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>
#include <tuple>

namespace unspool {

using Role = BlameStep::Role;
using trace::Effect;
using trace::Kind;

namespace {

/// A little effort: so many looks at open waits, and a fraction of one more for each Record. To find a chain is worth
/// many.
constexpr std::uint64_t looks_in_all = 4'000'000;
constexpr std::uint64_t records_a_look = 16;
constexpr std::uint64_t looks_a_chain = 20;
/// After so many it is foreseen whether the whole of the Records takes several times of what there is.
constexpr std::uint64_t looks_to_foresee = 500'000;
constexpr double clearly_too_many = 4;

std::uint64_t looks_for(std::uint64_t records) {
  return looks_in_all + records / records_a_look;
}

}  // namespace

std::string_view name_of(Role role) {
  switch (role) {
    case Role::waits:
      return "waits";
    case Role::runs:
      return "runs";
    case Role::gives:
      return "gives";
    case Role::signal:
      return "signal";
    case Role::limit:
      return "limit";
    case Role::woken:
      return "woken";
    case Role::ended:
      return "ended";
    case Role::hand_over:
      return "hand_over";
    case Role::readers:
      return "readers";
    case Role::cycle:
      return "cycle";
    case Role::rest:
      return "rest";
    case Role::unknown:
      break;
  }
  return "unknown";
}

bool Blame::covers(const Wait& wait) {
  return wait.kind == Kind::thread || can_be_held(wait.kind);
}

bool Blame::hears(const trace::Row& row) const {
  return row.kind != Kind::message && row.kind != Kind::definition;
}

const Wait* Blame::wait_of(trace::ThreadNumber thread) const {
  const auto found = replay_->threads().find(thread);
  return found == replay_->threads().end() || found->second.waits.empty() ? nullptr : &found->second.waits.back();
}

/// Before the Record's effect: the chains that it may change are charged up to it, and found anew after it.
void Blame::record(const Record& record) {
  if (given_up_ || record.row == nullptr || !Blame::hears(*record.row)) return;
  const trace::Row& row = *record.row;
  refresh();
  if (row.effect == Effect::wait || row.kind == Kind::status) {
    begins_ = record.thread;
    begins_to_read_ = verb_of_wait(record) == trace::Verb::block_shared;
  }
  if (is_signal(row.kind) && LastDeeds::hears(row)) deeds_.note(record);
  if (row.kind == Kind::thread && row.verb == trace::Verb::end) trails_.ended(record.thread);
  // What refresh() has found may be concerned, too.
  const bool of_thread = is_of_thread(record);
  if (of_thread || objects_.has(record.object)) touch(record, of_thread);
}

/// Whether it may change chains because of its thread. A take or a release does so only where the thread has waited;
/// others do not count, not even as a moment up to which is charged: as plain holds they are not told one by one.
bool Blame::is_of_thread(const Record& record) const {
  using enum Effect;
  if (reader_chains_ == 0 && !threads_.has(record.thread)) return false;
  switch (record.row->effect) {
    case acquire:
    case release:
    case share:
    case unshare:
      return wait_of(record.thread) != nullptr;
    default:
      return true;
  }
}

bool Blame::foresees_too_much() const {
  const std::uint64_t all = process_.about_records;
  if (work_ < looks_to_foresee || all <= replay_->records()) return false;
  const double looks = static_cast<double>(work_) / static_cast<double>(replay_->records()) * static_cast<double>(all);
  return looks > clearly_too_many * static_cast<double>(looks_for(all));
}

void Blame::work(std::uint64_t looks) {
  work_ += looks;
  if (effort_ == Effort::all || (work_ < looks_for(replay_->records()) && !foresees_too_much())) return;
  given_up_ = true;
  open_.clear();
  nodes_.resize(1);
  children_.clear();
  trails_ = {};
  deeds_ = {};
  total_ = signal_total_ = 0;
}

void Blame::touch(const Record& record, bool of_thread) {
  work(open_.size());
  // A wait that is told once it has lasted was what its thread did since it began.
  const bool began_before = record.row->kind == Kind::status && record.row->verb == trace::Verb::wait;
  const trace::Ticks at = began_before ? std::min(record.since, record.time) : record.time;
  for (auto& [thread, open] : open_) {
    bool touched = std::ranges::find(open.objects, record.object) != open.objects.end();
    if (of_thread && !touched && !open.chain.empty()) {
      touched = open.chain.back().role == Role::readers ||
                std::ranges::find(open.chain, record.thread, &BlameStep::thread) != open.chain.end();
    }
    if (!touched || !turn_to_unseen(open, record)) continue;
    charge(open, at);
    open.stale = any_stale_ = true;
  }
}

/// Where acquires are missing, what looks like hand-over may be a hold that only its end tells of. False: this Record
/// does not tell either.
bool Blame::turn_to_unseen(Open& open, const Record& record) {
  const bool free = !open.stale && !open.chain.empty() && open.chain.back().role == Role::hand_over;
  if (!free || open.objects.back() != record.object) return true;
  const auto found = replay_->objects().find(record.object);
  if (found == replay_->objects().end() || found->second.complete) return true;
  const Holder holder = replay_->taken_unseen(found->second, record);
  if (holder.tenant == Holder::Tenant::nobody) {
    const Effect effect = record.row->effect;
    const bool in_chain = std::ranges::find(open.chain, record.thread, &BlameStep::thread) != open.chain.end();
    return effect != Effect::wait && record.row->kind != Kind::status && (effect != Effect::fail || in_chain);
  }
  std::vector<BlameStep> chain = open.chain;
  chain.back() = {};
  if (holder.tenant == Holder::Tenant::thread) chain.back() = {Role::runs, holder.thread, holder.site, 0, Kind::trace};
  open.node = node_of(chain);
  return true;
}

void Blame::watch(const Open& open) {
  for (const trace::ObjectNumber object : open.objects)
    objects_.add(object);
  for (const BlameStep& step : open.chain)
    threads_.add(step.thread);
  if (!open.chain.empty() && open.chain.back().role == Role::readers) ++reader_chains_;
}

void Blame::unwatch(const Open& open) {
  for (const trace::ObjectNumber object : open.objects)
    objects_.remove(object);
  for (const BlameStep& step : open.chain)
    threads_.remove(step.thread);
  if (!open.chain.empty() && open.chain.back().role == Role::readers) --reader_chains_;
}

void Blame::refresh() {
  if (begins_ != 0 && !open_.contains(begins_)) {
    if (const Wait* const wait = wait_of(begins_); wait != nullptr && covers(*wait)) {
      Open& open = open_[begins_];
      open.until = wait->since;
      open.reads = begins_to_read_;
      any_stale_ = true;
    }
  }
  begins_ = 0;
  if (!any_stale_) return;
  std::uint64_t chains = 0;
  for (auto& [thread, open] : open_) {
    if (!open.stale) continue;
    find_chain(thread, open);
    ++chains;
  }
  any_stale_ = false;
  work(chains * looks_a_chain);
}

/// Whom a reader that readers keep out waits for: of the writers that came before it the first.
const Wait* Blame::writer_before(const Wait& wait) const {
  const Wait* first = nullptr;
  const auto own = open_.find(wait.thread);
  if (own == open_.end() || !own->second.reads) return first;
  for (const auto& [thread, open] : open_) {
    const Wait* const other = wait_of(thread);
    if (other == nullptr || other->object != wait.object || open.reads || other->since > wait.since) continue;
    if (first == nullptr || std::tie(other->since, other->thread) < std::tie(first->since, first->thread))
      first = other;
  }
  return first;
}

/// What a thread in this wait waits for, as a step.
BlameStep Blame::next_step(const Wait& wait) const {
  if (wait.kind == Kind::thread) return {Role::runs, static_cast<trace::ThreadNumber>(wait.object), 0, 0, Kind::thread};
  const auto found = replay_->objects().find(wait.object);
  if (found == replay_->objects().end()) return {};
  const ObjectState& object = found->second;
  const Holder& holder = object.now().holder;
  if (!object.readers.empty()) {
    const Wait* const writer = writer_before(wait);
    if (writer != nullptr) return {Role::runs, writer->thread, writer->site, 0, Kind::trace};
  }
  switch (holder.tenant) {
    case Holder::Tenant::thread:
      return {Role::runs, holder.thread, holder.site, 0, Kind::trace};
    case Holder::Tenant::nobody:
      return {Role::hand_over, 0, 0, 0, Kind::trace};
    case Holder::Tenant::others: {
      const auto waits = [this](const Reader& each) { return wait_of(each.thread) != nullptr; };
      const auto reader = std::ranges::find_if(object.readers, waits);
      if (reader == object.readers.end()) return {Role::readers, 0, holder.site, 0, Kind::trace};
      return {Role::runs, reader->thread, reader->site, 0, Kind::trace};
    }
    case Holder::Tenant::unknown:
      break;
  }
  return {};
}

void Blame::find_chain(trace::ThreadNumber thread, Open& open) {
  open.stale = false;
  open.turns = 0;
  unwatch(open);
  open.chain.clear();
  open.objects.clear();
  while (open.chain.size() < most_steps) {
    const Wait* const wait = wait_of(thread);
    if (wait == nullptr) break;
    if (!covers(*wait) && open.chain.empty()) break;
    if (!covers(*wait)) {
      open.chain.back() = {Role::signal, thread, wait->site, class_of(wait->object, wait->kind), wait->kind};
      break;
    }
    const BlameStep step{Role::waits, thread, wait->site, class_of(wait->object, wait->kind), wait->kind};
    if (open.chain.empty()) {
      open.chain.push_back(step);
    } else {
      open.chain.back() = step;
    }
    open.objects.push_back(wait->object);
    BlameStep next = next_step(*wait);
    open.turns = next.role == Role::hand_over ? end_of_hold(open, *wait) : 0;
    if (open.turns != 0) {
      open.chain.push_back(next);
      open.turned = node_of(open.chain);
      open.chain.back() = {Role::runs, wait->owner, wait->owner_site, 0, Kind::trace};
      break;
    }
    const bool again =
        next.thread != 0 && std::ranges::find(open.chain, next.thread, &BlameStep::thread) != open.chain.end();
    if (again) next.role = Role::cycle;
    open.chain.push_back(next);
    if (next.role != Role::runs) break;
    thread = next.thread;
    const auto state = replay_->threads().find(thread);
    if (state != replay_->threads().end() && state->second.life == ThreadState::Life::ended)
      open.chain.back().role = Role::ended;
  }
  if (!open.chain.empty() && open.chain.back().role == Role::waits) open.chain.push_back({});
  open.node = open.chain.empty() ? child(0, {}) : node_of(open.chain);
  watch(open);
}

/// A plain hold comes as a whole: who began to wait within it, and gave up, waited for its holder up to its end.
trace::Ticks Blame::end_of_hold(const Open& open, const Wait& wait) const {
  const auto found = replay_->objects().find(wait.object);
  if (found == replay_->objects().end() || wait.announced || wait.owner == 0) return 0;
  const Tenure& now = found->second.now();
  const bool was_held = now.holder.tenant == Holder::Tenant::nobody && now.from_known && wait.since < now.from;
  return was_held && open.until < now.from ? now.from : 0;
}

void Blame::charge(Open& open, trace::Ticks until) {
  if (until <= open.until) return;
  if (open.turns != 0 && open.turns < until) {
    add_part(open.parts, open.node, open.turns - open.until);
    open.until = std::exchange(open.turns, 0);
    open.node = open.turned;
  }
  add_part(open.parts, open.node, until - open.until);
  open.until = until;
}

void Blame::waited(const ObjectState*, const Wait& wait) {
  if (given_up_) return;
  if (covers(wait)) {
    owned(wait);
  } else if (is_signal(wait.kind)) {
    signalled(wait);
  }
}

void Blame::owned(const Wait& wait) {
  // In the middle of a Record nobody's chain can be found; after the last one all can.
  const bool goes_on = wait.ending == Ending::unended;
  if (goes_on) refresh();
  if (given_up_) return;
  Open open;
  if (const auto found = open_.find(wait.thread); found != open_.end()) {
    open = std::move(found->second);
    open_.erase(found);
  } else {
    open.until = wait.since;
    open.node = child(0, {});
    if (goes_on) find_chain(wait.thread, open);
  }
  unwatch(open);
  if (wait.ending == Ending::lost) return;
  charge(open, wait.until);
  for (const auto& [node, ticks] : open.parts)
    add_part(open.settled, node, ticks);
  // Other threads' clocks may have put more on the chains than the wait is long.
  trace::Ticks left = wait.ticks();
  for (auto& [node, ticks] : open.settled) {
    ticks = std::min(ticks, left);
    left -= ticks;
  }
  add_part(open.settled, open.node, left);
  if (!goes_on) trails_.add(wait.thread, wait.since, wait.until, open.settled);
  if (wait_of(wait.thread) != nullptr) inner_[wait.thread] = {wait.since, wait.until};
  count(wait, open.settled, total_);
}

void Blame::count(const Wait& wait, const ChainParts& parts, trace::Ticks& total) {
  if (!filter_.passes(wait)) return;
  for (const auto& [node, ticks] : parts) {
    nodes_[node].ticks = add_saturated(nodes_[node].ticks, ticks);
    total = add_saturated(total, ticks);
  }
  divided(wait, parts);
}

}  // namespace unspool
