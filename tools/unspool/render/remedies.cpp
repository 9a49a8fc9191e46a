// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/analyze/fingerprint.hpp>
#include <unspool/render/remedies.hpp>
#include <unspool/render/wait_words.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace unspool {

using trace::Kind;

namespace {

constexpr std::size_t most_told = 2;

Kind kind_of(const Process& process, trace::ObjectNumber object) {
  const auto found = process.objects.find(object);
  return found == process.objects.end() ? Kind::lock : found->second.kind;
}

/// Of one kind, site and name: locks of several may be members of one object, made at one line.
bool are_of_one_class(const Process& process, trace::ObjectNumber a, trace::ObjectNumber b) {
  const auto one = process.objects.find(a);
  const auto other = process.objects.find(b);
  if (one == process.objects.end() || other == process.objects.end()) return false;
  const auto shape = [](const std::string& name) {
    Fingerprint of;
    of.add_name(name);
    return of.value();
  };
  return one->second.site != 0 && one->second.site == other->second.site && one->second.kind == other->second.kind &&
         shape(one->second.name) == shape(other->second.name);
}

std::tuple<std::string, std::uint32_t, std::string> declared(const Process& process, trace::ObjectNumber number) {
  const auto object = process.objects.find(number);
  if (object == process.objects.end()) return {};
  const auto site = process.sites.find(object->second.site);
  if (site == process.sites.end()) return {{}, 0, object->second.name};
  return {site->second.file, site->second.line, object->second.name};
}

/// What is asked of a cycle, in one place.
class Remedy {
 public:
  Remedy(const Process& process, const Names& names, const Deadlocks& deadlocks, const Cycle& cycle)
      : process_{process}, names_{names}, deadlocks_{deadlocks}, cycle_{cycle} {}

  std::string of_a_cycle() const;
  std::string_view of_the_abandoned() const;

 private:
  const Waiting& waiting(std::size_t member) const { return deadlocks_.waiting()[member]; }

  template <class What>
  bool all(const What& what) const {
    return std::ranges::all_of(cycle_.members, [&](std::size_t each) { return what(waiting(each)); });
  }
  template <class What>
  bool any_suspect(const What& what) const {
    return std::ranges::any_of(cycle_.members,
                               [&](std::size_t each) { return std::ranges::any_of(waiting(each).suspects, what); });
  }

  std::string of_locks() const;
  std::string of_one_lock(const Waiting& waiting) const;
  std::string of_locks_held_across_waits() const;

