// SPDX-License-Identifier: MIT
//
// A mode for the length of a test.
#pragma once

#include <spool/log/control.hpp>

namespace spool::test {

class ModeFor {
 public:
  explicit ModeFor(Mode mode) { log::set_mode(mode); }
  ~ModeFor() { log::set_mode(Mode::all); }
  ModeFor(const ModeFor&) = delete;
  ModeFor& operator=(const ModeFor&) = delete;
};

}  // namespace spool::test
