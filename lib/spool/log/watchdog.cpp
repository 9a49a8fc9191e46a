// SPDX-License-Identifier: MIT
#include <spool/log/control.hpp>
#include <spool/log/fork.hpp>
#include <spool/log/identity.hpp>
#include <spool/log/keeper.hpp>
#include <spool/log/live_text.hpp>
#include <spool/log/message.hpp>
#include <spool/log/recorder.hpp>
#include <spool/log/watchdog.hpp>
#include <spool/os/process.hpp>
#include <spool/trace/message.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include <signal.h>

namespace spool::log {
namespace {

bool is_watched(const LiveThread& thread, bool every_wait) {
  if (thread.wait.record == 0) return false;
  const trace::Row* row = trace::row_of_id(thread.wait.record);
  if (every_wait || row == nullptr) return true;
  return row->kind == trace::Kind::lock || row->kind == trace::Kind::rlock || row->kind == trace::Kind::shared_lock;
}

/// Ten thousand threads behind one lock make one finding, of bearable length.
constexpr std::size_t most_told = 8;

std::string story_of(const LiveProcess& process, const LiveOwners& owners,
                     const std::vector<const LiveThread*>& threads, const PlaceOf& place_of) {
  std::vector<const LiveThread*> all{
      threads.begin(), threads.begin() + static_cast<std::ptrdiff_t>(std::min(threads.size(), most_told))};
  for (std::size_t i = 0; i < std::min(threads.size(), most_told); ++i) {
    for (const LiveOwner& owner : owners.of(*threads[i])) {
      if (all.size() < 2 * most_told && std::ranges::find(all, owner.thread) == all.end()) all.push_back(owner.thread);
    }
  }
  std::string out;
  for (const LiveThread* each : all)
    out += paragraph(process, owners, *each, place_of);
  return out;
}

std::vector<trace::ThreadNumber> numbers_of(const std::vector<const LiveThread*>& threads) {
  std::vector<trace::ThreadNumber> numbers;
  numbers.reserve(threads.size());
  for (const LiveThread* each : threads)
    numbers.push_back(each->number);
  return numbers;
}

/// Those who wait for one object, longest first.
Finding late_finding(const LiveProcess& process, const LiveOwners& owners, std::vector<const LiveThread*> waiters,
                     const PlaceOf& place_of) {
  std::ranges::sort(waiters, {}, [](const LiveThread* each) { return each->wait.since; });
  const LiveThread& first = *waiters.front();
  const std::string others = waiters.size() == 1 ? "" : fmt::format(" (and {} more)", waiters.size() - 1);
  std::string held;
  for (const LiveOwner& owner : owners.of(first)) {
    if (!trace::is_thread(first.wait.object.number)) held = " held by " + name_of(*owner.thread);
  }
  const std::string place = place_of(first.wait.site);
  return {
      Finding::What::long_wait,
      fmt::format("{} has waited {} for {}{}{}{}{}", name_of(first), lasted(process.seconds_since(first.wait.since)),
                  name_of(first.wait), held, place.empty() ? "" : ", at " + trace::escaped(place), others,
                  ending(process.seconds_left(first.wait))),
      story_of(process, owners, waiters, place_of), numbers_of(waiters)};
}

}  // namespace

std::vector<Finding> Watch::look(const LiveProcess& process, const PlaceOf& place_of) {
  const LiveOwners owners{process};
  std::vector<Finding> found;
  std::set<Circle> circles_now;
  for (const auto& circle : circles(process, owners)) {
    Circle key;
    for (const LiveThread* each : circle)
      key.emplace_back(each->number, each->wait.since);
    const CircleFacts facts = facts_of(circle, process, owners);
    if (facts.ends_in) continue;
    circles_now.insert(key);
    if (!seen_.contains(key) || !told_.insert(key).second) continue;
    late_.insert(key.begin(), key.end());  // a deadlock says it all
    found.push_back({Finding::What::deadlock, (facts.certain ? "deadlock: " : "likely deadlock: ") + sentence(circle),
                     story_of(process, owners, circle, place_of), numbers_of(circle), facts.certain});
  }
  std::erase_if(told_, [&](const Circle& each) { return !circles_now.contains(each); });
  seen_ = std::move(circles_now);

  const double patience = std::chrono::duration<double>{options_.patience}.count();
  std::map<trace::ObjectNumber, std::vector<const LiveThread*>> late;
  std::set<std::pair<trace::ThreadNumber, trace::Ticks>> waits_now;
  for (const LiveThread& thread : process.threads) {
    if (thread.wait.record == 0) continue;
    const std::pair wait{thread.number, thread.wait.since};
    waits_now.insert(wait);
    if (!is_watched(thread, options_.every_wait) || process.seconds_since(thread.wait.since) < patience) continue;
    if (late_.insert(wait).second) late[thread.wait.object.number].push_back(&thread);
  }
  std::erase_if(late_, [&](const auto& each) { return !waits_now.contains(each); });
  for (auto& [object, waiters] : late)
    found.push_back(late_finding(process, owners, std::move(waiters), place_of));
  return found;
}

namespace {

/// What is wanted, changed as a whole: the keeper may run already.
class Wanted {
 public:
  Wanted() { guard_across_fork(mutex_, ForkOrder::innermost); }
  void set(const Watchdog& options) {
    auto made = std::make_shared<const Watchdog>(options);
    const std::lock_guard guard{mutex_};
    options_.swap(made);
  }
  std::shared_ptr<const Watchdog> get() {
    const std::lock_guard guard{mutex_};
    return options_;
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const Watchdog> options_ = std::make_shared<const Watchdog>();
};

Wanted& wanted() {
  static auto* made = new Wanted;  // leaked: the keeper may run while static destructors do
  return *made;
}

// A fork while another thread is in the midst of making it would have the child wait for ever for that thread.
[[maybe_unused]] const Wanted& made_before_any_fork = wanted();

/// The keeper's own.
struct Rounds {
  std::shared_ptr<const Watchdog> options;
  Watch watch{{}};
  os::Deadline next{};
};

Rounds& rounds() {
  static auto* made = new Rounds;  // leaked: as above
  return *made;
}

std::atomic<bool> is_on{false};
std::atomic<bool> dump_wanted{false};

/// What each signal did before it was ours; written before our handler is there to read it.
std::array<struct sigaction, NSIG> handled_before;

/// Async-signal-safe: two atomics and a futex call; and whatever was there before.
void on_signal(int signal, siginfo_t* about, void* context) {
  const int kept = errno;
  dump_wanted.store(true, std::memory_order_release);  // release: partner is the acquire in round
  Keeper::wake();
  errno = kept;
  const struct sigaction& before = handled_before[static_cast<std::size_t>(signal)];
  if ((before.sa_flags & SA_SIGINFO) != 0) return before.sa_sigaction(signal, about, context);
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) before.sa_handler(signal);
}

/// The keeper has no identity until it has something to say; then it is one of ours, which enumerate() does not show.
void become_known() {
  if (my_writer != nullptr) return;
  attach(std::make_shared<Identity>(trace::Origin::internal, "spool-keeper", false, 0));
}

void tell(const Finding& finding, const Watchdog& options) {
  os::print_error(fmt::format("spool: {}\n{}", finding.sentence, finding.story));
  become_known();
  if (is_logged(Level::error)) write_text(Level::error, {}, finding.sentence, "spool.watchdog");
  wake_sinks();
  try {
    if (options.on_finding) options.on_finding(finding);
  } catch (...) {  // the user's: as its contract says
  }
  if (options.abort) std::abort();
}

}  // namespace

void Guard::begin(const Watchdog& options) {
  wanted().set(options);
  is_on.store(options.patience > std::chrono::nanoseconds::zero(), std::memory_order_relaxed);  // relaxed: a switch
}

bool Guard::dump_on(int signal) {
  struct sigaction before {};
  if (sigaction(signal, nullptr, &before) != 0) return false;
  if ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction == &on_signal) return true;
  handled_before[static_cast<std::size_t>(signal)] = before;
  struct sigaction action {};
  action.sa_sigaction = &on_signal;
  action.sa_flags = SA_RESTART | SA_SIGINFO | SA_ONSTACK;
  action.sa_mask = before.sa_mask;
  return sigaction(signal, &action, nullptr) == 0;
}

