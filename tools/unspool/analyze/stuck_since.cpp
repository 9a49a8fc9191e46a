// SPDX-License-Identifier: MIT
#include <unspool/analyze/stuck_since.hpp>

#include <algorithm>

namespace unspool {
namespace {

/// A chain of threads that were stuck one after the other is followed so far.
constexpr int most_steps = 16;

class StuckSince {
 public:
  StuckSince(std::span<const Waiting> waiting, const Replay& replay) : waiting_{waiting}, replay_{replay} {
    for (const Waiting& each : waiting)
      since_.push_back(each.wait.since);
    const auto& defined = replay.process().threads;
    for (const auto& [number, thread] : replay.threads()) {
      const auto found = defined.find(number);
      const bool internal = found != defined.end() && found->second.origin == trace::Origin::internal;
      if (!internal) last_stop_ = std::max(last_stop_, thread.ended);
    }
    for (const Waiting& each : waiting)
      last_stop_ = std::max(last_stop_, each.wait.since);
  }

  /// All were stuck as soon as they waited, as far as the others go; who was not makes its followers later.
  std::vector<trace::Ticks> found() {
    bool changed = true;
    for (int i = 0; i < most_steps && changed; ++i) {
      changed = false;
      for (std::size_t k = 0; k < waiting_.size(); ++k) {
        const trace::Ticks later = waiting_[k].stuck ? std::max(since_[k], hopeless_from(waiting_[k])) : since_[k];
        changed |= later != since_[k];
        since_[k] = later;
      }
    }
    return since_;
  }

 private:
  trace::Ticks hopeless_from(const Waiting& waiting) const {
    if (waiting.hope == Hope::unknown) return last_stop_;  // anybody might have done it
    std::vector<trace::Ticks> gone;
    for (const Suspect& each : waiting.suspects)
      gone.push_back(gone_from(each));
    for (const trace::ThreadNumber each : waiting.kin)
      gone.push_back(gone_from(each));
    const std::size_t needs = waiting.needs_all ? gone.size() : waiting.needs;
    if (needs == 0 || gone.size() < needs) return 0;
    std::ranges::sort(gone);
    return std::min(gone[gone.size() - needs], last_stop_);
  }

  trace::Ticks gone_from(const Suspect& suspect) const {
    const trace::Ticks own = gone_from(suspect.thread);
    // It goes on, and will not do this: it has gone to rest.
    if (suspect.answers == 0 && own == never) return waiting_since(suspect.thread);
    return suspect.answers == suspect.thread || suspect.answers == 0 ? own : std::max(own, gone_from(suspect.answers));
  }

  std::span<const Waiting>::iterator find(trace::ThreadNumber thread) const {
    const auto found =
        std::ranges::lower_bound(waiting_, thread, {}, [](const Waiting& each) { return each.wait.thread; });
    return found != waiting_.end() && found->wait.thread == thread ? found : waiting_.end();
  }

  trace::Ticks waiting_since(trace::ThreadNumber thread) const {
    const auto found = find(thread);
    return found == waiting_.end() ? never : found->wait.since;
  }

  trace::Ticks gone_from(trace::ThreadNumber thread) const {
    const auto found = find(thread);
    if (found != waiting_.end()) {
      return found->stuck ? since_[static_cast<std::size_t>(found - waiting_.begin())] : never;
    }
    const auto state = replay_.threads().find(thread);
    if (state == replay_.threads().end()) return 0;
    return state->second.life == ThreadState::Life::ended ? state->second.ended : never;
  }

  static constexpr trace::Ticks never = ~trace::Ticks{0};
  std::span<const Waiting> waiting_;
  const Replay& replay_;
  std::vector<trace::Ticks> since_;
  trace::Ticks last_stop_ = 0;
};

}  // namespace

std::vector<trace::Ticks> stuck_since(std::span<const Waiting> waiting, const Replay& replay) {
  return StuckSince{waiting, replay}.found();
}

}  // namespace unspool
