// SPDX-License-Identifier: MIT
#include <spool/log/control.hpp>
#include <spool/log/dispatcher.hpp>
#include <spool/log/ending.hpp>
#include <spool/log/recorder.hpp>

#include <algorithm>

namespace spool::log {
namespace {

constexpr std::uint16_t end_id = trace::record_id(trace::Kind::trace, trace::Verb::end);

/// In the stream of the thread that ends the program.
void write_end() {
  Writer& writer = self();
  const auto alive = static_cast<std::uint32_t>(std::max<std::size_t>(1, Registry::all().size()) - 1);
  constexpr int attempts = 16;
  for (int i = 0; i < attempts; ++i) {
    Emission emission;
    if (emission.enter(writer, sizeof(trace::Transition)) == Emission::Result::entered) {
      const trace::Transition record{{os::ticks(), trace::id_and_object(end_id, 0)}, 0, alive, 0, 0};
      std::memcpy(emission.bytes, &record, sizeof record);
      emission.commit(writer);
      finish(writer);
      return;
    }
    if (!prepare(writer, {.size = sizeof(trace::Transition)})) return;
  }
}

}  // namespace

void end_recording() noexcept {
  Recorder& recorder = Recorder::instance();
  if (!recorder.is_recording()) return;
  if (recorder.awaits_first_record()) return;  // the child of a fork that had nothing to say
  try {
    write_end();
    Dispatcher::stop();
    // Not set_mode: what was recorded was recorded in the mode that the trace names last. relaxed: a switch
    state.fetch_and(ending_bit, std::memory_order_relaxed);
    recorder.stop();
  } catch (...) {  // no memory: what is committed stays
  }
}

}  // namespace spool::log
