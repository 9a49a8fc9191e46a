// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/not_stuck.hpp>
#include <unspool/render/wait_words.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace unspool {

using trace::Kind;

namespace {

constexpr std::size_t most_followed = 64;

std::string who_could(const Names& names, const Deadlocks& deadlocks, const Waiting& waiting, const Suspect& suspect) {
  const Kind kind = waiting.wait.kind;
  const std::string who = names.thread(suspect.answers);
  if (suspect.answers != suspect.thread) {
    return fmt::format("{} goes on (made {})", who, names.thread(suspect.thread));
  }
  if (suspect.deed.count == 0) return who + " goes on";
  const bool semaphore = kind == Kind::semaphore || kind == Kind::bounded_semaphore;
  if (semaphore && suspect.role == Role::take) {
    return fmt::format("{} goes on ({} a permit)", who, deadlocks.incomplete() ? "may have" : "has");
  }
  return fmt::format("{} goes on ({} {})", who, short_deed(kind, suspect.role),
                     waiting.by_class ? "one made at the same line" : "before");
}

/// And does not wait itself.
bool goes_on(const Deadlocks& deadlocks, trace::ThreadNumber thread) {
  return thread != 0 && deadlocks.waiting_of(thread) == nullptr;
}

/// Whom the thread hopes for, as long as they are not stuck, whether they wait or not.
std::vector<trace::ThreadNumber> hopes_of(const Deadlocks& deadlocks, const Waiting& waiting) {
  std::vector<trace::ThreadNumber> out;
  const auto add = [&](trace::ThreadNumber thread) {
    const Waiting* const now = deadlocks.waiting_of(thread);
    if (thread != 0 && (now == nullptr || !now->stuck)) out.push_back(thread);
  };
  for (const Suspect& each : waiting.suspects)
    add(each.answers);
  std::ranges::for_each(waiting.kin, add);
  return out;
}

/// On whose account, over some steps, those are not stuck whom the thread hopes for and who wait themselves.
std::string who_is_not_stuck(const Names& names, const Deadlocks& deadlocks, const Waiting& waiting) {
  std::vector<trace::ThreadNumber> threads = hopes_of(deadlocks, waiting);
  std::vector<trace::ThreadNumber> hoping(threads.size(), waiting.wait.thread);
  const auto other = std::ranges::find_if(threads, [&](auto each) { return each != waiting.wait.thread; });
  if (other == threads.end()) return {};
  for (std::size_t i = 0; i < threads.size() && i < most_followed; ++i) {
    const Waiting* const now = deadlocks.waiting_of(threads[i]);
    const std::string who = names.thread(threads[i]);
    if (now == nullptr) return fmt::format("{} goes on, for which {} waits", who, names.thread(hoping[i]));
    if (now->wait.kind == Kind::timer) return fmt::format("{} goes on when its time comes", who);
    if (now->wait.limit == trace::WaitLimit::deadline) return fmt::format("{} waits with a time limit", who);
    for (const trace::ThreadNumber each : hopes_of(deadlocks, *now)) {
      if (std::ranges::find(threads, each) != threads.end()) continue;
      threads.push_back(each);
      hoping.push_back(now->wait.thread);
    }
  }
  return fmt::format("{} is not stuck", names.thread(*std::ranges::find_if(
                                            threads, [&](auto each) { return each != waiting.wait.thread; })));
}

/// A lock that is used as a signal: another thread than its owner may release it.
const Suspect* other_releaser(const Deadlocks& deadlocks, const Waiting& waiting) {
  const auto found = std::ranges::find_if(waiting.suspects, [&](const Suspect& each) {
    return each.role == Role::give && goes_on(deadlocks, each.answers);
  });
  return found == waiting.suspects.end() ? nullptr : &*found;
}

/// It never ended such a wait, as far as it is known. Who did, and cannot, is told too.
std::string next_one(const Process& process, const Names& names, const Deadlocks& deadlocks, const Waiting& waiting,
                     trace::ThreadNumber thread) {
  const std::string who = names.thread(thread);
  const bool changed = process.mode_changed || process.own_modes;
  if (changed) return who + " may do it: not every step was recorded";
  if (process.mode != trace::Mode::all)
    return fmt::format("{} may do it: mode {} does not tell", who, trace::name_of(process.mode));
  const auto did = std::ranges::find_if(waiting.suspects, [](const Suspect& each) { return each.deed.count != 0; });
  std::string out = fmt::format("{} goes on, and {}", who, could_do(deadlocks, waiting, thread));
  if (did == waiting.suspects.end()) return out;
  return out + fmt::format("; {}, who {} {} before, {}", names.thread(did->thread),
                           deed_name(waiting.wait.kind, did->role), which(waiting),
                           did->ended ? "has ended" : "waits itself");
}

}  // namespace

std::string why_not_stuck(const Process& process, const Names& names, const Deadlocks& deadlocks,
                          const Waiting& waiting) {
  const Kind kind = waiting.wait.kind;
  if (waiting.wait.limit == trace::WaitLimit::deadline) return "it has a time limit";
  if (kind == Kind::thread && waiting.owner_ended) return "that thread has ended: about to return";
  if (kind == Kind::thread) {
    return deadlocks.waiting_of(waiting.owner) == nullptr ? "that thread goes on" : "that thread is not stuck";
  }
  if (can_be_held(kind)) {
    if (const Suspect* const other = other_releaser(deadlocks, waiting)) {
      return names.thread(other->answers) + " goes on (released such a lock for its owner before)";
    }
    return waiting.owner == 0 ? "nobody is known to hold it" : whose_it_is(names, deadlocks, waiting);
  }
  if (kind == Kind::timer) return "until its time comes";
  if (waiting.hope == Hope::open && waiting.wait.limit == trace::WaitLimit::stop) return "it can be stopped";
  if (waiting.hope == Hope::open && process.unknown_threads != 0) return "a thread that spool does not know may do it";
  if (waiting.hope == Hope::open) return "it may go on at any time";
  for (const Suspect& each : waiting.suspects) {
    if (goes_on(deadlocks, each.answers)) return who_could(names, deadlocks, waiting, each);
  }
  for (const trace::ThreadNumber each : waiting.kin) {
    if (goes_on(deadlocks, each)) return next_one(process, names, deadlocks, waiting, each);
  }
  if (waiting.idle && kind == Kind::pool) return "a worker at rest";
  if (std::string who = who_is_not_stuck(names, deadlocks, waiting); !who.empty()) return who;
  if (kind == Kind::barrier) return "others may still come";
  const Role role = awaited_role(waiting);
  return deadlocks.incomplete() ? fmt::format("nobody is recorded to have {}", short_deed_done(kind, role))
                                : fmt::format("nobody ever {}", short_deed(kind, role));
}

}  // namespace unspool
