// SPDX-License-Identifier: MIT
//
// Threads that never ended such a wait, but may be the next to do it. A wait is not called hopeless while one goes on
// that
//
//   was made like one who did            at the same line, or by the same thread and with the same name; where lines are not
//                                        known the name's digits do not count: workers, who replaces one that has ended,
//                                        a thread for each request, a timer for each round
//   was made by one who did and has ended, or by whom that one made, and so on
//   was made by the waiting thread, or by one that waits with it, since such a wait was last ended
//   lives and has done nothing yet       what it is for is not known; not where one who did has died of an exception, or waits
//                                        for what the waiting thread has, where a notify was lost, or where all is as it
//                                        was many times. To take locks and to wait is nothing, if that is over and it has
//                                        been quiet for longer
//   has a permit of the semaphore        and took no second one without giving it back, as mere consumers do
//   takes what one who took a permit     and never gave one back, puts or submits; or was made by that one since: the permit may
//                                        have come along
#include <unspool/analyze/fingerprint.hpp>
#include <unspool/analyze/hopes.hpp>
#include <unspool/analyze/samples.hpp>

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

namespace unspool {

using trace::Kind;

namespace {

constexpr std::size_t most_kin = 64;  // of whom it is not certain that they go on
constexpr std::size_t most_made = 4096;
constexpr std::size_t most_waiters = 64;
constexpr std::size_t most_takers = 64;
constexpr std::uint64_t many_times = 8;  // by then it is known whose part it is
constexpr std::string_view name_of_the_nameless = "Thread-";

std::string without_digits(std::string_view name) {
  std::string out;
  std::ranges::copy_if(name, std::back_inserter(out), [](char each) { return each < '0' || each > '9'; });
  return out;
}

/// It has taken permits, and left it to others to give them back.
bool hands_on(const Suspect& taker, const Past& semaphore) {
  const auto found = semaphore.threads.find(taker.thread);
  return taker.role == Role::take && found != semaphore.threads.end() && deed_of(found->second, Role::give).count == 0;
}

/// When it was first done, as far as that is kept; 0: some time.
trace::Ticks since_first(const Deed& deed) {
  return deed.count == 1 ? deed.last : 0;
}

}  // namespace

bool Hopes::lives(trace::ThreadNumber thread) const {
  const auto found = replay_.threads().find(thread);
  return found != replay_.threads().end() && found->second.life == ThreadState::Life::alive;
}

bool Hopes::is_silent(const ThreadState& thread) const {
  if (thread.acted) return false;
  const trace::Ticks now = replay_.last_sign_of_life();
  return thread.last <= thread.first || (now > thread.last && now - thread.last > thread.last - thread.first);
}

bool Hopes::surely_goes_on(trace::ThreadNumber thread) const {
  const auto found = index_.find(thread);
  return found == index_.end() || waiting_[found->second].hope == Hope::open;
}

/// Two of one make share one of these.
std::vector<std::uint64_t> Hopes::makes_of(trace::ThreadNumber thread) const {
  std::vector<std::uint64_t> makes;
  const trace::SiteNumber site = deeds_.made_at(thread);
  if (site != 0) makes.push_back(site);
  const auto defined = process_.threads.find(thread);
  if (defined == process_.threads.end() || defined->second.origin != trace::Origin::spool) return makes;
  const std::string& name = defined->second.name;
  if (name.empty() || name.starts_with(name_of_the_nameless)) return makes;
  const auto add = [&](std::string_view called) {
    Fingerprint make;
    make.add(called);
    make.add_number(defined->second.creator);
    makes.push_back(make.value() | std::uint64_t{1} << 63U);
  };
  add(name);
  if (site == 0) add(without_digits(name) + "#");
  return makes;
}

void Hopes::add_all_kin() {
  if (std::ranges::none_of(waiting_, [](const Waiting& each) { return each.edge == Edge::candidate; })) return;
  for (const auto& [number, thread] : process_.threads) {
    if (thread.origin == trace::Origin::internal) continue;
    made_by_[thread.creator].push_back(number);
    if (!lives(number)) continue;
    const bool is_busy = index_.contains(number) || holds_.contains(number) || thread.origin == trace::Origin::main;
    if (!is_busy && is_silent(replay_.threads().find(number)->second)) silent_.push_back(number);
    for (const std::uint64_t make : makes_of(number))
      made_alike_[make].push_back(number);
  }
  for (const auto& [object, past] : deeds_.all()) {
    if (past.kind != Kind::queue && past.kind != Kind::pool) continue;
    for (const auto& [thread, deeds] : past.threads) {
      if (deed_of(deeds, Role::give).count != 0) outlets_[thread].push_back(&past);
    }
  }
  for (auto& [make, threads] : made_alike_) {
    std::stable_partition(threads.begin(), threads.end(),
                          [&](trace::ThreadNumber each) { return surely_goes_on(each); });
  }
  for (Waiting& each : waiting_) {
    if (each.hope == Hope::suspects && each.edge == Edge::candidate && !each.needs_all) add_kin(each);
  }
}

void Hopes::add_kin(Waiting& waiting) {
  trace::Ticks last = 0;
  for (const Suspect& each : waiting.suspects) {
    if (each.deed.count != 0) last = std::max(last, each.deed.last);
    const bool gave_back = each.role == Role::take;
    if (gave_back) continue;
    add_made_alike(waiting, each.thread);
    if (each.ended) add_made_by(waiting, each.thread, 0);
  }
  if (last != 0) add_made_by_waiters(waiting, last);
  add_silent(waiting);
  const Past* const past = deeds_.of(waiting.wait.object);
  if (past == nullptr) return;
  if (waiting.wait.kind != Kind::semaphore && waiting.wait.kind != Kind::bounded_semaphore) return;
  for (const auto& [thread, deeds] : past->threads) {
    if (deed_of(deeds, Role::take).count == deed_of(deeds, Role::give).count + 1) add_one(waiting, thread);
  }
  add_receivers(waiting);
}

/// Who takes a permit for a connection and never gives one back gives both to a worker, or to a thread of its own.
void Hopes::add_receivers(Waiting& waiting) {
  for (const trace::ThreadNumber each : receivers_of(waiting)) {
    if (waiting.kin.size() < waiting.needs + most_kin) add_one(waiting, each);
  }
  const Past& past = *deeds_.of(waiting.wait.object);
  std::size_t takers = 0;
  for (const Suspect& each : waiting.suspects) {
    if (hands_on(each, past) && takers++ < most_takers) add_made_by(waiting, each.thread, since_first(each.deed));
  }
}

/// Who takes what its takers have put or submitted, whoever surely goes on first.
const std::vector<trace::ThreadNumber>& Hopes::receivers_of(const Waiting& waiting) {
  const auto [entry, is_new] = receivers_.try_emplace(waiting.wait.object);
  std::vector<trace::ThreadNumber>& receivers = entry->second;
  if (!is_new) return receivers;
  const Past& permits = *deeds_.of(waiting.wait.object);
  std::size_t looks = most_made;
  for (const Suspect& each : waiting.suspects) {
    const auto outlets = outlets_.find(each.thread);
    if (!hands_on(each, permits) || outlets == outlets_.end()) continue;
    for (const Past* past : outlets->second) {
      if (deed_of(past->threads.at(each.thread), Role::give).last < since_first(each.deed)) continue;
      const Role takes = past->kind == Kind::queue ? Role::take : Role::finish;
      for (const auto& [thread, deeds] : past->threads) {
        if (looks-- == 0) return receivers;
        if (deed_of(deeds, takes).count != 0 && lives(thread)) receivers.push_back(thread);
      }
    }
  }
  std::ranges::sort(receivers);
  receivers.erase(std::unique(receivers.begin(), receivers.end()), receivers.end());
  std::stable_partition(receivers.begin(), receivers.end(),
                        [&](trace::ThreadNumber each) { return surely_goes_on(each); });
  return receivers;
}

void Hopes::add_made_alike(Waiting& waiting, trace::ThreadNumber thread) const {
  for (const std::uint64_t make : makes_of(thread)) {
    const auto alike = made_alike_.find(make);
    if (alike == made_alike_.end()) continue;
    for (const trace::ThreadNumber each : alike->second) {
      if (waiting.kin.size() >= waiting.needs + most_kin) return;
      add_one(waiting, each);
    }
  }
}

/// And what these made.
void Hopes::add_made_by(Waiting& waiting, trace::ThreadNumber maker, trace::Ticks since) const {
  std::vector<trace::ThreadNumber> makers{maker};
  for (std::size_t i = 0; i < makers.size() && i < most_made; ++i) {
    const auto made = made_by_.find(makers[i]);
    if (made == made_by_.end()) continue;
    for (const trace::ThreadNumber each : made->second) {
      if (waiting.kin.size() >= waiting.needs + most_kin) return;
      if (since != 0 && deeds_.made_when(each) <= since) continue;
      add_one(waiting, each);
      if (each != maker) makers.push_back(each);
    }
  }
}

/// By the thread itself, or by one that waits with it.
void Hopes::add_made_by_waiters(Waiting& waiting, trace::Ticks since) const {
  const std::vector<std::size_t>& waiters = waiters_.at(waiting.wait.object);
  for (const std::size_t each : std::span{waiters}.first(std::min(waiters.size(), most_waiters)))
    add_made_by(waiting, waiting_[each].wait.thread, since);
}

namespace {

/// A task is ended by who runs it. Who only tried to make room has not shown whose part that is.
bool gives(const Waiting& waiting, const Suspect& suspect) {
  const bool of_task = waiting.wait.kind == Kind::pool && !waiting.idle;
  if (waiting.is(QueueCall::put)) return suspect.deed.count == 0;
  return suspect.role == Role::give || (suspect.role == Role::finish && !of_task);
}

bool was_given_often(const Waiting& waiting) {
  std::uint64_t times = 0;
  for (const Suspect& each : waiting.suspects)
    times = add_saturated(times, gives(waiting, each) ? each.deed.count : 0);
  return times >= many_times;
}

}  // namespace

/// Everybody's part is known: who ended it many times waits for what was done many times as well; or joins threads, while
/// others that were made like the waiting one and did the same have returned, as when a program winds down.
bool Hopes::is_routine(const Waiting& waiting) const {
  if (!was_given_often(waiting)) return false;
  const std::vector<std::uint64_t> makes = makes_of(waiting.wait.thread);
  const Past* const past = deeds_.of(waiting.wait.object);
  const bool winds_down = past != nullptr && std::ranges::any_of(past->threads, [&](const auto& each) {
                            const auto state = replay_.threads().find(each.first);
                            const bool returned =
                                state != replay_.threads().end() && state->second.life == ThreadState::Life::ended &&
                                !state->second.exception && deed_of(each.second, Role::take).count != 0;
                            return returned && std::ranges::any_of(makes_of(each.first), [&](std::uint64_t make) {
                                     return std::ranges::find(makes, make) != makes.end();
                                   });
                          });
  return std::ranges::all_of(waiting.suspects, [&](const Suspect& each) {
    if (!gives(waiting, each) || each.answers == 0) return true;
    const auto giver = index_.find(each.answers);
    if (giver == index_.end()) return false;
    const Waiting& its = waiting_[giver->second];
    if (its.wait.kind == Kind::thread) return winds_down;
    return its.hope == Hope::suspects && !its.has_owner() && was_given_often(its);
  });
}

/// The thread waits for a lock that the waiting one has, or for the end, or a lock, of who waits so.
bool Hopes::keeps_from_it(const Waiting& waiting, trace::ThreadNumber thread) const {
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const auto found = index_.find(thread);
    if (found == index_.end() || !waiting_[found->second].is_owned()) return false;
    const Waiting& its = waiting_[found->second];
    thread = its.owner;
    // To wait for the end of who waits is what main does in a server.
    if (thread == waiting.wait.thread) return can_be_held(its.wait.kind);
  }
  return false;
}

