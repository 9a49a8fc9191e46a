// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <unspool/analyze/fingerprint.hpp>
#include <unspool/analyze/messages.hpp>
#include <unspool/analyze/misuse.hpp>
#include <unspool/analyze/snapshot.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <tuple>
#include <utility>

namespace unspool {

using trace::Kind;
using trace::Verb;

namespace {

constexpr std::size_t most_kept = 10'000;
constexpr std::uint64_t long_holds_a_second = 10;  // a tenth of a second is long
constexpr std::size_t longest_text = 1000;
constexpr std::size_t most_texts = 8;  // of one line
constexpr std::size_t most_left = 16;  // locks of one thread
constexpr std::size_t most_threads = 16;

trace::Level level_of(const Record& record) {
  if (record.message != nullptr) return record.message->level;
  return record.bytes.empty() ? trace::Level::info : static_cast<trace::Level>(record.bytes[0]);
}

/// Without numbers and addresses.
std::uint64_t shape_of(std::string_view text) {
  const auto is_word = [](char each) { return std::isalnum(static_cast<unsigned char>(each)) != 0 || each == '_'; };
  Fingerprint shape;
  std::string rest;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins_word = i == 0 || !is_word(text[i - 1]);
    if (begins_word && text.substr(i).starts_with("0x")) {
      while (i < text.size() && is_word(text[i]))
        ++i;
    }
    if (i < text.size() && (text[i] < '0' || text[i] > '9')) rest += text[i];
  }
  shape.add(rest);
  return shape.value();
}

}  // namespace

std::string_view name_of(Slip slip) {
  constexpr std::array<std::string_view, slip_count> names{"lost wake-up",   "held at the end of a thread",
                                                           "double release", "destroyed in use",
                                                           "orphaned",       "thread ended by exception",
                                                           "no thread made", "error message",
                                                           "task threw",     "broken barrier",
                                                           "long hold",      "timeout",
                                                           "alive at exit"};
  return names[static_cast<std::size_t>(slip)];
}

std::string_view name_of(Severity severity) {
  return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note";
}

Severity severity_of(Slip slip) {
  if (slip <= Slip::error) return Severity::error;
  return slip <= Slip::long_hold ? Severity::warning : Severity::note;
}

Misuses::Misuses(const Process& process, const Filter& filter, const LostNotifies& notifies)
    : process_{process}, filter_{filter}, notifies_{notifies}, long_hold_{process.frequency / long_holds_a_second} {}

bool Misuses::passes(trace::ThreadNumber thread, trace::ObjectNumber object, Kind kind, trace::Ticks time) const {
  return filter_.thread(thread) && filter_.object(object, kind) && filter_.time(time);
}

Misuse* Misuses::add(Slip slip, trace::SiteNumber site, trace::ObjectNumber object, Kind kind,
                     trace::ThreadNumber thread, trace::Ticks time, std::uint64_t text) {
  const auto defined = process_.objects.find(object);
  const std::uint64_t made_at = defined == process_.objects.end() ? 0 : defined->second.site;
  const Key key{slip, site, std::uint64_t{static_cast<std::uint8_t>(kind)} << 32U | made_at, text};
  const auto found = found_.find(key);
  if (found == found_.end() && found_.size() >= most_kept) {
    ++more_;
    return nullptr;
  }
  Misuse& misuse = found == found_.end() ? found_[key] : found->second;
  if (misuse.count++ == 0) {
    misuse.slip = slip;
    misuse.site = site;
    misuse.kind = kind;
    misuse.object = object;
    misuse.thread = thread;
    misuse.first = time;
  }
  misuse.last = time;
  std::vector<trace::ThreadNumber>& threads = misuse.threads;
  if (threads.size() < most_threads && std::ranges::find(threads, thread) == threads.end()) threads.push_back(thread);
  return &misuse;
}

Misuse* Misuses::add(Slip slip, const Record& record) {
  if (!filter_.passes(record)) return nullptr;
  return add(slip, record.site, record.object, record.row->kind, record.thread, record.time);
}

bool Misuses::hears(const trace::Row& row) const {
  if (row.kind == Kind::message || row.kind == Kind::thread) return true;
  const bool task_ends = row.kind == Kind::pool && row.verb == Verb::end;
  return row.verb == Verb::destroy || task_ends || row.effect == trace::Effect::fail;
}

