// SPDX-License-Identifier: MIT
#include <spool/log/keeper.hpp>
#include <spool/log/symbolizer.hpp>
#include <spool/os/process.hpp>

#include <chrono>
#include <exception>
#include <utility>

namespace spool::log {
namespace {

constexpr auto patience = std::chrono::seconds{5};

}  // namespace

bool Symbolizer::give(std::vector<UnnamedFrame> frames) {
  if (!is_idle()) return false;
  if (work_ == nullptr) work_ = std::make_unique<Work>();
  work_->order = std::move(frames);
  if (!started_) {
    stopping_.store(false, std::memory_order_relaxed);  // relaxed: the thread does not exist yet
    started_ = thread_.start("spool-symbols", &Symbolizer::run, this);
    if (!started_) return false;
  }
  phase_.store(ordered, std::memory_order_release);  // release: partner is the acquire in serve
  wakes_.fetch_add(1, std::memory_order_release);    // release: partner is the acquire in run
  os::unpark(&wakes_, 1);
  return true;
}

std::optional<std::vector<NamedFrame>> Symbolizer::take() {
  if (phase_.load(std::memory_order_acquire) != done) return std::nullopt;  // acquire: partner is the release in serve
  std::vector<NamedFrame> result = std::move(work_->result);
  phase_.store(idle, std::memory_order_release);  // release: partner is the acquire in is_idle
  return result;
}

void Symbolizer::run(void* self) {
  auto& symbolizer = *static_cast<Symbolizer*>(self);
  os::lower_priority();
  for (;;) {
    const std::uint32_t seen = symbolizer.wakes_.load(std::memory_order_acquire);  // acquire: partner is in give
    if (symbolizer.stopping_.load(std::memory_order_acquire)) break;               // acquire: partner is in stop
    symbolizer.serve();
    os::park(symbolizer.wakes_, seen);
  }
  symbolizer.phase_.store(ended, std::memory_order_release);  // release: partner is the acquire in await
  os::unpark(&symbolizer.phase_, 1);
}

void Symbolizer::serve() {
  if (phase_.load(std::memory_order_acquire) != ordered) return;  // acquire: partner is the release in give
  work_->result.clear();
  try {
    for (const auto& [number, address] : work_->order) {
      if (stopping_.load(std::memory_order_acquire)) break;  // acquire: partner is in stop
      work_->result.emplace_back(number, work_->symbols.lines_of(address));
    }
  } catch (const std::exception&) {  // no memory: these frames stay without a name
  }
  phase_.store(done, std::memory_order_release);  // release: partner is the acquire in take
  os::unpark(&phase_, 1);
  Keeper::wake();
}

void Symbolizer::await(os::Deadline deadline) {
  // acquire: partner is the release in serve
  while (phase_.load(std::memory_order_acquire) == ordered && os::park(phase_, ordered, deadline)) {}
}

void Symbolizer::stop() {
  if (!started_) return;
  stopping_.store(true, std::memory_order_release);  // release: partner is the acquire in run
  wakes_.fetch_add(1, std::memory_order_release);    // release: partner is the acquire in run
  os::unpark(&wakes_, 1);
  const os::Deadline deadline = os::deadline_after(patience);
  for (;;) {
    const std::uint32_t now = phase_.load(std::memory_order_acquire);  // acquire: partner is the release in run
    if (now == ended) break;
    if (!os::park(phase_, now, deadline)) return thread_.forget();
  }
  thread_.join();
  started_ = false;
  phase_.store(idle, std::memory_order_relaxed);  // relaxed: the thread is gone
}

void Symbolizer::forget_after_fork() {
  thread_.forget();
  // It may be in the midst of anything, and its memory is a copy of that.
  (void)work_.release();  // NOLINT(bugprone-unused-return-value): leaked on purpose
  started_ = false;
  phase_.store(idle, std::memory_order_relaxed);  // relaxed: the child has one thread
}

}  // namespace spool::log
