// SPDX-License-Identifier: MIT
#include <unspool/analyze/summary.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>

namespace unspool {
namespace {

trace::Level level_of(const Record& record) {
  if (record.message != nullptr) return record.message->level;
  return static_cast<trace::Level>(record.bytes.empty() ? record.a : static_cast<std::uint32_t>(record.bytes[0]));
}

}  // namespace

void Summary::record(const Record& record) {
  if (record.row == nullptr || record.row->kind != trace::Kind::message || !filter_.passes(record)) return;
  const auto level = static_cast<std::size_t>(level_of(record));
  ++messages_[std::min(level, levels - 1)];
}

void Summary::waited(const ObjectState*, const Wait& wait) {
  if (wait.ending == Ending::lost) return;
  ++waits_.all;
  if (filter_.passes(wait)) ++waits_.passing;
}

void Summary::finished(const Replay& replay) {
  const auto& defined = replay.process().threads;
  const auto is_ours = [&](trace::ThreadNumber number) {
    const auto found = defined.find(number);
    return found != defined.end() && found->second.origin == trace::Origin::internal;
  };
  for (const auto& [number, thread] : defined) {
    if (replay.threads().contains(number) || is_ours(number)) continue;
    ++threads_in_all_;
    if (filter_.thread(number)) ++threads_.silent;
  }
  for (const auto& [number, state] : replay.threads()) {
    if (is_ours(number)) continue;
    ++threads_in_all_;
    if (!filter_.thread(number)) continue;
    const auto found = defined.find(number);
    const bool daemon = found != defined.end() && found->second.daemon;
    switch (state.life) {
      case ThreadState::Life::created:
        ++threads_.silent;
        break;
      case ThreadState::Life::alive:
        ++threads_.alive;
        break;
      case ThreadState::Life::ended:
        ++threads_.ended;
        break;
    }
    if (state.life == ThreadState::Life::alive && daemon) ++threads_.daemons_alive;
    if (state.exception) ++threads_.exceptions;
  }
  threads_.all = threads_.silent + threads_.alive + threads_.ended;
}

}  // namespace unspool
