// SPDX-License-Identifier: MIT
#include <spool/log/control.hpp>
#include <spool/log/given_away.hpp>
#include <spool/log/recorder.hpp>

#include <algorithm>

namespace spool::log {

void set_mode(Mode mode) {
  std::uint8_t before = current_state();
  const auto wanted = static_cast<std::uint8_t>(mode);
  // relaxed: a switch; the loop keeps the ending bit
  while (!state.compare_exchange_weak(before, static_cast<std::uint8_t>((before & ending_bit) | wanted),
                                      std::memory_order_relaxed)) {}
  Recorder::instance().note_mode(mode);
}

void set_long_wait(std::chrono::nanoseconds span) {
  const std::chrono::nanoseconds wanted = std::max(span, std::chrono::nanoseconds{1});
  long_wait.store(wanted.count(), std::memory_order_relaxed);  // relaxed: a switch, seen soon
  Recorder::instance().note_long_wait(wanted);
}

void Object::set_mode(std::optional<Mode> mode) {
  const auto bits = mode ? own_mode_bit | static_cast<unsigned>(*mode) : 0U;
  own_mode_.store(static_cast<std::uint8_t>(bits), std::memory_order_relaxed);  // relaxed: a switch, seen soon
  Recorder::instance().note_own_mode(*this, mode);
}

namespace {

/// The thread that ends the program runs the static destructors: it goes on even if it is a daemon.
std::atomic<const Writer*> ending_thread{nullptr};

/// What others have released for it, it holds no more.
bool holds_any(const Writer& writer) {
  return writer.holds > 0 && static_cast<std::uint32_t>(writer.holds) > given_away(writer.number);
}

}  // namespace

void begin_ending() noexcept {
  ending_thread.store(my_writer, std::memory_order_relaxed);  // relaxed, both: a switch, seen soon
  state.fetch_or(ending_bit, std::memory_order_relaxed);
}

void park_if_ending() noexcept {
  if ((current_state() & ending_bit) == 0) return;
  const Writer* writer = my_writer;
  if (writer == nullptr || holds_any(*writer) || !writer->identity->daemon()) return;
  if (writer == ending_thread.load(std::memory_order_relaxed)) return;  // relaxed: our own store
  os::Word never_changes{0};
  for (;;)
    os::park(never_changes, 0);
}

}  // namespace spool::log
