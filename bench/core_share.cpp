// SPDX-License-Identifier: MIT
#include "core_share.hpp"

#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

namespace bench {
namespace {

constexpr std::uint64_t loops = 1500;

/// Additions that wait for nothing, beside as many that wait for each other. A core's other thread takes room from the
/// first kind and hardly from the second; the clock's frequency is in both.
double crowding() {
#if defined(__x86_64__)
  const double free = ns_per(loops, [] {
    std::uint64_t a = 0, b = 0, c = 0, d = 0;
    asm volatile(".rept 8\n\t add $1, %0\n\t add $1, %1\n\t add $1, %2\n\t add $1, %3\n\t .endr"
                 : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
  });
  std::uint64_t sum = 0;  // over all loops: they wait for each other too
  const double chained = ns_per(loops, [&] { asm volatile(".rept 32\n\t add $1, %0\n\t .endr" : "+r"(sum)); });
  return free / chained;
#else
  return 1;
#endif
}

double alone = std::numeric_limits<double>::max();

}  // namespace

void learn_core_alone() {
  std::vector<double> seen;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{300};
  while (std::chrono::steady_clock::now() < end)
    seen.push_back(crowding());
  // Not the least: the chained half of those was interrupted.
  const auto low = seen.begin() + static_cast<std::ptrdiff_t>(seen.size() / 10);
  std::ranges::nth_element(seen, low);
  alone = *low;
}

bool is_core_alone() {
  constexpr double tolerated = 1.05;
  return crowding() <= tolerated * alone;
}

}  // namespace bench
