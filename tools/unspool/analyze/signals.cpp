// SPDX-License-Identifier: MIT
#include <unspool/analyze/signals.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>

namespace unspool {
namespace {

using trace::Kind;
using trace::Verb;

bool is_semaphore(Kind kind) {
  return kind == Kind::semaphore || kind == Kind::bounded_semaphore;
}

/// Record's `what`, of which a queue has three and a pool four.
constexpr std::uint32_t for_work = 2;

bool is_signal(Verb verb) {
  switch (verb) {
    case Verb::set:
    case Verb::notify:
    case Verb::release:
    case Verb::trip:
    case Verb::put:
    case Verb::get:
    case Verb::done:
    case Verb::submit:
    case Verb::begin:
    case Verb::end:
    case Verb::abort:
    case Verb::reset:
    case Verb::shutdown:
      return true;
    default:
      return false;
  }
}

/// Of those whose Record says how many it woke.
bool woke_nobody(const Record& record) {
  const Verb verb = record.row->verb;
  if (verb == Verb::release) return record.b == 0;
  return (verb == Verb::set || verb == Verb::notify || verb == Verb::trip) && record.a == 0;
}

bool hurts_more(const SignalFigures& a, const SignalFigures& b) {
  if (a.all_waited() != b.all_waited()) return a.all_waited() > b.all_waited();
  return std::tie(a.kind, a.site, a.name, a.example) < std::tie(b.kind, b.site, b.name, b.example);
}

}  // namespace

bool Signals::covers(Kind kind) {
  return kind == Kind::condition || kind == Kind::event || is_semaphore(kind) || kind == Kind::barrier ||
         kind == Kind::queue || kind == Kind::pool || kind == Kind::timer;
}

SignalFigures& Signals::class_of(trace::ObjectNumber number, Kind kind) {
  const auto defined = process_.objects.find(number);
  const bool known = defined != process_.objects.end();
  const trace::SiteNumber site = known ? defined->second.site : 0;
  const bool merges = site != 0 || (known && !defined->second.name.empty());
  auto& names = classes_[Place{kind, site, merges ? 0 : number}];
  std::string name = known ? defined->second.name : std::string{};
  const bool many = names.size() >= most_names && !names.contains(name);
  SignalFigures& figures = names[many ? std::string{"\xff"} : name];
  figures.kind = kind;
  figures.site = site;
  figures.name = many ? std::string{} : std::move(name);
  figures.many_names = many;
  figures.example = number;
  return figures;
}

/// Null past the limit for objects that no definition names.
Signals::Live* Signals::live(trace::ObjectNumber number, Kind kind) {
  if (!filter_.object(number, kind)) return nullptr;
  if (const auto found = live_.find(number); found != live_.end()) {
    return found->second.figures->kind == kind ? &found->second : nullptr;
  }
  if (!process_.objects.contains(number) && ++undefined_ > most_undefined) return nullptr;
  Live& fresh = live_[number];
  fresh.figures = &class_of(number, kind);
  ++fresh.figures->instances;
  return &fresh;
}

/// Sums up to `time`; a time that goes back (another thread's clock) counts as no time.
void Signals::advance(Live& live, trace::Ticks time) {
  if (time <= live.now) return;
  const bool first = live.now == 0;
  const trace::Ticks span = first ? 0 : filter_.within(live.now, time);
  live.area += span * live.waiting.size();
  SignalFigures& figures = *live.figures;
  if (is_semaphore(figures.kind)) {
    figures.waited_for_permits = add_saturated(figures.waited_for_permits, span * live.waiting.size());
  }
  if (live.depth_known) {
    figures.depth.area += static_cast<double>(span) * static_cast<double>(live.depth);
    figures.depth.span = add_saturated(figures.depth.span, span);
  }
  const bool starving = live.depth_known && live.depth != 0 && live.running != 0 && live.stuck == live.running &&
                        live.idle == 0 && figures.kind == Kind::pool;
  if (starving) figures.starved = add_saturated(figures.starved, span);
  if (starving && span != 0 && !live.starving) ++figures.starvations;
  if (span != 0) live.starving = starving;
  live.now = time;
}

/// Any wait may be that of a pool's worker inside its task.
bool Signals::hears(const trace::Row& row) const {
  const bool announces = row.kind == Kind::status && row.verb == Verb::wait;
  return covers(row.kind) || row.effect == trace::Effect::wait || announces;
}

void Signals::record(const Record& record) {
  if (record.row == nullptr || record.thread == 0) return;
  if (record.row->kind == Kind::status) return announced(record);
  const bool blocks = record.row->effect == trace::Effect::wait;
  if (blocks && !workers_.empty()) set_stuck(record.thread, true, record.time);
  const Kind kind = record.row->kind;
  if (!covers(kind)) return;
  Live* const object = live(record.object, kind);
  if (object == nullptr) return;
  advance(*object, record.time);
  const bool arrives = blocks && kind == Kind::barrier && !object->waiting.contains(record.thread);
  if (blocks) block(record, *object);
  if (is_semaphore(kind)) permit(record, *object);
  if (arrives) arrive(*object, record.time);
  if (kind == Kind::barrier) trip(record, *object);
  if (kind == Kind::queue) change_depth(record, *object);
  if (kind == Kind::pool) task(record, *object);
  if (is_signal(record.row->verb)) signal(record, *object);
  if (record.row->verb == Verb::destroy && object->waiting.empty()) live_.erase(record.object);
}

/// A wait that began earlier; its block Record may follow.
void Signals::announced(const Record& record) {
  const auto defined = process_.objects.find(record.object);
  if (defined == process_.objects.end() || !covers(defined->second.kind)) return;
  Live* const object = live(record.object, defined->second.kind);
  if (object == nullptr || object->waiting.contains(record.thread)) return;
  advance(*object, record.time);
  object->waiting.insert(record.thread);
  if (defined->second.kind == Kind::barrier) arrive(*object, record.since);
}

void Signals::block(const Record& record, Live& live) {
  live.waiting.insert(record.thread);
  purpose_[record.thread] = record.a;
  const bool idle = live.figures->kind == Kind::pool && record.a == for_work;
  if (idle) ++live.idle;
}

void Signals::signal(const Record& record, Live& live) {
  const bool is_one = record.row->kind != Kind::barrier || record.row->verb == Verb::trip;
  const bool counts = is_one && filter_.passes(record);
  if (counts) ++live.figures->signals;
  if (counts && woke_nobody(record)) ++live.figures->in_vain;
  if (live.signalled.size() >= most_followed) live.signalled.clear();
  live.signalled[record.thread] = {record.time, record.site};
}

/// A permit may be given back by anybody: by its taker, where that has one, else the oldest goes.
void Signals::permit(const Record& record, Live& live) {
  auto& permits = live.permits;
  if (record.row->verb == Verb::acquire && permits.size() < most_followed) {
    permits.push_back({{record.thread, record.site}, live.area});
  }
  if (record.row->verb != Verb::release) return;
  for (std::uint32_t i = 0; i < record.a && !permits.empty(); ++i) {
    const auto own = std::find_if(permits.rbegin(), permits.rend(),
                                  [&](const Permit& each) { return each.taker.thread == record.thread; });
    const auto which = own == permits.rend() ? permits.begin() : std::prev(own.base());
    live.figures->holders.add(which->taker, live.area - which->area);
    permits.erase(which);
  }
}

void Signals::arrive(Live& live, trace::Ticks time) {
  if (live.arrived == 0) live.arrival = time;
  if (time < live.arrival) {
    live.arrivals += live.arrived * (live.arrival - time);
    live.arrival = time;
  }
  ++live.arrived;
  live.arrivals += time - live.arrival;
}

/// What the parties have waited when the last comes, by which the barrier trips.
void Signals::trip(const Record& record, Live& live) {
  switch (record.row->verb) {
    case Verb::trip: {
      const trace::Ticks all = live.arrived * (record.time - std::min(record.time, live.arrival));
      if (filter_.passes(record))
        live.figures->last.add({record.thread, record.site}, all - std::min(all, live.arrivals));
      break;
    }
    case Verb::timeout:
    case Verb::cancel:
    case Verb::abort:
    case Verb::reset:
      break;
    default:
      return;
  }
  live.arrived = 0;
  live.arrivals = 0;
}

void Signals::change_depth(const Record& record, Live& live) {
  const Verb verb = record.row->verb;
  const bool empties = verb == Verb::shutdown && record.a != 0;
  if (verb != Verb::put && verb != Verb::get && verb != Verb::block && !empties) return;
  live.depth = empties ? 0 : record.b;
  live.depth_known = true;
  if (!filter_.time(record.time)) return;
  live.figures->depth.max = std::max<std::uint64_t>(live.figures->depth.max, live.depth);
}

void Signals::task(const Record& record, Live& live) {
  SignalFigures& figures = *live.figures;
  switch (record.row->verb) {
    case Verb::submit:
      if (live.queued.size() < 256 * most_followed) live.queued[record.a] = record.time;
      break;
    case Verb::begin:
      end_task(record.thread, record.time);
      workers_[record.thread] = {record.object, record.time, false};
      ++live.running;
      if (const auto found = live.queued.find(record.a); found != live.queued.end()) {
        const trace::Ticks queued = std::min(record.time, found->second);
        if (filter_.span(queued, record.time)) figures.task_waits.add(record.time - queued);
        live.queued.erase(found);
      }
      break;
    case Verb::drop:
      live.queued.erase(record.a);
      break;
    case Verb::end:
      if (const auto found = workers_.find(record.thread); found != workers_.end()) {
        const trace::Ticks begun = std::min(record.time, found->second.begun);
        if (filter_.span(begun, record.time)) figures.tasks.add(record.time - begun);
      }
      end_task(record.thread, record.time);
      break;
    default:
      return;
  }
  live.depth = live.queued.size();
  live.depth_known = true;
  if (filter_.time(record.time)) figures.depth.max = std::max(figures.depth.max, live.depth);
}

void Signals::end_task(trace::ThreadNumber thread, trace::Ticks time) {
  const auto found = workers_.find(thread);
  if (found == workers_.end()) return;
  if (const auto pool = live_.find(found->second.pool); pool != live_.end()) {
    advance(pool->second, time);
    if (found->second.stuck && pool->second.stuck != 0) --pool->second.stuck;
    if (pool->second.running != 0) --pool->second.running;
  }
  workers_.erase(found);
}

void Signals::set_stuck(trace::ThreadNumber thread, bool stuck, trace::Ticks time) {
  const auto found = workers_.find(thread);
  if (found == workers_.end() || found->second.stuck == stuck) return;
  const auto pool = live_.find(found->second.pool);
  if (pool == live_.end()) return;
  advance(pool->second, time);
  found->second.stuck = stuck;
  if (stuck) ++pool->second.stuck;
  if (!stuck && pool->second.stuck != 0) --pool->second.stuck;
}

void Signals::waited(const ObjectState*, const Wait& wait) {
  if (!workers_.empty()) set_stuck(wait.thread, false, wait.until);
  if (!covers(wait.kind)) return;
  Live* const object = live(wait.object, wait.kind);
  if (object == nullptr) return;
  advance(*object, wait.until);
  object->waiting.erase(wait.thread);
  const auto purpose = purpose_.find(wait.thread);
  const std::uint32_t what = purpose == purpose_.end() ? SignalFigures::purposes : purpose->second;
  if (wait.kind == Kind::pool && what == for_work && object->idle != 0) --object->idle;
  if (filter_.passes(wait)) count(*object, wait, what);
  if (purpose != purpose_.end()) purpose_.erase(purpose);
}

/// `what` it was for, as its block Record says.
void Signals::count(Live& object, const Wait& wait, std::uint32_t what) {
  SignalFigures& figures = *object.figures;
  if (wait.ending == Ending::lost) {
    ++figures.lost;
  } else if (wait.ending == Ending::unended) {
    ++figures.unended;
    figures.unended_ticks = add_saturated(figures.unended_ticks, wait.ticks());
  } else {
    const auto found = object.signalled.find(wait.waker);
    const bool told = found != object.signalled.end() && wait.waker != 0;
    const bool woke = told && found->second.time >= wait.since && found->second.time <= wait.until;
    // By the order of the Records, as two threads' clocks may differ.
    ended(figures, wait, wait.waker_site == 0 && told ? found->second.site : wait.waker_site);
    const bool sided = wait.kind == Kind::queue || wait.kind == Kind::pool;
    // A worker that learns that there is no more work is not refused anything.
    const bool to_rest = wait.kind == Kind::pool && what == for_work;
    if (wait.ending == Ending::refused && !to_rest) ++figures.refused;
    if (sided && what < SignalFigures::purposes) figures.sides[what].add(wait.ticks());
    if (wait.kind == Kind::timer && wait.ending == Ending::continued) late(figures, wait, what);
    if (woke) figures.latency.add(wait.until - found->second.time);
  }
}

/// `waker_site`: the wait's own, or where its waker called last.
void Signals::ended(SignalFigures& figures, const Wait& wait, trace::SiteNumber waker_site) {
  if (figures.waits.count() == 0 || wait.ticks() > figures.longest.ticks()) figures.longest = wait;
  figures.waits.add(wait.ticks());
  figures.waiters.add({wait.thread, wait.site}, wait.ticks());
  if (wait.ending == Ending::timeout) {
    ++figures.timeouts;
    figures.timed_out.add({wait.thread, wait.site}, wait.ticks());
  }
  if (wait.ending == Ending::cancel) ++figures.cancels;
  const bool woken = wait.ending == Ending::continued || wait.ending == Ending::acquired || wait.waker != 0;
  if (woken) figures.wakers.add({wait.waker, waker_site}, wait.ticks());
}

void Signals::late(SignalFigures& figures, const Wait& wait, std::uint32_t delay) const {
  const double wanted = static_cast<double>(delay) * static_cast<double>(process_.frequency) / 1000;
  figures.late.add(static_cast<trace::Ticks>(std::max(static_cast<double>(wait.ticks()) - wanted, 0.0)));
}

void Signals::failed(const ObjectState*, const Record& record) {
  if (!covers(record.row->kind) || !filter_.passes(record)) return;
  Live* const object = live(record.object, record.row->kind);
  if (object == nullptr) return;
  SignalFigures& figures = *object->figures;
  switch (record.row->verb) {
    case Verb::busy:
      ++figures.busy;
      break;
    case Verb::timeout:
      ++figures.timeouts;
      figures.timed_out.add({record.thread, record.site}, 0);
      break;
    case Verb::cancel:
      ++figures.cancels;
      break;
    default:
      ++figures.refused;
  }
}

void Signals::passed(const ObjectState*, const Record& record) {
  if (!covers(record.row->kind) || !filter_.passes(record)) return;
  if (Live* const object = live(record.object, record.row->kind)) ++object->figures->passed;
}

/// Nothing that passes was done to them: a row without a figure would only be in the way.
bool Signals::is_empty(const SignalFigures& figures) const {
  return filter_.is_on() && figures.waits.count() + figures.passed + figures.timeouts + figures.cancels +
                                    figures.refused + figures.busy + figures.lost + figures.unended + figures.signals ==
                                0;
}

void Signals::finished(const Replay& replay) {
  for (auto& [number, object] : live_) {
    advance(object, replay.last_time());
    for (const Permit& each : object.permits)
      object.figures->holders.add(each.taker, object.area - each.area);
  }
  for (auto& [place, names] : classes_) {
    for (auto& [name, each] : names)
      figures_.push_back(std::move(each));
  }
  std::erase_if(figures_, [this](const SignalFigures& each) { return is_empty(each); });
  classes_.clear();
  live_.clear();
  std::ranges::sort(figures_, hurts_more);
}

}  // namespace unspool
