// SPDX-License-Identifier: MIT
#include <spool/log/status.hpp>
#include <spool/sync/condition.hpp>
#include <spool/sync/misuse.hpp>

#include <utility>

namespace spool {
namespace {

using trace::Verb;

constexpr std::uint16_t id(Verb verb) {
  return trace::record_id(trace::Kind::condition, verb);
}

constexpr std::uint16_t block_id(const log::WaitEnd& end) {
  return trace::wait_id(trace::Kind::condition, Verb::block, end.limit);
}

}  // namespace

/// A waiter, on its own stack. It stays there until the waiter has the lock again, which whoever notifies it holds.
struct Condition::Node {
  enum State : std::uint32_t { waiting = 0, notified = 1, timed_out = 2, stopped = 3 };

  os::Word state{waiting};
  Node* next = nullptr;
  Node* before = nullptr;
  bool linked = false;
  std::atomic<bool> recorded{false};
  trace::ThreadNumber waker = 0;  ///< before the notifying CAS, read after it
  trace::SiteNumber waker_site = 0;

  /// One of notify, deadline and stop decides.
  bool decide(State outcome) {
    std::uint32_t undecided = waiting;
    // acq_rel: publishes waker to the waiter, whose acquire load of `state` is the partner
    return state.compare_exchange_strong(undecided, outcome, std::memory_order_acq_rel);
  }
};

/// When a wait that is recorded only once it lasts began, when it does, and what its Records will say.
struct Condition::Late {
  trace::Ticks since = 0;
  os::Deadline at = os::never;  ///< never: it is recorded at once, or not at all
  std::uint32_t depth = 0;
  log::WaitEnd limit = {};

  void begin() {
    since = os::ticks();
    at = log::late_deadline();
  }
};

Condition::Condition(Name name, const Site& site)
    : own_{std::make_unique<RLock>(name, site)}, object_{trace::Kind::condition, name, site} {
  rlock_ = own_.get();
  object_.set_parent(&rlock_->log_object());
}

Condition::~Condition() {
  const std::uint8_t state = log::current_state();
  const std::uint32_t waiters = waiters_.load(std::memory_order_relaxed);  // relaxed: a daemon may wait still
  // relaxed: a daemon may wait still
  const bool ours = process_.load(std::memory_order_relaxed) == log::fork_depth();
  if (waiters != 0 && ours && (state & log::ending_bit) == 0) {
    log::abort_misuse("destruction of a waited-on", object_, 0, object_.site());
  }
  // A daemon may be on its way to the lock: it is parked at its next call, but may be within one now. Left to it, as
  // the memory of a static is.
  if ((state & log::ending_bit) != 0) (void)own_.release();
  if (object_.mode() != Mode::all || object_.known_number() == 0) return;
  const trace::Sequence last = sequence_.load(std::memory_order_relaxed);  // relaxed: nobody else may use it any more
  log::emit(log::self(), id(Verb::destroy), object_, object_.site(), last + 1, waiters, 0);
}

void Condition::check_owned(const char* what, const Site& site) {
  if (depth_of_lock() != 0) return;
  log::throw_misuse(what, object_, 0, site);
}

/// In the child of a fork: who waited stayed behind in the parent, and its stack is somebody else's by now.
void Condition::forget_left_behind() {
  const std::uint32_t process = log::fork_depth();
  if (process_.load(std::memory_order_relaxed) == process) return;  // relaxed, all: under the lock
  process_.store(process, std::memory_order_relaxed);
  first_ = nullptr;
  last_ = nullptr;
  waiters_.store(0, std::memory_order_relaxed);
}

void Condition::enqueue(Node& node) {
  forget_left_behind();
  node.before = last_;
  (last_ == nullptr ? first_ : last_->next) = &node;
  last_ = &node;
  node.linked = true;
  waiters_.fetch_add(1, std::memory_order_relaxed);  // relaxed: under the lock
}

void Condition::unlink(Node& node) {
  (node.before == nullptr ? first_ : node.before->next) = node.next;
  (node.next == nullptr ? last_ : node.next->before) = node.before;
  node.linked = false;
  waiters_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: under the lock
}

/// False: the deadline has passed, which decides nothing yet.
bool Condition::sleep(Node& node, os::Deadline deadline) {
  // acquire: partner is the acq_rel in decide
  while (node.state.load(std::memory_order_acquire) == Node::waiting) {
    if (!os::park(node.state, Node::waiting, deadline)) return false;
  }
  return true;
}

/// In mode long the wait is recorded once it lasts. A notify that comes just then may not see that it is, and make no
/// Record; the one that ends the wait names it all the same.
void Condition::sleep_to_end(Node& node, os::Deadline deadline, const Late& late, const Site& site) {
  if (late.at < deadline) {
    if (sleep(node, late.at)) return;
    node.recorded.store(true, std::memory_order_relaxed);                    // relaxed: a hint to notify
    const std::uint32_t waiters = waiters_.load(std::memory_order_relaxed);  // relaxed: a quote
    log::tell_late_wait(log::self(), block_id(late.limit), object_, site, late.since,
                        {0, 0, waiters, late.depth, late.limit});
    note_block(node, late.depth, late.limit, site);
  }
  if (!sleep(node, deadline)) (void)node.decide(Node::timed_out);
}

std::uint32_t Condition::depth_of_lock() const {
  if (lock_ == nullptr) return rlock_->depth();
  return lock_->is_owned() ? 1 : 0;
}

void Condition::let_go(const Site& site) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  lock_ != nullptr ? lock_->unlock(site) : rlock_->unlock_wholly(site);
}

