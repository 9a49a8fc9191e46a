// SPDX-License-Identifier: MIT
#include <unspool/analyze/blame.hpp>
#include <unspool/analyze/samples.hpp>
#include <unspool/replay/kinds.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>

namespace unspool {

using Role = BlameStep::Role;
using trace::Kind;

namespace {

/// A longer chain is cut: its last thread counts as unknown.
constexpr std::size_t most_steps = 64;

}  // namespace

std::string_view name_of(Role role) {
  switch (role) {
    case Role::waits:
      return "waits";
    case Role::runs:
      return "runs";
    case Role::signal:
      return "signal";
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

const Wait* Blame::wait_of(trace::ThreadNumber thread) const {
  const auto found = replay_->threads().find(thread);
  return found == replay_->threads().end() || found->second.waits.empty() ? nullptr : &found->second.waits.back();
}

/// Before the Record's effect: the chains that it may change are charged up to it, and found anew after it.
void Blame::record(const Record& record) {
  refresh();
  if (record.row == nullptr || record.row->kind == Kind::message || record.row->kind == Kind::definition) return;
  begins_ = record.thread;
  for (auto& [thread, open] : open_) {
    const bool touched = std::ranges::find(open.objects, record.object) != open.objects.end() ||
                         std::ranges::find(open.chain, record.thread, &BlameStep::thread) != open.chain.end() ||
                         (!open.chain.empty() && open.chain.back().role == Role::readers);
    if (!touched) continue;
    charge(open, record.time);
    open.stale = any_stale_ = true;
  }
}

void Blame::refresh() {
  if (begins_ != 0 && !open_.contains(begins_)) {
    if (const Wait* const wait = wait_of(begins_); wait != nullptr && covers(*wait)) {
      open_[begins_].until = wait->since;
      any_stale_ = true;
    }
  }
  begins_ = 0;
  if (!any_stale_) return;
  for (auto& [thread, open] : open_) {
    if (open.stale) find_chain(thread, open);
  }
  any_stale_ = false;
}

/// What a thread in this wait waits for, as a step.
BlameStep Blame::next_step(const Wait& wait) const {
  if (wait.kind == Kind::thread) return {Role::runs, static_cast<trace::ThreadNumber>(wait.object), 0, 0, Kind::thread};
  const auto found = replay_->objects().find(wait.object);
  if (found == replay_->objects().end()) return {};
  const ObjectState& object = found->second;
  const Holder& holder = object.now().holder;
  switch (holder.tenant) {
    case Holder::Tenant::thread:
      return {Role::runs, holder.thread, holder.site, 0, Kind::trace};
    case Holder::Tenant::nobody:
      return {Role::hand_over, 0, 0, 0, Kind::trace};
    case Holder::Tenant::others: {
      const auto waits = [this](const Reader& each) { return wait_of(each.thread) != nullptr; };
      const auto reader = std::ranges::find_if(object.readers, waits);
      if (reader == object.readers.end()) return {Role::readers, 0, 0, 0, Kind::trace};
      return {Role::runs, reader->thread, reader->site, 0, Kind::trace};
    }
    case Holder::Tenant::unknown:
      break;
  }
  return {};
}

void Blame::find_chain(trace::ThreadNumber thread, Open& open) {
  open.stale = false;
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
}

void Blame::charge(Open& open, trace::Ticks until) {
  if (until <= open.until) return;
  const trace::Ticks ticks = until - open.until;
  open.until = until;
  const auto same = std::ranges::find(open.parts, open.node, &std::pair<std::size_t, trace::Ticks>::first);
  if (same == open.parts.end()) {
    open.parts.emplace_back(open.node, ticks);
  } else {
    same->second += ticks;
  }
}

void Blame::waited(const ObjectState*, const Wait& wait) {
  if (!covers(wait)) return;
  // In the middle of a Record nobody's chain can be found; after the last one all can.
  const bool goes_on = wait.ending == Ending::unended;
  if (goes_on) refresh();
  Open open;
  if (const auto found = open_.find(wait.thread); found != open_.end()) {
    open = std::move(found->second);
    open_.erase(found);
  } else {
    open.until = wait.since;
    open.node = child(0, {});
    if (goes_on) find_chain(wait.thread, open);
  }
  if (wait.ending == Ending::lost || !filter_.passes(wait)) return;
  charge(open, wait.until);
  // Other threads' clocks may have put more on the chains than the wait is long.
  trace::Ticks left = wait.ticks();
  for (auto& [node, ticks] : open.parts) {
    ticks = std::min(ticks, left);
    left -= ticks;
  }
  if (left != 0) open.parts.emplace_back(open.node, left);
  for (const auto& [node, ticks] : open.parts)
    nodes_[node].ticks = add_saturated(nodes_[node].ticks, ticks);
  divided(wait, open.parts);
  total_ = add_saturated(total_, wait.ticks());
}

std::size_t Blame::node_of(const std::vector<BlameStep>& chain) {
  std::size_t node = 0;
  for (const BlameStep& step : chain)
    node = child(node, step);
  return node;
}

std::size_t Blame::child(std::size_t parent, const BlameStep& step) {
  if (nodes_[parent].step.role == Role::rest) return parent;
  if (const auto found = children_.find({parent, step}); found != children_.end()) return found->second;
  if (nodes_.size() >= most_nodes && step.role != Role::rest) return child(0, {Role::rest, 0, 0, 0, Kind::trace});
  nodes_.push_back({step, parent, 0});
  children_[{parent, step}] = nodes_.size() - 1;
  return nodes_.size() - 1;
}

/// The first of its class that was seen: a server makes objects without end.
trace::ObjectNumber Blame::class_of(trace::ObjectNumber object, Kind kind) {
  const auto found = process_.objects.find(object);
  if (found == process_.objects.end() || kind == Kind::thread) return object;
  if (classes_.size() > most_nodes) return 0;
  return classes_.try_emplace({kind, found->second.site, found->second.name}, object).first->second;
}

}  // namespace unspool
