// SPDX-License-Identifier: MIT
#include <unspool/analyze/messages.hpp>
#include <unspool/analyze/path.hpp>
#include <unspool/analyze/samples.hpp>
#include <unspool/replay/kinds.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>

namespace unspool {

using trace::Kind;
using trace::Verb;

std::string_view name_of(Path::Role role) {
  switch (role) {
    case Path::Role::runs:
      return "runs";
    case Path::Role::holds:
      return "holds";
    case Path::Role::waits:
      return "waits";
    case Path::Role::hand_over:
      return "hand_over";
    case Path::Role::starts:
      return "starts";
    case Path::Role::still:
      return "still";
    case Path::Role::left_out:
      break;
  }
  return "left_out";
}

/// Where the way back is, and how far each thread's wake-ups have been used.
struct Path::Walk {
  trace::ThreadNumber thread = 0;
  trace::Ticks time = 0;
  Wake held_for;  ///< the wait that `thread` was to end; of a lock it held meanwhile
  std::unordered_map<trace::ThreadNumber, std::uint64_t> cursors;
};

void Path::record(const Record& record) {
  if (record.row == nullptr || record.thread == 0) return;
  const Kind kind = record.row->kind;
  if (kind == Kind::definition || kind == Kind::trace || kind == Kind::status) return;
  if (first_ == 0) first_ = record.time;
  first_ = std::min(first_, record.time);
  if (kind == Kind::thread) note_birth(record);
  if (LastDeeds::hears(*record.row)) deeds_.note(record);
  if (in_time(record.time) && filter_.thread(record.thread)) last_ = {record.thread, std::max(last_.time, record.time)};
  if (kind == Kind::message) look_for(record);
}

/// The first one from which on, and the first behind that up to which.
void Path::look_for(const Record& record) {
  const bool wants_from = !between_.from.empty() && !from_met_;
  const bool wants_to = !between_.to.empty() && !to_met_;
  if ((!wants_from && !wants_to) || !filter_.time(record.time) || !filter_.thread(record.thread)) return;
  const std::string text = text_of(record);
  if (wants_from) {
    from_met_ = text.find(between_.from) != std::string::npos;
    if (from_met_) from_ = record.time;
    return;
  }
  to_met_ = text.find(between_.to) != std::string::npos;
}

void Path::note_birth(const Record& record) {
  const auto child = static_cast<trace::ThreadNumber>(record.object);
  if (record.row->verb == Verb::start) {
    Birth& birth = births_[child];
    birth.creator = record.thread;
    birth.site = record.site;
    birth.started = record.time;
  } else if (record.row->verb == Verb::begin) {
    Birth& birth = births_[record.thread];
    birth.begun = record.time;
    birth.has_begun = true;
  }
}

void Path::held(const ObjectState& object, const Hold& hold) {
  holds_[object.number] = hold;
}

void Path::destroyed(const ObjectState& object) {
  holds_.erase(object.number);
  deeds_.destroyed(object.number);
}

/// Without a wait, but spinning until somebody released.
void Path::acquired(const ObjectState& object, const Record& record, trace::Ticks spun, bool waited) {
  if (waited || spun == 0) return;
  const auto found = holds_.find(object.number);
  if (found == holds_.end()) return;
  const Hold& hold = found->second;
  const trace::Ticks since = record.time - std::min(spun, record.time);
  if (hold.until <= since || hold.until > record.time || hold.releaser == record.thread) return;
  add_wake({record.thread, hold.releaser, since, hold.until, record.time, object.number, object.kind, record.site,
            hold.site, hold.thread == hold.releaser ? hold.since : hold.until, 0});
}

void Path::waited(const ObjectState* object, const Wait& wait) {
  if (wait.ending == Ending::lost) return;
  Wake wake{wait.thread, 0, wait.since, wait.until, wait.until, wait.object, wait.kind, wait.site, 0, wait.until, 0};
  const bool ended = wait.ending == Ending::acquired || wait.ending == Ending::continued || wait.waker != 0;
  const auto found = holds_.find(wait.object);
  if (wait.ending == Ending::unended) {
    // The innermost is told first, and is what the thread waits for.
    open_.try_emplace(wait.thread, wake);
    return;
  }
  if (ended && object != nullptr && can_be_held(wait.kind) && found != holds_.end() &&
      found->second.until > wait.since && found->second.until <= wait.until) {
    const Hold& hold = found->second;
    wake.waker = hold.releaser;
    wake.woken = hold.until;
    wake.waker_site = hold.site;
    wake.held_since = hold.thread == hold.releaser ? hold.since : hold.until;
  } else if (ended) {
    wake.waker = wait.kind == Kind::thread ? static_cast<trace::ThreadNumber>(wait.object) : wait.waker;
    wake.waker_site = wait.waker_site;
    const LastDeeds::Deed deed = deeds_.of(wait.object, wake.waker, wait.since, wait.until);
    if (deed.time != 0) wake.woken = deed.time;
  }
  if (wake.waker == wait.thread) wake.waker = 0;
  add_wake(wake);
}

/// A Condition's wait holds the one for its lock: what ended last decides.
void Path::add_wake(Wake wake) {
  if (wake.since > filter_.to() || (to_met_ && wake.since > last_.time)) return;
  std::uint64_t& head = heads_[wake.thread];
  while (is_kept(head) && this->wake(head).since >= wake.since) {
    const Wake& inner = this->wake(head);
    if (inner.waker != 0 && (wake.waker == 0 || inner.until >= wake.woken)) return;
    head = inner.previous;
  }
  wake.previous = head;
  head = ++count_;
  if (wakes_.size() < most_wakes) {
    wakes_.push_back(wake);
  } else {
    this->wake(count_) = wake;
  }
}

void Path::finished(const Replay& replay) {
  if (!found() || !to_met()) {
    last_ = {};
    return;
  }
  since_ = std::max({first_, filter_.from(), from_});
  until_ = last_.time;
  const auto open = open_.find(last_.thread);
  if (between_.to.empty() && open != open_.end()) {
    until_ = std::max(until_, std::min(replay.last_sign_of_life(), filter_.to()));
  }
  since_ = std::min(since_, until_);
  walk();
  std::ranges::sort(steps_, [](const Step& a, const Step& b) { return a.since < b.since; });
}

/// The last wait that began before where the way back is.
const Path::Wake* Path::before(Walk& walk) {
  const auto head = heads_.find(walk.thread);
  std::uint64_t& cursor = walk.cursors.try_emplace(walk.thread, head == heads_.end() ? 0 : head->second).first->second;
  while (is_kept(cursor) && (wake(cursor).since >= walk.time && wake(cursor).until > walk.time))
    cursor = wake(cursor).previous;
  if (cursor != 0 && !is_kept(cursor)) cut_ = true;
  if (!is_kept(cursor)) return nullptr;
  const Wake& found = wake(cursor);
  cursor = found.previous;
  return &found;
}

void Path::walk() {
  Walk walk{last_.thread, until_, {}, {}};
  if (const auto open = open_.find(walk.thread); open != open_.end() && open->second.since < walk.time) {
    const Wake& wake = open->second;
    step(walk, {Role::still, walk.thread, class_of(wake.object, wake.kind), wake.kind, wake.site}, wake.since);
  }
  while (walk.time > since_) {
    const Wake* const wake = before(walk);
    if (wake != nullptr) {
      go_back(walk, *wake);
    } else if (cut_ || !go_to_creator(walk)) {
      break;
    }
  }
  if (cut_) {
    // Nobody knows what it did before the oldest wake-up that was kept.
    since_ = std::min(walk.time, std::max(since_, wake(count_ - wakes_.size() + 1).until));
  }
  ran(walk, since_);
}

void Path::go_back(Walk& walk, const Wake& wake) {
  ran(walk, std::min(wake.until, walk.time));
  const trace::ObjectNumber object = class_of(wake.object, wake.kind);
  if (wake.waker == 0 || wake.woken > walk.time) {
    step(walk, {Role::waits, wake.thread, object, wake.kind, wake.site}, wake.since);
    return;
  }
  step(walk, {Role::hand_over, wake.thread, object, wake.kind, can_be_held(wake.kind) ? 0 : wake.waker_site},
       wake.woken);
  walk.thread = wake.waker;
  walk.held_for = wake;
}

/// Before its first Record a thread was started by another. False where the way ends.
bool Path::go_to_creator(Walk& walk) {
  const auto found = births_.find(walk.thread);
  if (found == births_.end() || !found->second.has_begun || found->second.creator == 0) return false;
  const Birth birth = found->second;
  births_.erase(found);  // once: nothing goes round in circles
  ran(walk, birth.begun);
  step(walk, {Role::starts, walk.thread, 0, Kind::thread, birth.site}, birth.started);
  walk.thread = birth.creator;
  walk.held_for = {};
  return true;
}

/// Back to `since`; the lock for which the path waits next was held for a part of that.
void Path::ran(Walk& walk, trace::Ticks since) {
  const Wake& next = walk.held_for;
  if (next.thread != 0 && can_be_held(next.kind) && next.held_since < walk.time) {
    step(walk, {Role::holds, walk.thread, class_of(next.object, next.kind), next.kind, next.waker_site},
         std::max(since, next.held_since));
  }
  step(walk, {Role::runs, walk.thread, 0, Kind::trace, 0}, since);
}

void Path::step(Walk& walk, const What& what, trace::Ticks since) {
  const trace::Ticks until = walk.time;
  walk.time = std::max(since_, std::min(since, until));
  if (walk.time == until) return;
  const auto known = parts_.find(what);
  Part& part = known != parts_.end()        ? known->second
               : parts_.size() < most_parts ? parts_[what]
                                            : parts_[{Role::left_out, 0, 0, Kind::trace, 0}];
  part.ticks = add_saturated(part.ticks, until - walk.time);
  ++part.steps;
  ++all_steps_;
  steps_.push_back({what, walk.time, until});
  if (steps_.size() < 2 * most_steps) return;
  const auto longer = [](const Step& a, const Step& b) { return a.ticks() > b.ticks(); };
  std::ranges::nth_element(steps_, steps_.begin() + most_steps, longer);
  steps_.resize(most_steps);
}

/// The first of its class that was seen: a server makes objects without end.
trace::ObjectNumber Path::class_of(trace::ObjectNumber object, Kind kind) {
  const auto found = process_.objects.find(object);
  if (found == process_.objects.end() || kind == Kind::thread) return object;
  if (classes_.size() > most_parts) return 0;
  return classes_.try_emplace({kind, found->second.site, found->second.name}, object).first->second;
}

}  // namespace unspool
