// SPDX-License-Identifier: MIT
#include <unspool/read/modes.hpp>

#include <algorithm>

namespace unspool {

void ModeReader::mode(trace::ObjectNumber object, std::uint64_t mode) {
  if (object != 0) {
    process_.own_modes = true;
    process_.with_own_mode.insert(object);
    return;
  }
  const trace::Mode now = mode < trace::mode_count ? static_cast<trace::Mode>(mode) : trace::Mode::all;
  process_.mode_changed |= mode_seen_ && now != process_.mode;
  mode_seen_ = true;
  process_.mode = now;
}

void ModeReader::long_wait(std::uint64_t nanoseconds) {
  process_.long_wait = std::max(process_.long_wait, nanoseconds);
}

}  // namespace unspool
