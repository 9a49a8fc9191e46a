// SPDX-License-Identifier: MIT
#include <spool/log/dispatcher.hpp>

#include <atomic>
#include <span>
#include <utility>

namespace spool::log {
namespace {

using Feeders = std::vector<std::unique_ptr<Feeder>>;

constexpr auto longest_fork = std::chrono::seconds{1};

/// Made once, then for ever: flush and messages are legal at any time, and a sink that hangs keeps its feeder.
constinit std::atomic<const Feeders*> published{nullptr};

std::span<const std::unique_ptr<Feeder>> feeders() noexcept {
  const Feeders* const made = published.load(std::memory_order_acquire);  // acquire: partner is the release in start
  return made == nullptr ? std::span<const std::unique_ptr<Feeder>>{} : std::span{*made};
}

}  // namespace

void wake_sinks() noexcept {
  Dispatcher::wake();
}

void Dispatcher::start(std::vector<std::shared_ptr<Sink>> sinks, Level immediate) {
  auto made = std::make_unique<Feeders>();
  for (auto& sink : sinks)
    made->push_back(std::make_unique<Feeder>(std::move(sink)));
  const Feeders* const started = made.release();
  for (const auto& feeder : *started)
    feeder->start();
  published.store(started, std::memory_order_release);  // release: partner is the acquire in feeders
  // relaxed: a switch
  immediate_floor.store(static_cast<std::uint8_t>(immediate), std::memory_order_relaxed);
}

void Dispatcher::stop() {
  for (const auto& feeder : feeders())
    feeder->ask_to_stop();
  for (const auto& feeder : feeders())
    (void)feeder->await_stop();
}

bool Dispatcher::flush() {
  std::vector<std::uint32_t> tickets;
  for (const auto& feeder : feeders())
    tickets.push_back(feeder->ask_for_all());
  bool all = true;
  for (std::size_t i = 0; i < tickets.size(); ++i)
    all &= feeders()[i]->await_all(tickets[i]);
  return all;
}

void Dispatcher::wake() noexcept {
  for (const auto& feeder : feeders())
    feeder->wake();
}

std::chrono::nanoseconds Dispatcher::cpu_time() noexcept {
  std::chrono::nanoseconds sum{};
  for (const auto& feeder : feeders())
    sum += feeder->cpu_time();
  return sum;
}

void Dispatcher::lock_for_fork() {
  const os::Deadline deadline = os::deadline_after(longest_fork);
  for (const auto& feeder : feeders())
    (void)feeder->pause(deadline);
}

void Dispatcher::unlock_after_fork() {
  for (const auto& feeder : feeders())
    feeder->go_on();
}

void Dispatcher::forget_after_fork() {
  for (const auto& feeder : feeders())
    feeder->forget();
}

void Dispatcher::resume_in_child(std::uint32_t first) {
  for (const auto& feeder : feeders())
    feeder->resume(first);
}

}  // namespace spool::log
