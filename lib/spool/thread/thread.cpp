// SPDX-License-Identifier: MIT
#include <spool/log/fork.hpp>
#include <spool/log/message.hpp>
#include <spool/log/status.hpp>
#include <spool/os/process.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/thread/state.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <mutex>
#include <typeinfo>

#include <cxxabi.h>

namespace spool {
namespace {

using trace::Verb;

constexpr std::uint16_t id(Verb verb) {
  return trace::record_id(trace::Kind::thread, verb);
}

}  // namespace

Thread::Thread(ThreadOptions options, std::unique_ptr<thread::Task> task) {
  const log::Writer& creator = log::self();
  const bool daemon = options.daemon.value_or(creator.identity->daemon());
  identity_ = std::make_shared<thread::ThreadState>(std::move(options), std::move(task), creator.number, daemon);
}

Thread::Thread(ThreadOptions options) : Thread{std::move(options), std::unique_ptr<thread::Task>{}} {}

thread::ThreadState* Thread::state() const {
  return dynamic_cast<thread::ThreadState*>(identity_.get());
}

void Thread::start(const Site& site) {
  log::park_if_ending();
  const auto started = std::dynamic_pointer_cast<thread::ThreadState>(identity_);
  if (started == nullptr) log::throw_misuse("second start of", *identity_, ident(), site);
  std::shared_ptr<Thread> owner = weak_from_this().lock();
  const bool is_plain = typeid(*this) == plain_type();
  if (owner == nullptr && !is_plain) {
    log::throw_misuse("start of a subclass object that no std::shared_ptr owns (make it with spool::make_thread):",
                      *identity_, 0, site);
  }
  // A plain handle need not live on: what the thread runs is in the state.
  if (is_plain) owner.reset();
  started->launch(std::move(owner), started, site);
}

void Thread::run() {
  if (thread::ThreadState* mine = state()) mine->run_task();
}

void Thread::join(const Site& site) {
  (void)join_until_deadline(os::never, nullptr, site);
}

void Thread::check_joinable(const Site& site) const {
  const thread::ThreadState* mine = state();
  if (identity_->origin() == trace::Origin::foreign) {
    log::throw_misuse("join of a thread that spool did not start:", *identity_, 0, site);
  }
  if (mine != nullptr && !mine->is_started()) log::throw_misuse("join before the start of", *identity_, 0, site);
  if (ident() == log::self().number) log::throw_misuse("join of itself:", *identity_, ident(), site);
}

namespace {

/// One join: its Records, and the sleep.
class Join {
 public:
  Join(log::Identity& target, const Site& site) : target_{target}, site_{site}, me_{log::self()} {}

  bool wait(os::Deadline deadline, os::Word* stopped) {
    // seq_cst, both: we count ourselves, then look; who ends stores, then looks at the count; one sees the other
    target_.joiners.fetch_add(1, std::memory_order_seq_cst);
    const bool joined = sleep(deadline, stopped);
    target_.joiners.fetch_sub(1, std::memory_order_relaxed);  // relaxed: only whether somebody may sleep matters
    return joined;
  }

  void note_joined() {
    if (log::current_mode() != Mode::off) {
      log::emit_quoting(me_, id(Verb::resume), target_, site_, target_.next_sequence(), target_.thread_number(), 0,
                        {target_.thread_number(), 0});
    }
    log::end_wait(me_);
  }

 private:
  bool ended() const {
    return target_.ended.load(std::memory_order_seq_cst) != 0;  // seq_cst: partner is the store when it ends
  }

  bool sleep(os::Deadline deadline, os::Word* stopped) {
    bool in_time = true;
    for (bool blocked = false; !ended(); blocked = true) {
      // A stop that came before the call ends a wait too, so that the log has its block first.
      // acquire: partner is the release in the stop callback
      const bool cancelled = blocked && stopped != nullptr && stopped->load(std::memory_order_acquire) != 0;
      if (cancelled) return note_failed(Verb::cancel);
      if (!in_time) return note_failed(Verb::timeout);
      if (!blocked) begin();
      const bool tells = late_at_ == os::never || std::chrono::steady_clock::now() >= late_at_;
      if (tells && !recorded_) note_block(log::limit_of(deadline, stopped != nullptr));
      const os::Deadline until = tells ? deadline : std::min(deadline, late_at_);
      in_time =
          stopped == nullptr ? os::park(target_.ended, 0, until) : os::park_either(target_.ended, 0, *stopped, until);
      in_time = in_time || until != deadline;
    }
    return true;
  }

  /// In mode long it is recorded once it has lasted long.
  void begin() {
    if (log::current_mode() != Mode::long_waits) return;
    since_ = os::ticks();
    late_at_ = log::late_deadline();
  }

  void note_block(const log::WaitEnd& limit) {
    if (log::current_mode() == Mode::off) return;
    recorded_ = true;
    const trace::ThreadNumber owner = target_.thread_number();
    const log::WaitState wait{owner, 0, owner, 0, limit};
    const std::uint16_t record = trace::wait_id(trace::Kind::thread, Verb::block, limit.limit);
    if (since_ != 0) log::tell_late_wait(me_, record, target_, site_, since_, wait);
    const log::Emitted at =
        log::emit_quoting(me_, record, target_, site_, target_.last_sequence(), owner, 0, {owner, 0});
    log::begin_wait(me_, record, target_, at, wait);
  }

