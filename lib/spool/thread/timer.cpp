// SPDX-License-Identifier: MIT
#include <spool/log/control.hpp>
#include <spool/sync/notes.hpp>
#include <spool/sync/state_word.hpp>
#include <spool/thread/timer.hpp>

#include <algorithm>
#include <limits>
#include <optional>

namespace spool {

using sync::Waiter;
using trace::Verb;

namespace thread {

/// Whether it fires or is cancelled is decided under the word's lock.
class Countdown {
 public:
  explicit Countdown(Seconds interval) : interval_{interval} {}
  Countdown(const Countdown&) = delete;
  Countdown& operator=(const Countdown&) = delete;
  ~Countdown();

  /// Where it was made, and its thread, which outlives it: the thread's state owns it, and each Timer owns that state.
  void set_thread(log::Identity& identity, const Site& site) {
    object_.emplace(trace::Kind::timer, Name{}, site);
    object_->set_parent(&identity);
  }

  /// The line whose Records those of the wait are; kept from the moment it waits.
  void set_site(const Site& site);
  bool wait(const std::stop_token& stop);
  bool cancel(const Site& site);
  log::ObjectState& object() { return *object_; }

 private:
  enum State : std::uint32_t { waiting = 0, fired = 1, cancelled = 2 };

  std::uint32_t milliseconds() const;
  bool give_up(const sync::Notes& notes, Waiter& waiter, Waiter::Woken woken, Mode mode);
  std::uint32_t end_waiting(const Waiter& waiter, Waiter::Woken woken);
  void record(log::Writer& me, Verb verb, const Site& site, std::uint32_t a);

  Seconds interval_;
  sync::StateWord word_;
  sync::WaiterQueue waiters_;  ///< under the word's lock, as all below
  Site site_;
  bool has_begun_ = false;
  sync::Waker canceller_;
  std::atomic<trace::Sequence> sequence_{0};
  std::optional<log::ObjectState> object_;
};

Countdown::~Countdown() {
  if (object_->mode() != Mode::all || object_->known_number() == 0) return;
  const trace::Sequence last = sequence_.load(std::memory_order_relaxed);  // relaxed: nobody else has it any more
  sync::Notes{log::self(), *object_, object_->site()}.tell(Verb::destroy, last + 1, 0, 0);
}

std::uint32_t Countdown::milliseconds() const {
  constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
  const long double wanted = interval_.count() * 1000 + 0.5L;  // rounded: a millisecond is no binary fraction
  if (!(wanted > 0)) return 0;
  return wanted >= static_cast<long double>(most) ? most : static_cast<std::uint32_t>(wanted);
}

void Countdown::record(log::Writer& me, Verb verb, const Site& site, std::uint32_t a) {
  const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed) + 1;  // relaxed, both: under the lock
  sequence_.store(sequence, std::memory_order_relaxed);
  log::emit(me, trace::record_id(trace::Kind::timer, verb), *object_, site, sequence, a, 0);
}

void Countdown::set_site(const Site& site) {
  const std::uint32_t state = word_.lock(*object_, site);
  if (!has_begun_) site_ = site;
  word_.unlock(state);
}

/// True: it fires.
bool Countdown::wait(const std::stop_token& stop) {
  const sync::Patience patience{os::deadline_after(interval_), &stop};
  const Mode mode = object_->mode();
  const sync::Notes notes{log::self(), *object_, site_};
  Waiter waiter;
  // How long it will be is known, so in mode long too it is recorded at once.
  const std::chrono::nanoseconds long_wait{log::long_wait.load(std::memory_order_relaxed)};  // relaxed: a switch
  waiter.recorded = mode != Mode::off && (mode != Mode::long_waits || interval_ >= long_wait);
  const std::uint32_t state = word_.lock(*object_, site_);
  const sync::Waker canceller = canceller_;
  const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: under the lock
  has_begun_ = true;
  if (state == waiting) waiters_.push(waiter);
  word_.unlock(state);

  // One that was cancelled before blocks too, for a moment: so the trace has a wait, and what ended it.
  if (waiter.recorded) notes.block({.quoted = sequence, .a = milliseconds()}, patience);
  const auto tell_cancel = [&](const sync::Waker& by) {
    notes.unblock(waiter, [&] {
      // relaxed: a quote
      notes.tell(Verb::cancel, sequence_.load(std::memory_order_relaxed), by.thread, by.site, by);
    });
  };
  if (state != waiting) {
    tell_cancel(canceller);
    return false;
  }
  const Waiter::Woken woken = waiter.sleep(patience);
  log::park_if_ending();  // a daemon's function is not called any more
  if (woken == Waiter::Woken::granted || !give_up(notes, waiter, woken, mode)) {
    tell_cancel({waiter.waker, waiter.waker_site});
    return false;
  }
  if (woken == Waiter::Woken::stop) {
    tell_cancel({});
    return false;
  }
  log::end_wait(log::self());
  return true;
}

/// It fires, or was stopped through its thread. False: it was cancelled in the meantime.
bool Countdown::give_up(const sync::Notes& notes, Waiter& waiter, Waiter::Woken woken, Mode mode) {
  if (mode != Mode::off) log::make_ready(log::self(), *object_, site_);
  return notes.give_up(word_, waiters_, waiter, [&](std::uint32_t) { return end_waiting(waiter, woken); });
}

/// Under the word's lock; gives the state to leave.
std::uint32_t Countdown::end_waiting(const Waiter& waiter, Waiter::Woken woken) {
  if (woken != Waiter::Woken::deadline) return cancelled;
  if (waiter.recorded && object_->mode() != Mode::off) record(log::self(), Verb::resume, site_, 0);
  return fired;
}

bool Countdown::cancel(const Site& site) {
  log::park_if_ending();
  const Mode mode = object_->mode();
  log::Writer& me = log::self();
  sync::Waker here{me.number, 0};
  if (mode != Mode::off) {
    log::make_ready(me, *object_, site);
    here.site = log::number_of_site(me, site);
  }
  sync::Chosen chosen;
  const std::uint32_t state = word_.lock(*object_, site);
  if (state != waiting) {
    word_.unlock(state);
    return false;
  }
  canceller_ = here;
  if (waiters_.first() != nullptr) waiters_.choose_first(here, chosen);
  if (mode != Mode::off) record(me, Verb::abort, site, chosen.count());
  word_.unlock(cancelled);
  chosen.wake_all();
  return true;
}

void CountdownTask::run(const std::stop_token& stop) {
  if (countdown_->wait(stop)) function_->run(stop);
}

}  // namespace thread

std::shared_ptr<thread::Countdown> Timer::make_countdown(thread::Seconds interval) {
  return std::make_shared<thread::Countdown>(interval);
}

Timer::Timer(const ThreadOptions& options, std::shared_ptr<thread::Countdown> countdown,
             std::unique_ptr<thread::Task> function)
    : Thread{options, std::make_unique<thread::CountdownTask>(countdown, std::move(function))},
      countdown_{std::move(countdown)} {
  countdown_->set_thread(identity(), options.site);
}

void Timer::start(const Site& site) {
  countdown_->set_site(site);
  Thread::start(site);
}

bool Timer::cancel(const Site& site) {
  return countdown_->cancel(site);
}

log::ObjectState& Timer::log_object() {
  return countdown_->object();
}

}  // namespace spool
