// SPDX-License-Identifier: MIT
#include <spool/log/dispatcher.hpp>
#include <spool/log/drain.hpp>
#include <spool/log/hidden_thread.hpp>
#include <spool/log/sink_feed.hpp>
#include <spool/os/clock.hpp>
#include <spool/os/park.hpp>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

namespace spool::log {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds{20};
constexpr auto longest_pause = std::chrono::seconds{1};

/// The thread's own state.
class Loop {
 public:
  static Loop& instance() {
    static auto* loop = new Loop;  // leaked: flush is legal at any time
    return *loop;
  }

  void start(std::vector<std::shared_ptr<Sink>> sinks) {
    const bool transitions = std::ranges::any_of(sinks, [](const auto& sink) { return sink->wants_transitions(); });
    drain_.want(transitions ? Drain::Wanted::all : Drain::Wanted::messages);
    feed_.set_sinks(std::move(sinks));
    stopping_.store(false, std::memory_order_relaxed);  // relaxed: the thread does not exist yet
    running_ = thread_.start("spool-dispatch", [] { instance().run(); });
  }

  void stop() {
    if (!running_) return;
    stopping_.store(true, std::memory_order_release);  // release: partner is the acquire in run
    wake();
    thread_.join();
    running_ = false;
  }

  void flush() {
    if (!running_) return;
    // seq_cst, all: the request, the wake and the answer are one conversation; it is rare
    const std::uint32_t ticket = asked_.fetch_add(1) + 1;
    wake();
    for (std::uint32_t done = answered_.load(); static_cast<std::int32_t>(done - ticket) < 0; done = answered_.load()) {
      os::park(answered_, done);
    }
  }

  void pause() {
    paused_ = false;
    if (!running_ || thread_.is_calling()) return;  // a sink may fork
    const os::Deadline patience = os::deadline_after(longest_pause);
    while (!(paused_ = feeding_.try_lock()) && std::chrono::steady_clock::now() < patience)
      std::this_thread::sleep_for(std::chrono::microseconds{100});
  }

  void go_on() {
    if (paused_) feeding_.unlock();
  }

  /// In the child. What was read but not delivered is the parent's to deliver.
  void forget() {
    thread_.forget();
    if (running_) resumes_ = true;
    running_ = false;
    if (!resumes_) return;
    if (!paused_) {
      feed_.set_sinks({});  // one of them is in the middle of a Record for ever
      return;
    }
    fresh_.clear();
    waiting_.clear();
    feeding_.unlock();
  }

  void resume(std::uint32_t first) {
    {
      const std::lock_guard guard{feeding_};
      drain_.begin_at(first);
    }
    if (running_ || !std::exchange(resumes_, false)) return;
    stopping_.store(false, std::memory_order_relaxed);  // relaxed: the thread does not exist yet
    running_ = thread_.start("spool-dispatch", [] { instance().run(); });
  }

 private:
  void run() {
    for (;;) {
      const std::uint32_t seen = wakes_.load(std::memory_order_acquire);  // acquire: partner is wake
      const bool last = stopping_.load(std::memory_order_acquire);        // acquire: partner is stop
      const std::uint32_t ticket = asked_.load();                         // seq_cst: see flush
      const bool all = last || ticket != answered_.load();                // seq_cst: see flush
      try {
        const std::lock_guard guard{feeding_};
        deliver(all);
      } catch (const std::bad_alloc&) {
        std::fputs("spool: no memory to feed the sinks; they miss Records, the trace goes on\n", stderr);
        waiting_.clear();
      }
      answered_.store(ticket);  // seq_cst: see flush
      os::unpark(&answered_, os::everybody);
      if (last) return;
      os::park(wakes_, seen, os::deadline_after(poll_interval));
    }
  }

  void deliver(bool all) {
    const os::ClockReading now = os::read_clocks();
    feed_.set_clock(now);
    drain_.poll(fresh_);
    for (DrainedRecord& record : fresh_) {
      if (record.definition && !feed_.renames(record)) {
        feed_.define(record);
      } else {
        waiting_.push_back(std::move(record));
      }
    }
    fresh_.clear();
    std::ranges::stable_sort(waiting_, {}, &DrainedRecord::time);
    const trace::Ticks horizon = all ? ~trace::Ticks{0} : feed_.ticks_before(now.ticks, dispatch_delay);
    const auto due = std::ranges::upper_bound(waiting_, horizon, {}, &DrainedRecord::time);
    for (auto each = waiting_.begin(); each != due; ++each)
      each->definition ? feed_.define(*each) : feed_.write(*each);
    if (all || due != waiting_.begin()) feed_.flush();
    waiting_.erase(waiting_.begin(), due);
    feed_.note_lapped(drain_.lapped());
  }

  void wake() {
    wakes_.fetch_add(1, std::memory_order_release);  // release: partner is the acquire in run
    os::unpark(&wakes_, 1);
  }

  Drain drain_;
  SinkFeed feed_;
  std::vector<DrainedRecord> fresh_;
  std::vector<DrainedRecord> waiting_;
  HiddenThread thread_;
  bool running_ = false;
  bool resumes_ = false;  ///< in the child of a fork: with its first Record
  bool paused_ = false;   ///< by the fork under way
  std::mutex feeding_;    ///< held during a round: the sinks, and what is read and not delivered
  os::Word wakes_{0};
  os::Word asked_{0};
  os::Word answered_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace

void Dispatcher::start(std::vector<std::shared_ptr<Sink>> sinks) {
  Loop::instance().start(std::move(sinks));
}
void Dispatcher::stop() {
  Loop::instance().stop();
}
void Dispatcher::flush() {
  Loop::instance().flush();
}
void Dispatcher::lock_for_fork() {
  Loop::instance().pause();
}
void Dispatcher::unlock_after_fork() {
  Loop::instance().go_on();
}
void Dispatcher::resume_in_child(std::uint32_t first) {
  Loop::instance().resume(first);
}
void Dispatcher::forget_after_fork() {
  Loop::instance().forget();
}

}  // namespace spool::log
