// SPDX-License-Identifier: MIT
//
// What the threads do now, as their status entries say.
#include <spool/log/control.hpp>
#include <spool/log/live.hpp>
#include <spool/log/recorder.hpp>
#include <spool/log/status.hpp>

#include <algorithm>
#include <chrono>

namespace spool::log {
namespace {

LiveThread live_thread(const Writer& writer) {
  LiveThread thread;
  thread.number = writer.number;
  thread.name = writer.identity->name();
  thread.native_id = writer.identity->native_id();
  thread.daemon = writer.identity->daemon();
  StatusSnapshot seen{};
  thread.busy = !snapshot(writer, seen);
  if (thread.busy) return thread;
  const trace::StatusEntry& entry = seen.entry;
  constexpr std::uint32_t shared = 1;
  for (std::size_t i = 0; i < std::min<std::size_t>(entry.depth, trace::status_holds); ++i) {
    const trace::StatusHold& hold = entry.holds[i];
    thread.holds.push_back({{hold.object, seen.held[i]}, hold.since, hold.site, hold.mode == shared});
  }
  thread.holds_beyond = entry.depth - static_cast<std::uint32_t>(thread.holds.size());
  if (entry.wait_record != 0) {
    thread.wait = {static_cast<std::uint16_t>(entry.wait_record),
                   {entry.wait_object, seen.waited},
                   entry.wait_since,
                   entry.wait_site,
                   entry.wait_owner,
                   entry.wait_owner_site,
                   static_cast<trace::WaitLimit>(entry.wait_limit),
                   entry.wait_deadline,
                   entry.wait_stack};
  }
  return thread;
}

}  // namespace

LiveProcess Recorder::look_at_threads() {
  LiveProcess process;
  const std::lock_guard guard{m_};
  for (const Writer& writer : writers_) {
    if (writer.attached && writer.identity->origin() != trace::Origin::internal) {
      process.threads.push_back(live_thread(writer));
      LiveThread& thread = process.threads.back();
      thread.wait.calls = calls_of(thread.wait.stack);
    }
  }
  process.now = os::ticks_in_order();
  process.monotonic =
      static_cast<std::uint64_t>(std::chrono::nanoseconds{std::chrono::steady_clock::now().time_since_epoch()}.count());
  process.frequency = process_.frequency;
  process.realtime = os::nanoseconds_of(CLOCK_REALTIME);
  process.program = process_.program;
  process.mode = current_mode();
  std::ranges::sort(process.threads, {}, &LiveThread::number);
  return process;
}

}  // namespace spool::log
