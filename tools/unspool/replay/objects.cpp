// SPDX-License-Identifier: MIT
//
// Replay's bookkeeping: which threads and objects it keeps a state for.
#include <unspool/replay/kinds.hpp>
#include <unspool/replay/replay.hpp>

namespace unspool {
namespace {

/// Threads and objects that no definition names, destroyed ones included. A whole trace has none; a damaged one must
/// not cost all memory.
constexpr std::size_t most_undefined = 100'000;

}  // namespace

/// Of a trace that is cut, an object's own mode may stand in a segment that is gone.
bool Replay::is_complete(trace::ObjectNumber number) const {
  if (complete_) return true;
  const bool all_others = process_.mode == trace::Mode::all && !process_.mode_changed && !process_.cut;
  return all_others && !process_.with_own_mode.contains(number);
}

bool Replay::admit(bool defined) {
  if (defined) return true;
  if (undefined_ >= most_undefined) {
    ++doubts_.untracked;
    return false;
  }
  ++undefined_;
  return true;
}

ThreadState* Replay::thread_of(trace::ThreadNumber number) {
  if (number == 0 || number > trace::max_thread_number) {
    ++doubts_.unnamed;
    return nullptr;
  }
  if (ThreadState* const known = threads_.get(number)) return known;
  if (!admit(process_.threads.contains(number))) return nullptr;
  return &threads_.add(number).second;
}

/// A definition's kind, or the state's, or that of a thread.
trace::Kind Replay::kind_of(trace::ObjectNumber number) const {
  if (trace::is_thread(number)) return trace::Kind::thread;
  if (const auto found = process_.objects.find(number); found != process_.objects.end()) return found->second.kind;
  const auto found = objects_.find(number);
  return found == objects_.end() ? trace::Kind::lock : found->second.kind;
}

/// Null for what is no object, and past the limit.
ObjectState* Replay::object_of(trace::ObjectNumber number, trace::Kind kind, trace::Ticks time) {
  if (trace::is_thread(number)) {
    ++doubts_.unnamed;
    return nullptr;
  }
  if (ObjectState* known = tracked(number)) return known;
  if (!admit(process_.objects.contains(number))) return nullptr;
  auto [place, object] = objects_.add(number);
  object.number = number;
  object.kind = kind;
  object.since = time;
  object.confirmed = losses_;
  object.slot = place;
  object.complete = is_complete(number);
  for (Observer* each : audience_.born)
    each->born(object);
  return &object;
}

void Replay::destroy(trace::ObjectNumber number) {
  if (ObjectState* object = tracked(number)) object->destroyed = true;
}

void Replay::reap(trace::ObjectNumber number) {
  const ObjectState* const object = tracked(number);
  if (object == nullptr || !object->destroyed || object->history.waited_for()) return;
  for (Observer* each : audience_.destroyed)
    each->destroyed(*object);
  objects_.erase(number);
}

}  // namespace unspool
