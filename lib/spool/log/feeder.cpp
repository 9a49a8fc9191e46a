// SPDX-License-Identifier: MIT
#include <spool/log/feeder.hpp>
#include <spool/log/recorder.hpp>
#include <spool/os/clock.hpp>
#include <spool/trace/message.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <new>
#include <thread>
#include <utility>

namespace spool::log {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds{20};
constexpr auto first_pause = std::chrono::milliseconds{10};
constexpr auto longest_pause = std::chrono::milliseconds{1000};
constexpr auto grace = std::chrono::milliseconds{500};  ///< beyond the patience, until a thread is taken for hanging
constexpr int most_attempts = 3;

constinit thread_local bool is_feeder = false;

Drain::Wanted wanted_by(const Sink& sink) {
  return sink.wants_transitions() ? Drain::Wanted::all : Drain::Wanted::messages;
}

Drain::Unread unread_by(const Sink& sink) {
  const bool blocks = sink.policy.when_behind == SinkPolicy::WhenBehind::block;
  return blocks ? Drain::Unread::waited_for : Drain::Unread::lapped;
}

void tell(const std::string& what) {
  std::fputs(fmt::format("spool: {}\n", what).c_str(), stderr);
}

}  // namespace

bool Feeder::is_calling() noexcept {
  return is_feeder;
}

Feeder::Feeder(std::shared_ptr<Sink> sink)
    : sink_{std::move(sink)}, drain_{wanted_by(*sink_), unread_by(*sink_), sink_->policy.patience}, feed_{*sink_} {}

void Feeder::start() {
  feed_.begin(Recorder::instance().process());
  launch();
}

void Feeder::launch() {
  stopping_.store(false, std::memory_order_relaxed);  // relaxed, both: the thread does not exist yet
  ended_.store(0, std::memory_order_relaxed);
  running_ = thread_.start(
      "spool-feeder", [](void* self) { static_cast<Feeder*>(self)->run(); }, this);
  if (running_) return;
  drain_.give_up();
  tell("the system makes no thread for a sink; nothing is in it");
}

void Feeder::ask_to_stop() {
  stopping_.store(true, std::memory_order_release);  // release: partner is the acquire in run
  wake();
}

bool Feeder::await_stop() {
  if (!std::exchange(running_, false)) return true;
  const os::Deadline deadline = os::deadline_after(sink_->policy.patience + grace);
  // acquire: partner is the release at the end of run
  while (ended_.load(std::memory_order_acquire) == 0) {
    if (!os::park(ended_, 0, deadline)) break;
  }
  if (ended_.load(std::memory_order_acquire) == 0) {  // acquire: as above
    tell("a sink hangs; what it had not written by now is not in it");
    thread_.forget();
    drain_.give_up();
    return false;
  }
  thread_.join();
  drain_.give_up();  // nobody reads any more
  return true;
}

void Feeder::wake() noexcept {
  // acq_rel: partner is the exchange in run; who comes second has the first one's wake
  if (urgent_.exchange(true, std::memory_order_acq_rel)) return;
  wakes_.fetch_add(1, std::memory_order_release);  // release: partner is the acquire in run
  os::unpark(&wakes_, 1);
}

std::uint32_t Feeder::ask_for_all() {
  // seq_cst, all: the request, the wake and the answer are one conversation; it is rare
  const std::uint32_t ticket = asked_.fetch_add(1) + 1;
  wakes_.fetch_add(1);
  os::unpark(&wakes_, 1);
  return ticket;
}

bool Feeder::await_all(std::uint32_t ticket) {
  if (!running_ || is_calling()) return false;  // a sink cannot wait for itself
  const os::Deadline deadline = os::deadline_after(sink_->policy.patience);
  for (;;) {
    const std::uint32_t done = answered_.load();  // seq_cst: see ask_for_all
    if (static_cast<std::int32_t>(done - ticket) >= 0) return true;
    if (!os::park(answered_, done, deadline)) return false;
  }
}

bool Feeder::pause(os::Deadline deadline) {
  paused_ = false;
  if (!running_ || thread_.is_calling()) return true;  // a sink may fork
  while (!(paused_ = feeding_.try_lock()) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::microseconds{100});
  return paused_;
}

void Feeder::go_on() {
  if (paused_) feeding_.unlock();
}

/// What was read but not delivered is the parent's to deliver.
void Feeder::forget() {
  thread_.forget();
  if (running_) resumes_ = true;
  running_ = false;
  if (!resumes_) return;
  if (!paused_) {
    abandoned_ = true;  // in the middle of a Record for ever
    return;
  }
  batch_.clear();
  next_ = 0;
  attempts_ = 0;
  lapped_told_ = 0;
  more_ = false;
  feeding_.unlock();
}