void Misuses::record(const Record& record) {
  if (record.row == nullptr) return;
  switch (record.row->kind) {
    case Kind::message:
      return message(record);
    case Kind::thread:
      return thread(record);
    case Kind::trace:
    case Kind::status:
    case Kind::definition:
      return;
    default:
      break;
  }
  if (record.row->verb == Verb::destroy) {
    destruction(record);
  } else if (record.row->verb == Verb::end && record.row->kind == Kind::pool && record.b != 0) {
    add(Slip::task_exception, record);
  } else if (record.row->effect == trace::Effect::fail) {
    failure(record);
  }
}

void Misuses::message(const Record& record) {
  const trace::Level level = level_of(record);
  if (level < trace::Level::error || level >= trace::Level::off) return;
  if (!filter_.passes(record)) return;
  std::string text = text_of(record).substr(0, longest_text);
  Misuse* const misuse = add(Slip::error, record.site, record.object, record.row->kind, record.thread, record.time,
                             text_number(record.site, text));
  if (misuse != nullptr && misuse->count == 1) misuse->text = std::move(text);
}

/// 0: one of the texts of this line that are not told apart.
std::uint64_t Misuses::text_number(trace::SiteNumber site, std::string_view text) {
  if (texts_.size() >= most_kept && !texts_.contains(site)) return 0;
  std::set<std::uint64_t>& texts = texts_[site];
  const std::uint64_t shape = shape_of(text);
  if (texts.size() < most_texts) texts.insert(shape);
  return texts.contains(shape) ? shape : 0;
}

void Misuses::thread(const Record& record) {
  if (record.row->verb == Verb::refuse) {
    if (Misuse* const misuse = add(Slip::no_thread, record)) misuse->number = record.a;
  }
  if (record.row->effect == trace::Effect::fail) failure(record);
  if (record.row->verb != Verb::end) return;
  if (record.a == static_cast<std::uint32_t>(trace::Outcome::exception)) add(Slip::exception, record);
  if (record.b == 0) return;
  if (ended_holding_.size() < most_kept) {
    ended_holding_.push_back({record.thread, record.time, record.b});
  } else {
    ++more_;
  }
}

void Misuses::failure(const Record& record) {
  if (record.row->verb == Verb::timeout) add(Slip::timeout, record);
  if (record.row->verb == Verb::orphan) add(Slip::orphaned, record);
  if (record.row->verb != Verb::broken) return;
  Misuse* const misuse = add(Slip::broken_barrier, record);
  if (misuse == nullptr || misuse->count > 1) return;
  misuse->cause = other_thread(record);
  misuse->cause_site = other_site(record);
}

/// The last two fields say who holds it, or how many wait.
void Misuses::destruction(const Record& record) {
  switch (record.row->kind) {
    case Kind::lock:
    case Kind::rlock:
    case Kind::shared_lock:
    case Kind::condition:
    case Kind::event:
    case Kind::barrier:
      if (record.a != 0) add(Slip::destroyed_in_use, record);
      return;
    case Kind::semaphore:
    case Kind::bounded_semaphore:
    case Kind::queue:
      if (record.b != 0) add(Slip::destroyed_in_use, record);
      return;
    default:
      return;
  }
}

void Misuses::held(const ObjectState& object, const Hold& hold) {
  if (hold.ticks() >= long_hold_ && filter_.passes(hold, object.kind)) add_long_hold(hold, object.kind);
}

Misuse* Misuses::add_long_hold(const Hold& hold, Kind kind) {
  Misuse* const misuse = add(Slip::long_hold, hold.site, hold.object, kind, hold.thread, hold.since);
  if (misuse == nullptr || hold.ticks() <= misuse->longest) return misuse;
  misuse->longest = hold.ticks();
  misuse->object = hold.object;
  misuse->thread = hold.thread;
  return misuse;
}

void Misuses::waited(const ObjectState*, const Wait& wait) {
  if (wait.kind != Kind::condition || wait.ending != Ending::unended) return;
  const LostNotifies::Notify* const lost = notifies_.before_wait(wait.thread, wait.object);
  if (lost == nullptr || !lost->holds_known) return;
  const LostNotifies::Notify& notify = *lost;
  if (!filter_.passes(wait) && !passes(notify.thread, wait.object, wait.kind, notify.time)) return;
  Misuse* const misuse = add(Slip::lost_wake_up, notify.site, wait.object, wait.kind, notify.thread, notify.time);
  if (misuse == nullptr) return;
  if (!lost_.insert(notify.order).second) --misuse->count;  // on one more
  if (misuse->number++ != 0 && misuse->since <= wait.since) return;
  misuse->waiter = wait.thread;
  misuse->since = wait.since;
}

