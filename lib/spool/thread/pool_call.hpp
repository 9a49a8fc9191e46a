// SPDX-License-Identifier: MIT
//
// One call of one thread to a pool, and its Records: for the files that PoolCore is written in.
#pragma once

#include <spool/log/control.hpp>
#include <spool/sync/notes.hpp>
#include <spool/thread/pool_core.hpp>

namespace spool::thread {

constexpr std::uint32_t number_of(PoolWait what) {
  return static_cast<std::uint32_t>(what);
}

/// Who it is, what it may record, and whether it does.
class PoolCore::Call {
 public:
  Call(PoolCore& core, const Site& site)
      : core_{core}, site_{site}, me_{log::self()}, mode_{core.object_.mode()}, here_{me_.number, 0} {
    if (mode_ == Mode::off) return;
    log::make_ready(me_, core_.object_, site_);
    here_.site = log::number_of_site(me_, site_);
  }

  log::Writer& me() const { return me_; }
  const Site& site() const { return site_; }
  Mode mode() const { return mode_; }
  /// This call as a waker.
  const sync::Waker& here() const { return here_; }
  sync::Notes notes() const { return {me_, core_.object_, site_}; }
  trace::Sequence last_sequence() const {
    return core_.sequence_.load(std::memory_order_relaxed);  // relaxed: a quote, or under the lock
  }

  /// Before the lock is taken again after a wait; `named`: whom the Record will name.
  void make_ready_again(const sync::Waker& named) {
    mode_ = core_.object_.mode();
    if (mode_ != Mode::off) log::make_ready(me_, core_.object_, site_, {named.thread, named.site});
  }
  /// Outside the lock, quoting.
  void tell(trace::Verb verb, std::uint32_t a, std::uint32_t b, const sync::Waker& named = {}) const {
    notes().tell(verb, last_sequence(), a, b, named);
  }
  /// Under the lock, advancing. In mode contended only what ended a wait: this thread's, or another's.
  void record(trace::Verb verb, std::uint32_t a, std::uint32_t b, bool ends_wait, const sync::Waker& named = {}) const {
    if (mode_ == Mode::off || (trace::is_contended(mode_) && !ends_wait)) return;
    const trace::Sequence sequence = last_sequence() + 1;
    core_.sequence_.store(sequence, std::memory_order_relaxed);  // relaxed: under the lock
    log::emit_quoting(me_, trace::record_id(trace::Kind::pool, verb), core_.object_, site_, sequence, a, b,
                      {named.thread, named.site});
  }

 private:
  PoolCore& core_;
  const Site& site_;
  log::Writer& me_;
  Mode mode_;
  sync::Waker here_;
};

}  // namespace spool::thread
