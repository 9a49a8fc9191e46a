// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/progress.hpp>

#include <algorithm>
#include <cstdio>

namespace unspool {

void ReadProgress::expect(std::uint64_t bytes) {
  const std::lock_guard hold{mutex_};
  all_ += bytes;
}

void ReadProgress::advance(std::uint64_t bytes) {
  const std::lock_guard hold{mutex_};
  done_ += bytes;
  if (!shown_) return;
  if (const auto now = Clock::now(); now >= next_) show(now);
}

void ReadProgress::show(Clock::time_point now) {
  constexpr double megabyte = 1e6;
  next_ = now + std::chrono::milliseconds{200};
  const double seconds = std::chrono::duration<double>(now - began_).count();
  const auto done = static_cast<double>(std::min(done_, all_));
  const double share = all_ == 0 ? 0 : done / static_cast<double>(all_);
  const double left = share > 0 ? seconds * (1 - share) / share : 0;
  fmt::print(stderr, "\r{:.0f} of {:.0f} MB, {:.0f} %, {:.0f} MB/s, {:.0f} s left\x1b[K", done / megabyte,
             static_cast<double>(all_) / megabyte, share * 100, done / megabyte / seconds, left);
  std::fflush(stderr);
  visible_ = true;
}

void ReadProgress::clear() {
  const std::lock_guard hold{mutex_};
  if (!visible_) return;
  visible_ = false;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

}  // namespace unspool
