// SPDX-License-Identifier: MIT
//
// Pools that nobody has shut down when the program ends.
#include <spool/log/fork.hpp>
#include <spool/thread/pool_core.hpp>

#include <mutex>
#include <utility>
#include <vector>

namespace spool::thread {
namespace {

struct KnownPools {
  KnownPools() { log::guard_across_fork(mutex, log::ForkOrder::innermost); }
  std::mutex mutex;
  std::vector<std::weak_ptr<PoolCore>> pools;
};

KnownPools& known_pools() {
  static auto* made = new KnownPools;  // leaked: pools may be made in static destructors
  return *made;
}

// A fork while another thread is in the midst of making it would have the child wait for ever for that thread.
[[maybe_unused]] const KnownPools& made_before_any_fork = known_pools();

}  // namespace

void end_with_program(const std::shared_ptr<PoolCore>& pool) {
  KnownPools& known = known_pools();
  const std::lock_guard guard{known.mutex};
  std::erase_if(known.pools, [](const std::weak_ptr<PoolCore>& each) { return each.expired(); });
  known.pools.push_back(pool);
}

void end_pools() {
  KnownPools& known = known_pools();
  std::vector<std::weak_ptr<PoolCore>> pools;
  {
    const std::lock_guard guard{known.mutex};
    pools.swap(known.pools);
  }
  for (const std::weak_ptr<PoolCore>& each : pools) {
    const std::shared_ptr<PoolCore> pool = each.lock();
    if (pool != nullptr && !pool->is_shut_down() && !pool->is_orphaned()) pool->shutdown(false, pool->object().site());
  }
}

}  // namespace spool::thread