std::chrono::nanoseconds Guard::interval() {
  using std::chrono::milliseconds;
  constexpr std::chrono::nanoseconds shortest = milliseconds{10};
  constexpr std::chrono::nanoseconds longest = milliseconds{250};
  if (!is_on.load(std::memory_order_relaxed)) return longest;  // relaxed: a switch
  return std::clamp(wanted().get()->patience / 4, shortest, longest);
}

void Guard::round() {
  Recorder& recorder = Recorder::instance();
  const auto place_of = [&](trace::SiteNumber number) { return recorder.describe_site(number); };
  // acquire: partner is the release in on_signal
  if (dump_wanted.exchange(false, std::memory_order_acquire)) {
    os::print_error(dump(recorder.look_at_threads(), os::process_id(), place_of));
  }
  if (!is_on.load(std::memory_order_relaxed)) return;  // relaxed: a switch
  Rounds& mine = rounds();
  if (std::chrono::steady_clock::now() < mine.next) return;
  mine.next = os::deadline_after(interval());
  if (auto options = wanted().get(); options != mine.options) {
    mine.options = std::move(options);
    mine.watch = Watch{*mine.options};
  }
  for (const Finding& each : mine.watch.look(recorder.look_at_threads(), place_of))
    tell(each, *mine.options);
}

}  // namespace spool::log
