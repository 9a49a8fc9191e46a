// SPDX-License-Identifier: MIT
//
// A module of its own, loaded once its session daemon runs: the library connects when it is loaded, and its threads are
// to be in no other row's process.
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "lttng_probe.hpp"

#include <mutex>

namespace {

struct Traced {
  alignas(128) std::mutex mutex;
  std::uint32_t seq = 0;
};
Traced traced;

}  // namespace

extern "C" {

/// Whether the session daemon has turned both on.
__attribute__((visibility("default"))) bool spool_bench_lttng_is_on() {
  return lttng_ust_tracepoint_enabled(spool_bench, acquire) != 0 &&
         lttng_ust_tracepoint_enabled(spool_bench, release) != 0;
}

/// A std::mutex with a tracepoint in the hold and one before its end.
__attribute__((visibility("default"))) void spool_bench_lttng_pairs(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    traced.mutex.lock();
    lttng_ust_tracepoint(spool_bench, acquire, 1, __LINE__, ++traced.seq);
    lttng_ust_tracepoint(spool_bench, release, 1, __LINE__, ++traced.seq);
    traced.mutex.unlock();
  }
}
}
