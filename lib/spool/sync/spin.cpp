// SPDX-License-Identifier: MIT
#include <spool/sync/spin.hpp>

#include <thread>

namespace spool::sync {

bool can_spin() noexcept {
  static const bool several_cpus = std::thread::hardware_concurrency() > 1;
  return several_cpus;
}

}  // namespace spool::sync
