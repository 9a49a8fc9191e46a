// SPDX-License-Identifier: MIT
#include <spool/log/control.hpp>
#include <spool/log/writer.hpp>
#include <spool/os/process.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/thread/shutdown.hpp>
#include <spool/thread/state.hpp>

#include <cstdlib>
#include <system_error>

namespace spool::thread {
namespace {

constexpr std::uint16_t id(trace::Verb verb) {
  return trace::record_id(trace::Kind::thread, verb);
}

void note(log::Identity& identity, trace::Verb verb, const Site& site, std::uint32_t a) {
  if (log::current_mode() == Mode::off) return;
  log::emit(log::self(), id(verb), identity, site, identity.next_sequence(), a, 0);
}

class Attributes {
 public:
  explicit Attributes(std::size_t stack_size) {
    pthread_attr_init(&attributes_);
    if (stack_size == 0) return;
    const int error = pthread_attr_setstacksize(&attributes_, stack_size);
    if (error != 0) {
      pthread_attr_destroy(&attributes_);
      throw std::system_error{error, std::generic_category(), "spool::Thread: a stack of that size"};
    }
  }
  ~Attributes() { pthread_attr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const pthread_attr_t* get() const { return &attributes_; }

 private:
  pthread_attr_t attributes_{};
};

}  // namespace

ThreadState::ThreadState(ThreadOptions options, std::unique_ptr<Task> task, trace::ThreadNumber creator, bool daemon)
    : Identity{trace::Origin::spool, options.name.empty() ? log::next_thread_name() : std::move(options.name), daemon,
               creator},
      task_{std::move(task)},
      stack_size_{options.stack_size} {
  note(*this, trace::Verb::create, options.site, static_cast<std::uint32_t>(daemon));
}

ThreadState::~ThreadState() {
  // Ended, and nobody joined: the system may clear it away by itself.
  if (is_started() && !reaped_.exchange(true, std::memory_order_relaxed))
    pthread_detach(native_);  // relaxed: last owner
}

void ThreadState::launch(std::shared_ptr<Thread> self, const std::shared_ptr<ThreadState>& keep, const Site& site) {
  std::uint32_t phase = created;
  // acq_rel: one caller starts it; partner is is_started
  if (!started_.compare_exchange_strong(phase, starting, std::memory_order_acq_rel)) {
    log::throw_misuse("second start of", *this, thread_number(), site);
  }
  try {
    const Attributes attributes{stack_size_};
    runner_ = std::move(self);
    keep_ = keep;
    log::Registry::add(keep);
    join_at_exit();
    create(attributes.get(), site);
  } catch (...) {
    log::Registry::remove(*this);
    runner_.reset();
    keep_.reset();
    started_.store(created, std::memory_order_release);  // release: partner is the acquire in launch
    throw;
  }
}

/// It counts as started once there is a thread, not before: others see it in enumerate() already, and nobody is to wait
/// for the end of one that never is. The thread says so too, for it may be first.
void ThreadState::create(const pthread_attr_t* attributes, const Site& site) {
  note(*this, trace::Verb::start, site, 0);
  const int error = pthread_create(&native_, attributes, &ThreadState::enter, this);
  if (error == 0) return mark_started();
  note(*this, trace::Verb::refuse, site, static_cast<std::uint32_t>(error));
  throw std::system_error{error, std::generic_category(), "spool::Thread::start"};
}

void* ThreadState::enter(void* argument) {
  auto* const mine = static_cast<ThreadState*>(argument);
  mine->mark_started();
  mine->live();
  return nullptr;
}

void ThreadState::live() noexcept {
  os::name_thread(name());
  log::attach(keep_);
  try {
    if (runner_ != nullptr) {
      runner_->run();
    } else {
      run_task();
    }
  } catch (...) {  // pthread_exit and pthread_cancel unwind too: glibc aborts, as with std::thread's noexcept
    exception_ = std::current_exception();
    outcome = trace::Outcome::exception;
    report_exception(exception_, Thread{keep_});
  }
  // The main thread of a forked child: its process ends with it, as with a return from main. (Left to glibc it would
  // end with the last thread of all, and ours never end.)
  if (origin() == trace::Origin::main) std::exit(outcome == trace::Outcome::returned ? EXIT_SUCCESS : EXIT_FAILURE);
  // Here, where the thread still is itself: their destructors are the user's and may log.
  task_.reset();
  runner_.reset();
}

void ThreadState::run_task() {
  if (task_ != nullptr) task_->run(stop_.get_token());
}

void ThreadState::on_ended() {
  const std::shared_ptr<ThreadState> keep = std::move(keep_);  // the caller owns one too, for a moment longer
  // Nobody waits for it now: its stack goes with it, not with the last handle. relaxed, both: a joiner that comes at
  // this moment clears it away itself, or finds that we do.
  if (joiners.load(std::memory_order_relaxed) == 0 && !reaped_.exchange(true, std::memory_order_relaxed)) {
    pthread_detach(pthread_self());
  }
}

void ThreadState::reap() noexcept {
  // relaxed: pthread_join synchronizes
  if (!reaped_.exchange(true, std::memory_order_relaxed)) pthread_join(native_, nullptr);
}

std::exception_ptr ThreadState::exception() const {
  // seq_cst: partner is the store when the thread ends
  return ended.load(std::memory_order_seq_cst) != 0 ? exception_ : nullptr;
}

void ThreadState::set_daemon_checked(bool daemon, const Site& site) {
  if (is_started()) log::throw_misuse("change of daemon status after the start of", *this, thread_number(), site);
  set_daemon(daemon);
}

}  // namespace spool::thread