void Feeder::resume(std::uint32_t first) {
  drain_.begin_at(first);
  if (abandoned_ || running_ || !std::exchange(resumes_, false)) return;
  feed_.begin(Recorder::instance().process());
  launch();
}

void Feeder::run() {
  is_feeder = true;
  os::Deadline end = os::never;
  for (;;) {
    const std::uint32_t seen = wakes_.load(std::memory_order_acquire);       // acquire: partner is wake
    const bool last = stopping_.load(std::memory_order_acquire);             // acquire: partner is stop
    const std::uint32_t ticket = asked_.load();                              // seq_cst: see ask_for_all
    const bool urgent = urgent_.exchange(false, std::memory_order_acq_rel);  // acq_rel: partner is wake
    if (last && end == os::never) end = os::deadline_after(sink_->policy.patience);
    const Round result = round(last || urgent || ticket != answered_.load());  // seq_cst: see ask_for_all
    if (result == Round::done) {
      answered_.store(ticket);  // seq_cst: see ask_for_all
      os::unpark(&answered_, os::everybody);
      if (last) break;
    } else if (last && std::chrono::steady_clock::now() >= end) {
      give_up_rest();
      break;
    }
    rest(seen, result);
  }
  ended_.store(1, std::memory_order_release);  // release: partner is the acquire in stop
  os::unpark(&ended_, os::everybody);
}

void Feeder::rest(std::uint32_t seen, Round last) {
  if (last == Round::more) return;
  if (last == Round::done) {
    (void)os::park(wakes_, seen, os::deadline_after(poll_interval));
    return;
  }
  const os::Deadline until = os::deadline_after(back_off_);
  // A wake does not shorten the pause: a sink that is down is not asked for each error.
  while (os::park(wakes_, wakes_.load(std::memory_order_relaxed), until)) {}  // relaxed: looked at in run
}

Feeder::Round Feeder::round(bool all) {
  const std::lock_guard guard{feeding_};
  try {
    return deliver(all);
  } catch (const std::bad_alloc&) {
    return fail("no memory");
  } catch (const std::exception& problem) {
    return fail(problem.what());
  } catch (...) {
    return fail("an exception that is no std::exception");
  }
}

void Feeder::read(bool all) {
  batch_.clear();
  next_ = 0;
  const trace::Ticks horizon = all ? std::numeric_limits<trace::Ticks>::max()
                                   : feed_.ticks_before(os::ticks(), std::chrono::nanoseconds{dispatch_delay}.count());
  more_ = drain_.poll(batch_, horizon);
  const std::uint64_t lapped = drain_.lapped();
  if (lapped == lapped_told_) return;
  if (lapped_told_ == 0) {
    tell(
        "a sink is too slow: Records were recycled before it had read them; they are counted in it (said once). Log "
        "less to it, raise `keep`, or have its policy block");
  }
  feed_.owe(trace::LossReason::lapped, lapped - lapped_told_);
  lapped_told_ = lapped;
}

Feeder::Round Feeder::deliver(bool all) {
  if (next_ == batch_.records.size()) read(all);
  unflushed_ |= next_ != batch_.records.size();
  for (; next_ != batch_.records.size(); ++next_) {
    feed_.write(batch_.records[next_]);
    attempts_ = 0;
    drain_.note_progress();
  }
  unflushed_ |= feed_.settle();
  if (more_) return Round::more;
  if (unflushed_ || all) sink_->flush();
  unflushed_ = false;
  back_off_ = {};
  return Round::done;
}

/// The pause comes in `rest`, when the sink is nobody's.
Feeder::Round Feeder::fail(const char* what) {
  if (!std::exchange(told_, true)) {
    tell(
        fmt::format("a sink failed: {}; it is tried again, what it does not take is counted, and the trace goes on "
                    "(said once)",
                    trace::escaped(what)));
  }
  back_off_ = std::clamp(2 * back_off_, first_pause, longest_pause);
  if (next_ != batch_.records.size() && ++attempts_ >= most_attempts) {
    feed_.drop(batch_.records[next_++]);
    ++failed_;
    attempts_ = 0;
    drain_.note_progress();
  }
  return Round::failed;
}

/// The program ends and the sink takes nothing.
void Feeder::give_up_rest() {
  do {
    failed_ += batch_.records.size() - next_;
    batch_.clear();
    next_ = 0;
    more_ = drain_.poll(batch_);
  } while (more_ || !batch_.records.empty());
  tell(fmt::format("a sink failed to the end: {} Records are not in it", failed_));
}

}  // namespace spool::log
