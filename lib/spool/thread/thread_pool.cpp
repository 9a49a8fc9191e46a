// SPDX-License-Identifier: MIT
#include <spool/log/control.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/thread/thread_pool.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>

namespace spool {
namespace {

/// What stands before a worker's number.
std::string prefix_of(const PoolOptions& options) {
  static std::atomic<std::uint32_t> next{0};
  if (!options.name.empty()) return options.name + "-";
  return fmt::format("ThreadPoolExecutor-{}_", next.fetch_add(1, std::memory_order_relaxed));  // relaxed: a count
}

}  // namespace

std::size_t ThreadPool::default_workers() {
  return std::min<std::size_t>(32, std::thread::hardware_concurrency() + 4);
}

ThreadPool::ThreadPool(std::size_t workers, PoolOptions options) {
  if (workers == 0) throw std::invalid_argument{"a ThreadPool needs a worker at least"};
  const Name name = options.name.empty() ? Name{} : Name{options.name};
  core_ = std::make_shared<thread::PoolCore>(options.max_queued, name, options.site);
  const std::string prefix = prefix_of(options);
  if (!options.daemon) thread::end_with_program(core_);
  try {
    for (std::size_t i = 0; i < workers; ++i) {
      workers_.emplace_back(ThreadOptions{.name = prefix + std::to_string(i),
                                          .daemon = options.daemon,
                                          .stack_size = options.stack_size,
                                          .site = options.site},
                            [core = core_] { core->work(); });
      workers_.back().start(options.site);
    }
  } catch (...) {
    if (!workers_.empty() && !workers_.back().is_alive()) workers_.pop_back();  // it has not started
    core_->shutdown(false, options.site);
    join_workers(options.site);
    throw;
  }
}

ThreadPool::~ThreadPool() {
  const Site& site = core_->object().site();
  if (core_->is_own_worker()) {
    log::abort_misuse("destruction by a worker of its own of", core_->object(), 0, site);
  }
  if (!core_->is_shut_down()) core_->shutdown(false, site);
  // Once the program ends daemons are parked, wherever they are.
  const bool is_ending = (log::current_state() & log::ending_bit) != 0;
  if (!is_ending || !workers_.front().daemon()) join_workers(site);
  core_->note_destroyed();
}

void ThreadPool::join_workers(const Site& site) {
  if (core_->is_orphaned()) return;  // they have ended, but for the one that forked, which cannot join itself
  for (Thread& each : workers_)
    each.join(site);
}

void ThreadPool::shutdown(bool wait, bool cancel_pending, const Site& site) {
  if (wait && core_->is_own_worker()) {
    log::throw_misuse("waiting shutdown by a worker of its own of", core_->object(), 0, site);
  }
  core_->shutdown(cancel_pending, site);
  if (wait) join_workers(site);
}

}  // namespace spool
