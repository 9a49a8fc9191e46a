// SPDX-License-Identifier: MIT
#include <unspool/analyze/flow.hpp>

#include <algorithm>

namespace unspool {
namespace {

void add_span(trace::Ticks& sum, trace::Ticks since, trace::Ticks until) {
  if (until > since) sum = add_saturated(sum, until - since);
}

}  // namespace

void Flow::merge(const Flow& other) {
  life = add_saturated(life, other.life);
  held = add_saturated(held, other.held);
  woken = add_saturated(woken, other.woken);
  overtakes += other.overtakes;
  retakes += other.retakes;
  most_futile = std::max(most_futile, other.most_futile);
  longest_convoy = std::max(longest_convoy, other.longest_convoy);
  in_convoys = add_saturated(in_convoys, other.in_convoys);
  behind_writers += other.behind_writers;
}

void LockFlow::held(Flow& flow, const ObjectState& object, const Hold& hold) {
  if (object.readers.size() > 1) return;
  // A hold that began before the Records do is known by its end alone, or from its thread's status.
  add_span(flow.held, is_held_ ? held_since_ : std::max(hold.since, since_), hold.until);
  is_held_ = false;
  freed_ = hold.until;
  releaser_ = hold.releaser;
}

/// A reader is let in beside readers: the lock was free for it since the writer before them.
void LockFlow::waited(Flow& flow, const Wait& wait) const {
  flow.most_futile = std::max(flow.most_futile, wait.blocks - 1);
  if (wait.ending != Ending::acquired || freed_ == 0) return;
  if (!is_held_ || freed_ > wait.since) add_span(flow.woken, std::max(freed_, wait.since), wait.until);
}

void LockFlow::contended(Flow& flow, const ObjectState& object, const Record& record, bool waited) {
  if (!waited) {
    ++flow.overtakes;
    if (record.thread == releaser_) ++flow.retakes;
    return;
  }
  if (convoy_++ == 0) convoy_since_ = record.time;
  convoy_until_ = record.time;
  left(flow, object);
}

void LockFlow::left(Flow& flow, const ObjectState& object) {
  if (!object.history.waited_for()) end_convoy(flow);
}

void LockFlow::end_convoy(Flow& flow) {
  flow.longest_convoy = std::max(flow.longest_convoy, convoy_);
  if (convoy_ > 1) add_span(flow.in_convoys, convoy_since_, convoy_until_);
  convoy_ = 0;
}

void LockFlow::ended(Flow& flow, trace::Ticks now) {
  end_convoy(flow);
  add_span(flow.life, since_, now);
  if (is_held_) add_span(flow.held, held_since_, now);
}

}  // namespace unspool