  const Process& process_;
  const Names& names_;
  const Deadlocks& deadlocks_;
  const Cycle& cycle_;
};

std::string Remedy::of_one_lock(const Waiting& waiting) const {
  if (waiting.by_others) return {};  // it is used as a signal
  const std::string_view instead =
      waiting.wait.kind == Kind::lock ? "Hand the guard on, or make it a spool::RLock." : "Release it before that.";
  return fmt::format("The thread has it already when it asks for it at {}. {}", names_.site(waiting.wait.site),
                     instead);
}

std::string Remedy::of_locks() const {
  if (cycle_.members.size() == 1) return of_one_lock(waiting(cycle_.members.front()));
  std::vector<trace::ObjectNumber> locks;
  for (const std::size_t each : cycle_.members)
    locks.push_back(waiting(each).wait.object);
  std::ranges::sort(locks);
  const bool one = std::ranges::adjacent_find(locks, std::ranges::not_equal_to{}) == locks.end();
  return one ? "" : order_remedy(process_, names_, locks);
}

/// Who holds a lock that another of them asks for, and waits for something else meanwhile.
std::string Remedy::of_locks_held_across_waits() const {
  std::string out;
  std::size_t told = 0;
  for (const std::size_t each : cycle_.members) {
    const Waiting& asks = waiting(each);
    const Waiting* const holder = deadlocks_.waiting_of(asks.owner);
    if (!can_be_held(asks.wait.kind) || asks.behind || holder == nullptr || can_be_held(holder->wait.kind)) continue;
    const bool joins = holder->wait.kind == Kind::thread;
    const std::string line =
        release_remedy(names_.object(asks.wait.object, asks.wait.kind),
                       joins ? "join" : "wait for " + awaited(names_, *holder), names_.site(holder->wait.site));
    if (out.find(line) != std::string::npos) continue;
    if (told++ == most_told) break;
    out += (out.empty() ? "" : " ") + line;
  }
  return out;
}

std::string Remedy::of_a_cycle() const {
  if (all([](const Waiting& each) { return each.is(PoolWait::room); })) {
    return "Tasks must not wait for room in the queue of their own pool: do without `max_queued`, or run what finds no "
           "room at once.";
  }
  if (all([](const Waiting& each) { return each.wait.kind == Kind::pool; })) {
    return "Tasks must not wait for tasks of their own pool, or of one whose tasks wait for theirs, unless a worker is "
           "left for them: give the inner tasks a pool of their own, or go on in the inner task.";
  }
  if (all([](const Waiting& each) { return can_be_held(each.wait.kind); })) return of_locks();
  return of_locks_held_across_waits();
}

std::string_view Remedy::of_the_abandoned() const {
  const auto calls = [&](QueueCall call) { return all([call](const Waiting& each) { return each.is(call); }); };
  const auto are = [&](Kind kind) { return all([kind](const Waiting& each) { return each.wait.kind == kind; }); };
  if (calls(QueueCall::put)) return "Shut the queue down when its last consumer ends.";
  if (calls(QueueCall::get)) return "Shut the queue down when its last producer ends.";
  if (calls(QueueCall::join)) return "Whoever gets an item has to say task_done of it, also where it fails.";
  if (all([](const Waiting& each) { return can_be_held(each.wait.kind); }))
    return "A guard (std::lock_guard) releases it however the thread leaves, also by an exception.";
  const bool taken = !any_suspect([](const Suspect& each) { return each.role != Role::take; });
  if ((are(Kind::semaphore) || are(Kind::bounded_semaphore)) && taken)
    return "Take permits as a spool::Permit, which gives its own back however the thread leaves.";
  const bool failed = any_suspect([](const Suspect& each) { return each.exception; });
  if (are(Kind::barrier) && failed)
    return "A party that fails has to abort() the barrier, so that the others learn of it.";
  if ((are(Kind::event) || are(Kind::condition)) && failed)
    return "Whoever is waited for has to do it also where it fails: in a destructor, or where it catches.";
  return "";
}

}  // namespace

std::string order_remedy(const Process& process, const Names& names, std::span<const trace::ObjectNumber> locks) {
  // Of a SharedLock it would make readers wait for each other.
  const bool any_shared =
      std::ranges::any_of(locks, [&](auto each) { return kind_of(process, each) == Kind::shared_lock; });
  const auto or_at_once = [&](std::string_view how_many) {
    return any_shared ? "." : fmt::format(", or {} std::scoped_lock.", how_many);
  };
  if (locks.size() > 2) return "Take these locks in one order everywhere" + or_at_once("all with one");
  if (are_of_one_class(process, locks[0], locks[1]))
    return "Take locks of this class in one order everywhere (by address, or by number)" + or_at_once("both with");
  const auto object = [&](trace::ObjectNumber number) { return names.object(number, Kind::lock); };
  // In the order of their declarations, so that it is the same in each run and each command.
  const bool turned = declared(process, locks[1]) < declared(process, locks[0]);
  return fmt::format("Take {} before {} everywhere{}", object(locks[turned ? 1 : 0]), object(locks[turned ? 0 : 1]),
                     or_at_once("both with"));
}

std::string release_remedy(const std::string& lock, std::string_view call, const std::string& site) {
  return fmt::format("Release {} before the {} at {}.", lock, call, site);
}

std::string stuck_remedy(const Process& process, const Names& names, const Deadlocks& deadlocks, const Cycle& cycle) {
  const auto lost = [&](std::size_t each) { return deadlocks.waiting()[each].lost_wake_up != Lost::no; };
  if (std::ranges::all_of(cycle.members, lost))
    return "A notify is not kept for who waits later: set a flag under the lock, and wait with a predicate.";
  const Remedy remedy{process, names, deadlocks, cycle};
  if (cycle.cause == Cause::cycle) return remedy.of_a_cycle();
  return cycle.cause == Cause::abandoned ? std::string{remedy.of_the_abandoned()} : std::string{};
}

}  // namespace unspool