/// A signal that came late: its thread was gone when another one released what it had acquired for that.
void Misuses::released_by_other(const ObjectState&, const Record& record) {
  constexpr std::size_t most_recent = 64;
  std::size_t seen = 0;
  for (auto each = ended_holding_.rbegin(); each != ended_holding_.rend() && seen < most_recent; ++each, ++seen) {
    if (each->thread != record.b || each->locks == 0) continue;
    --each->locks;
    return;
  }
}

/// What is held still names itself; of a lock that was destroyed since, only the thread is told.
void Misuses::add_held_at_end(const Replay& replay) {
  if (ended_holding_.empty()) return;
  const auto held = held_objects(replay);
  for (const EndedHolding& each : ended_holding_) {
    const auto found = held.find(each.thread);
    if (each.locks == 0 && found == held.end()) continue;
    const HeldObject lock =
        found == held.end() ? HeldObject{.object = each.thread, .kind = Kind::thread} : found->second.front();
    if (!passes(each.thread, lock.object, lock.kind, each.time)) continue;
    Misuse* const misuse = add(Slip::held_at_end, lock.site, lock.object, lock.kind, each.thread, each.time);
    if (misuse == nullptr) continue;
    misuse->number += std::max<std::uint64_t>(each.locks, found == held.end() ? 0 : found->second.size());
    if (misuse->count > 1) continue;
    if (lock.since_known) misuse->since = lock.since;
    if (found == held.end()) continue;
    for (std::size_t i = 0; i < std::min(found->second.size(), most_left); ++i) {
      const HeldObject& left = found->second[i];
      misuse->left.push_back({left.object, left.kind, left.site, left.since_known ? left.since : 0});
    }
  }
}

/// Up to when they are known to have gone on. What an ended thread still holds is add_held_at_end()'s.
void Misuses::add_unended_holds(const Replay& replay) {
  const trace::Ticks end = replay.last_sign_of_life();
  for (const auto& [thread, objects] : held_objects(replay)) {
    const auto state = replay.threads().find(thread);
    if (state == replay.threads().end() || state->second.life == ThreadState::Life::ended) continue;
    if (!state->second.waits.empty()) continue;
    for (const HeldObject& each : objects) {
      if (!each.since_known || end < each.since || end - each.since < long_hold_) continue;
      const auto object = replay.objects().find(each.object);
      if (object == replay.objects().end() || !object->second.history.waited_for()) continue;
      const Hold hold{thread, each.object, each.site, each.since, end, 0};
      if (!filter_.passes(hold, each.kind)) continue;
      if (Misuse* const misuse = add_long_hold(hold, each.kind)) ++misuse->number;
    }
  }
}

void Misuses::finished(const Replay& replay) {
  add_held_at_end(replay);
  add_unended_holds(replay);
  // Whose releases these were is not kept.
  if (!filter_.is_on() && replay.doubts().unmatched != 0 && replay.complete() && replay.losses() == 0 &&
      !process_.cut) {
    if (Misuse* const misuse = add(Slip::double_release, 0, 0, Kind::lock, 0, replay.last_time())) {
      misuse->count = replay.doubts().unmatched;
    }
  }
  for (const auto& [number, state] : replay.threads()) {
    const auto defined = process_.threads.find(number);
    const bool is_ours = defined != process_.threads.end() && defined->second.origin == trace::Origin::internal;
    const bool is_main = defined != process_.threads.end() && defined->second.origin == trace::Origin::main;
    if (!replay.ended_orderly() || is_ours || is_main || state.life != ThreadState::Life::alive) continue;
    if (!passes(number, number, Kind::thread, replay.last_time())) continue;
    add(Slip::alive_at_exit, 0, number, Kind::thread, number, replay.last_time());
  }
  for (auto& [key, misuse] : found_) {
    Fingerprint fingerprint;
    fingerprint.add(name_of(misuse.slip));
    fingerprint.add_site(process_, misuse.site);
    fingerprint.add(trace::name_of(misuse.kind));
    if (const std::uint64_t text = std::get<3>(key); text != 0) fingerprint.add_number(text);
    misuse.fingerprint = fingerprint.value();
    all_.push_back(std::move(misuse));
  }
  found_.clear();
  std::ranges::stable_sort(all_, [](const Misuse& a, const Misuse& b) {
    return std::tuple{a.slip, b.count, a.first} < std::tuple{b.slip, a.count, b.first};
  });
}

bool Misuses::any_findings() const {
  return std::ranges::any_of(all_, [](const Misuse& each) { return severity_of(each.slip) != Severity::note; });
}

}  // namespace unspool