void Condition::take_again(std::uint32_t depth, const Site& site) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  lock_ != nullptr ? lock_->lock(site) : rlock_->lock_again(depth, site);
}

void Condition::note_block(const Node& node, std::uint32_t depth, const log::WaitEnd& limit, const Site& site) {
  if (!node.recorded.load(std::memory_order_relaxed)) return;  // relaxed: our own
  log::Writer& me = log::self();
  const std::uint32_t waiters = waiters_.load(std::memory_order_relaxed);  // relaxed, both: quotes
  const log::Emitted at =
      log::emit(me, block_id(limit), object_, site, sequence_.load(std::memory_order_relaxed), waiters, depth);
  log::begin_wait(me, block_id(limit), object_, at, {0, 0, waiters, depth, limit});
}

void Condition::note_woken(const Node& node, const Site& site) {
  log::Writer& me = log::self();
  const std::uint32_t outcome = node.state.load(std::memory_order_relaxed);  // relaxed: sleep has acquired
  // A wait that is in the trace gets its end, whatever the mode is by now. relaxed: our own
  if (node.recorded.load(std::memory_order_relaxed)) {
    const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: a quote
    if (outcome == Node::notified) {
      log::emit_quoting(me, id(Verb::resume), object_, site, sequence, node.waker, node.waker_site,
                        {node.waker, node.waker_site});
    } else {
      log::emit(me, id(outcome == Node::stopped ? Verb::cancel : Verb::timeout), object_, site, sequence, 0, 0);
    }
  }
  log::end_wait(me);
}

bool Condition::wait_on(os::Deadline deadline, const std::stop_token* stop, const Site& site) {
  log::park_if_ending();
  check_owned("wait without the lock on", site);
  Node node;
  const Mode mode = object_.mode();
  // relaxed: under the lock
  node.recorded.store(mode != Mode::off && mode != Mode::long_waits, std::memory_order_relaxed);
  enqueue(node);
  const std::uint32_t depth = depth_of_lock();
  Late late{.depth = depth, .limit = log::limit_of(deadline, stop != nullptr)};
  if (mode == Mode::long_waits) late.begin();
  note_block(node, depth, late.limit, site);
  let_go(site);
  if (stop == nullptr) {
    sleep_to_end(node, deadline, late, site);
  } else {
    const std::stop_callback wake{*stop, [&node] {
                                    if (node.decide(Node::stopped)) os::unpark(&node.state, 1);
                                  }};
    sleep_to_end(node, deadline, late, site);
  }
  note_woken(node, site);
  take_again(depth, site);
  if (node.linked) unlink(node);
  return node.state.load(std::memory_order_relaxed) == Node::notified;  // relaxed: sleep has acquired
}

void Condition::notify(std::size_t count, const Site& site) {
  log::park_if_ending();
  check_owned("notify without the lock on", site);
  forget_left_behind();
  log::Writer& me = log::self();
  const Mode mode = object_.mode();
  const std::uint32_t waiters = waiters_.load(std::memory_order_relaxed);  // relaxed: under the lock
  const bool recorded = mode == Mode::all || (trace::is_contended(mode) && awaits_recorded(count));
  const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed) + 1;  // relaxed, both: under the lock
  if (recorded) sequence_.store(sequence, std::memory_order_relaxed);
  const trace::SiteNumber here = recorded && waiters != 0 ? log::number_of_site(me, site) : 0;
  std::uint32_t woken = 0;
  Node* chosen = nullptr;  // newest first; they stay where they are until we release the lock
  while (woken < count && first_ != nullptr) {
    Node& node = *first_;
    unlink(node);
    node.waker = me.number;
    node.waker_site = here;
    if (!node.decide(Node::notified)) continue;
    node.next = std::exchange(chosen, &node);
    ++woken;
  }
  if (recorded) log::emit(me, id(Verb::notify), object_, site, sequence, woken, waiters);
  wake_in_order(chosen);
}

/// Is the wait in the trace of any that a notify of so many would wake?
bool Condition::awaits_recorded(std::size_t count) const {
  const Node* node = first_;
  for (; node != nullptr && count != 0; node = node->next, --count) {
    if (node->recorded.load(std::memory_order_relaxed)) return true;  // relaxed: a hint
  }
  return false;
}

/// The list is newest first; who has waited longest is woken first.
void Condition::wake_in_order(Node* newest) {
  Node* oldest = nullptr;
  while (newest != nullptr) {
    Node* const next = newest->next;
    newest->next = std::exchange(oldest, newest);
    newest = next;
  }
  for (; oldest != nullptr; oldest = oldest->next)
    os::unpark(&oldest->state, 1);
}

}  // namespace spool