/// What they are for nobody can know: the one that sits in accept() may be about to put its first item. Where a thread that
/// did this has died of an exception, where the waiting one keeps it from doing it again, where a notify is known to have
/// been lost, or where all is as it was many times, that says more.
void Hopes::add_silent(Waiting& waiting) const {
  if (waiting.same_team || std::ranges::any_of(waiting.suspects, &Suspect::exception)) return;
  if (std::ranges::none_of(waiting.suspects, [&](const Suspect& each) { return gives(waiting, each); })) return;
  const bool keeps_one = std::ranges::any_of(waiting.suspects, [&](const Suspect& each) {
    return gives(waiting, each) && keeps_from_it(waiting, each.thread);
  });
  if (keeps_one || is_routine(waiting) || habits_.lost_a_wake_up.contains(waiting.wait.thread)) return;
  for (const trace::ThreadNumber each : silent_) {
    if (waiting.kin.size() >= waiting.needs + most_kin) return;
    add_one(waiting, each);
  }
}

/// A worker without a task ends no task that another one runs.
void Hopes::add_one(Waiting& waiting, trace::ThreadNumber thread) const {
  if (thread == waiting.wait.thread || !lives(thread)) return;
  const auto found = index_.find(thread);
  const bool idle = found != index_.end() && waiting_[found->second].idle;
  const bool same_pool = waiting.wait.kind == Kind::pool && !waiting.idle;
  if (idle && same_pool && waiting_[found->second].wait.object == waiting.wait.object) return;
  const bool in_teams = same_pool || waiting.wait.kind == Kind::barrier;
  if (in_teams && is_of_another_team(thread, waiting)) return;
  const bool known = std::ranges::any_of(waiting.suspects, [&](const Suspect& each) { return each.answers == thread; });
  if (!known && std::ranges::find(waiting.kin, thread) == waiting.kin.end()) waiting.kin.push_back(thread);
}

}  // namespace unspool