  bool note_failed(Verb verb) {
    if (recorded_ && log::current_mode() != Mode::off) {
      const trace::ThreadNumber owner = target_.thread_number();
      log::emit_quoting(me_, id(verb), target_, site_, target_.last_sequence(), owner, 0, {owner, 0});
    }
    log::end_wait(me_);
    return false;
  }

  log::Identity& target_;
  const Site& site_;
  log::Writer& me_;
  bool recorded_ = false;             ///< its block is in the trace
  trace::Ticks since_ = 0;            ///< in mode long: when it began
  os::Deadline late_at_ = os::never;  ///< and when it is long
};

}  // namespace

bool Thread::join_until_deadline(os::Deadline deadline, const std::stop_token* stop, const Site& site) {
  log::park_if_ending();
  check_joinable(site);
  Join join{*identity_, site};
  bool joined = false;
  if (stop == nullptr) {
    joined = join.wait(deadline, nullptr);
  } else {
    os::Word stopped{0};
    const std::stop_callback wake{*stop, [&stopped] {
                                    // release: partner is the acquire in Join::sleep
                                    stopped.store(1, std::memory_order_release);
                                    os::unpark(&stopped, 1);
                                  }};
    joined = join.wait(deadline, &stopped);
  }
  if (!joined) return false;
  if (thread::ThreadState* mine = state()) mine->reap();
  join.note_joined();
  return true;
}

bool Thread::is_alive() const {
  const thread::ThreadState* mine = state();
  const bool started = mine == nullptr || mine->is_started();
  return started && identity_->ended.load(std::memory_order_acquire) == 0;  // acquire: partner is the store at its end
}

std::string Thread::name() const {
  return identity_->name();
}

void Thread::set_name(std::string name) {
  if (log::my_writer != nullptr && log::my_writer->identity == identity_) os::name_thread(name);
  identity_->rename(std::move(name));
}

bool Thread::daemon() const {
  return identity_->daemon();
}

void Thread::set_daemon(bool daemon, const Site& site) {
  thread::ThreadState* mine = state();
  if (mine == nullptr) log::throw_misuse("change of daemon status after the start of", *identity_, ident(), site);
  mine->set_daemon_checked(daemon, site);
}

trace::ThreadNumber Thread::ident() const {
  return identity_->thread_number();
}
std::uint32_t Thread::native_id() const {
  return identity_->native_id();
}

bool Thread::request_stop() {
  thread::ThreadState* mine = state();
  return mine != nullptr && mine->stop_source().request_stop();
}

std::stop_token Thread::stop_token() const {
  thread::ThreadState* mine = state();
  return mine == nullptr ? std::stop_token{} : mine->stop_source().get_token();
}

std::exception_ptr Thread::exception() const {
  const thread::ThreadState* mine = state();
  return mine == nullptr ? nullptr : mine->exception();
}

Thread current_thread() {
  return Thread{log::current_identity()};
}

Thread main_thread() {
  auto identity = log::main_identity();
  return identity == nullptr ? current_thread() : Thread{std::move(identity)};
}

std::vector<Thread> enumerate() {
  std::vector<Thread> threads;
  for (auto& identity : log::Registry::all())
    threads.push_back(Thread{std::move(identity)});
  return threads;
}

std::size_t active_count() {
  return log::Registry::all().size();
}

namespace {

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text{abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                         &std::free};
  return status == 0 ? text.get() : name;
}

std::string describe(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& caught) {
    return fmt::format("{}: {}", demangled(typeid(caught).name()), caught.what());
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    return type == nullptr ? "an unknown exception" : demangled(type->name());
  }
}

void default_excepthook(const ExceptHookArgs& told) {
  error("exception in thread {}: {}", told.thread.name(), describe(told.exception));
}

struct Hook {
  Hook() { log::guard_across_fork(mutex, log::ForkOrder::innermost); }
  std::mutex mutex;
  ExceptHook function = &default_excepthook;
};

Hook& hook() {
  static auto* made = new Hook;  // leaked: threads may end in static destructors
  return *made;
}

// A fork while another thread is in the midst of making it would have the child wait for ever for that thread.
[[maybe_unused]] const Hook& hook_before_any_fork = hook();

}  // namespace

ExceptHook set_excepthook(ExceptHook function) {
  const std::lock_guard guard{hook().mutex};
  if (function == nullptr) function = &default_excepthook;
  return std::exchange(hook().function, std::move(function));
}

namespace thread {

void report_exception(const std::exception_ptr& exception, const Thread& thread) noexcept {
  try {
    ExceptHook function;
    {
      const std::lock_guard guard{hook().mutex};
      function = hook().function;
    }
    function({exception, thread});
  } catch (...) {
    error("the excepthook threw {} while it was told of {}", describe(std::current_exception()), describe(exception));
  }
}

}  // namespace thread

}  // namespace spool
