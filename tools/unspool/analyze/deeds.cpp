// SPDX-License-Identifier: MIT
#include <unspool/analyze/deeds.hpp>
#include <unspool/analyze/fingerprint.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

namespace unspool {

using trace::Kind;
using trace::Verb;

namespace {

constexpr std::size_t most_threads = 1024;  // of one object
constexpr std::size_t most_tasks = 4096;
constexpr std::size_t most_shapes = 8;  // of names, digits aside, of objects made at one line

}  // namespace

/// Where a line makes objects of many names, the names are its callers', and what one is for all of them are.
Deeds::Deeds(const Process& process) : process_{process} {
  for (const auto& [number, object] : process.objects) {
    std::vector<std::uint64_t>& shapes = shapes_at_[object.site];
    if (shapes.size() >= most_shapes) continue;
    Fingerprint shape;
    shape.add_name(object.name);
    if (std::ranges::find(shapes, shape.value()) == shapes.end()) shapes.push_back(shape.value());
  }
}

void Past::add(Role role, trace::ThreadNumber thread, trace::Ticks time, trace::SiteNumber site) {
  if (thread == 0) return;
  const auto found = threads.find(thread);
  if (found == threads.end() && threads.size() >= most_threads) {
    crowded = true;
    return;
  }
  Deed& deed = found == threads.end() ? threads[thread][static_cast<std::size_t>(role)]
                                      : found->second[static_cast<std::size_t>(role)];
  ++deed.count;
  deed.last = time;
  deed.site = site;
}

trace::Ticks Past::last_given() const {
  trace::Ticks last = 0;
  for (const auto& [thread, deeds] : threads)
    last = std::max(last, deed_of(deeds, Role::give).last);
  return last;
}

void Past::add_worker(trace::ThreadNumber thread) {
  if (thread == 0) return;
  if (workers.size() < most_threads) {
    workers.insert(thread);
  } else {
    crowded |= !workers.contains(thread);
  }
}

namespace {

/// What it ran is over, though no Record need say so.
void end_task_of(Past& past, trace::ThreadNumber worker) {
  std::erase_if(past.running, [&](const auto& each) { return each.second == worker; });
}

}  // namespace

/// Only what a later object of the class can be judged by: who did what, and how many parties there are.
void Past::merge(const Past& other) {
  kind = other.kind;
  crowded |= other.crowded;
  parties = std::max(parties, other.parties);
  for (const auto& [thread, deeds] : other.threads) {
    if (!threads.contains(thread) && threads.size() >= 2 * most_threads) {
      crowded = true;
      continue;
    }
    auto& mine = threads[thread];
    for (std::size_t role = 0; role < role_count; ++role) {
      mine[role].count += deeds[role].count;
      if (deeds[role].last >= mine[role].last) {
        mine[role].last = deeds[role].last;
        mine[role].site = deeds[role].site;
      }
    }
  }
}

Past& Deeds::past(const Record& record) {
  Past& past = pasts_[record.object];
  past.kind = record.row->kind;
  make_room(past);
  return past;
}

/// Of those that have ended and were made alike the last one is left: the same follows from each of them.
void Deeds::make_room(Past& past) const {
  if (past.threads.size() < most_threads || past.crowded) return;
  std::map<std::tuple<trace::ThreadNumber, trace::SiteNumber, trace::Origin, bool>, trace::ThreadNumber> last;
  const auto time_of = [&](trace::ThreadNumber thread) {
    trace::Ticks time = 0;
    for (const Deed& each : past.threads.at(thread))
      time = std::max(time, each.last);
    return time;
  };
  const bool of_permits = past.kind == Kind::semaphore || past.kind == Kind::bounded_semaphore;
  std::vector<trace::ThreadNumber> superfluous;
  for (const auto& [thread, deeds] : past.threads) {
    const auto ended = ended_.find(thread);
    const auto defined = process_.threads.find(thread);
    const bool owes = of_permits && deed_of(deeds, Role::take).count != deed_of(deeds, Role::give).count;
    if (ended == ended_.end() || defined == process_.threads.end() || owes) continue;
    const auto [other, is_first] =
        last.try_emplace({defined->second.creator, made_at(thread), defined->second.origin, ended->second}, thread);
    if (is_first) continue;
    const bool later = time_of(thread) >= time_of(other->second);
    superfluous.push_back(later ? std::exchange(other->second, thread) : thread);
  }
  for (const trace::ThreadNumber each : superfluous)
    past.threads.erase(each);
  past.crowded = superfluous.size() < most_threads / 4;  // or this would be done again and again
}

/// The wait for a SharedLock is known by its verb alone; of others the call is not repeated.
void Deeds::repeated(const Record& record) {
  const auto object = process_.objects.find(record.object);
  if (object == process_.objects.end() || object->second.kind != Kind::shared_lock) return;
  blocks_[record.thread] = {record.object, verb_of_wait(record), 0, 0};
}

bool Deeds::hears(const trace::Row& row) {
  if (row.kind == Kind::thread) return row.verb == Verb::create || row.verb == Verb::end;
  if (row.kind == Kind::status) return row.verb == Verb::wait;
  return is_signal(row.kind) || (row.kind == Kind::shared_lock && row.effect == trace::Effect::wait);
}

void Deeds::record(const Record& record) {
  if (record.row == nullptr) return;
  const Kind kind = record.row->kind;
  if (kind == Kind::thread && record.row->verb == Verb::create) {
    made_[static_cast<trace::ThreadNumber>(record.object)] = {record.site, record.time};
  }
  if (kind == Kind::thread && record.row->verb == Verb::end) {
    ended_[record.thread] = record.a == static_cast<std::uint32_t>(trace::Outcome::exception);
  }
  if (kind == Kind::shared_lock && record.row->effect == trace::Effect::wait) {
    blocks_[record.thread] = {record.object, record.row->verb, record.a, record.b};
  }
  if (kind == Kind::status && record.row->verb == Verb::wait) return repeated(record);
  if (!is_signal(kind)) return;
  if (record.row->effect == trace::Effect::wait) {
    blocks_[record.thread] = {record.object, record.row->verb, record.a, record.b};
  }
  Past& past = this->past(record);
  switch (kind) {
    case Kind::event:
      if (record.row->verb != Verb::set) return;
      past.add(Role::give, record.thread, record.time, record.site);
      past.last_all = std::max(past.last_all, record.time);
      return;
    case Kind::condition:
      if (record.row->verb == Verb::resume) ++past.woken;
      if (record.row->verb != Verb::notify) return;
      past.add(Role::give, record.thread, record.time, record.site);
      past.wakes += record.a;
      return;
    case Kind::semaphore:
    case Kind::bounded_semaphore:
      return semaphore(record, past);
    case Kind::barrier:
      return barrier(record, past);
    case Kind::queue:
      return queue(record, past);
    default:
      return pool(record, past);
  }
}

void Deeds::semaphore(const Record& record, Past& past) {
  if (record.row->verb == Verb::acquire) {
    past.add(Role::take, record.thread, record.time, record.site);
    if (record.a != 0) ++past.woken;
  } else if (record.row->verb == Verb::release) {
    past.add(Role::give, record.thread, record.time, record.site);
    past.wakes += record.b;
  }
}

void Deeds::barrier(const Record& record, Past& past) {
  if (record.row->verb == Verb::begin) {
    past.acting = record.thread;
    past.parties = record.a + 1;
  } else if (record.row->advances) {  // it trips, or is broken
    past.acting = 0;
  }
  if (record.row->verb == Verb::trip) {
    past.parties = record.a + 1;
    past.last_all = std::max(past.last_all, record.time);
  }
  if (record.row->verb == Verb::trip || record.row->verb == Verb::block) {
    past.add(Role::give, record.thread, record.time, record.site);
  }
}

void Deeds::queue(const Record& record, Past& past) {
  switch (record.row->verb) {
    case Verb::put:
      past.add(Role::give, record.thread, record.time, record.site);
      past.size = record.b;
      return;
    case Verb::get:
      past.add(Role::take, record.thread, record.time, record.site);
      past.size = record.b;
      return;
    case Verb::block:
      past.size = record.b;
      return;
    case Verb::done:
      past.add(Role::finish, record.thread, record.time, record.site);
      if (record.a == 0) past.last_finished = std::max(past.last_finished, record.time);
      return;
    case Verb::busy:
      if (record.a == static_cast<std::uint32_t>(QueueCall::get) && past.triers.size() < most_threads)
        past.triers.insert(record.thread);
      return;
    case Verb::shutdown:
      past.last_all = std::max(past.last_all, record.time);
      return;
    default:
      return;
  }
}

void Deeds::pool(const Record& record, Past& past) {
  switch (record.row->verb) {
    case Verb::submit:
      past.add(Role::give, record.thread, record.time, record.site);
      past.last_submitted = std::max(past.last_submitted, record.a);
      return;
    case Verb::begin:
      past.add(Role::finish, record.thread, record.time, record.site);
      past.last_begun = std::max(past.last_begun, record.a);
      past.last_submitted = std::max(past.last_submitted, record.a);
      end_task_of(past, record.thread);
      if (past.running.size() < most_tasks) past.running[record.a] = record.thread;
      past.dropped.erase(record.a);
      return;
    case Verb::end:
      past.running.erase(record.a);
      return;
    case Verb::drop:
      if (past.dropped.size() < most_tasks) past.dropped.insert(record.a);
      return;
    case Verb::block:
      if (static_cast<PoolWait>(record.a) != PoolWait::work) return;
      past.add_worker(record.thread);
      end_task_of(past, record.thread);
      return;
    case Verb::shutdown:
      past.last_all = std::max(past.last_all, record.time);
      return;
    default:
      return;
  }
}

void Deeds::destroyed(trace::ObjectNumber object) {
  const auto found = pasts_.find(object);
  if (found == pasts_.end()) return;
  Past& all = classes_[class_of(object, found->second.kind)];
  all.merge(found->second);
  make_room(all);
  pasts_.erase(found);
}

void Deeds::finish() {
  for (const auto& [object, past] : pasts_)
    classes_[class_of(object, past.kind)].merge(past);
}

std::uint64_t Deeds::class_of(trace::ObjectNumber object, Kind kind) const {
  const std::uint64_t line = line_of(object, kind);
  const auto found = process_.objects.find(object);
  if (found == process_.objects.end()) return line;
  const auto shapes = shapes_at_.find(found->second.site);
  if (found->second.site == 0 || shapes == shapes_at_.end() || shapes->second.size() >= most_shapes) return line;
  Fingerprint made;
  made.add_number(line);
  made.add_name(found->second.name);
  return made.value() >> 1U;
}

std::uint64_t Deeds::line_of(trace::ObjectNumber object, Kind kind) const {
  const auto found = process_.objects.find(object);
  if (found == process_.objects.end() || found->second.site == 0) return std::uint64_t{1} << 63U | object;
  return std::uint64_t{static_cast<std::uint8_t>(kind)} << 32U | found->second.site;
}

const Past* Deeds::of(trace::ObjectNumber object) const {
  const auto found = pasts_.find(object);
  return found == pasts_.end() ? nullptr : &found->second;
}

const Past* Deeds::of_class(trace::ObjectNumber object, Kind kind) const {
  const auto found = classes_.find(class_of(object, kind));
  return found == classes_.end() ? nullptr : &found->second;
}

const LastBlock* Deeds::last_block(trace::ThreadNumber thread) const {
  const auto found = blocks_.find(thread);
  return found == blocks_.end() ? nullptr : &found->second;
}

Deeds::Made Deeds::made(trace::ThreadNumber thread) const {
  const auto found = made_.find(thread);
  return found == made_.end() ? Made{} : found->second;
}

}  // namespace unspool
