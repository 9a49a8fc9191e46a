// SPDX-License-Identifier: MIT
#include <spool/log/archiver.hpp>
#include <spool/log/keeper.hpp>
#include <spool/os/process.hpp>

#include <cerrno>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

namespace spool::log {
namespace {

constexpr auto patience = std::chrono::seconds{5};

}  // namespace

bool Archiver::give(PackOrder order) {
  if (!is_idle()) return false;
  if (packer_ == nullptr) packer_ = std::make_unique<Packer>();
  order_ = std::move(order);
  if (!started_) {
    stopping_.store(false, std::memory_order_relaxed);  // relaxed, both: the thread does not exist yet
    ended_.store(0, std::memory_order_relaxed);
    started_ = thread_.start("spool-archiver", &Archiver::run, this);
    if (!started_) return false;
  }
  phase_.store(ordered, std::memory_order_release);  // release: partner is the acquire in serve
  wakes_.fetch_add(1, std::memory_order_release);    // release: partner is the acquire in run
  os::unpark(&wakes_, 1);
  return true;
}

std::optional<Packed> Archiver::take() {
  if (phase_.load(std::memory_order_acquire) != done) return std::nullopt;  // acquire: partner is the release in serve
  const Packed result = result_;
  phase_.store(idle, std::memory_order_release);  // release: partner is the acquire in is_idle
  return result;
}

void Archiver::run(void* self) {
  auto& archiver = *static_cast<Archiver*>(self);
  os::lower_priority();
  for (;;) {
    const std::uint32_t seen = archiver.wakes_.load(std::memory_order_acquire);  // acquire: partner is in give
    if (archiver.stopping_.load(std::memory_order_acquire)) break;               // acquire: partner is in stop
    archiver.serve();
    os::park(archiver.wakes_, seen);
  }
  archiver.end();
}

void Archiver::serve() {
  if (phase_.load(std::memory_order_acquire) != ordered) return;  // acquire: partner is the release in give
  try {
    result_ = packer_->pack(order_, stopping_);
  } catch (const std::exception&) {  // no memory: the segment stays as it is, and is tried again
    result_ = {};
    result_.number = order_.number;
    result_.error = ENOMEM;
  }
  phase_.store(done, std::memory_order_release);  // release: partner is the acquire in take
  Keeper::wake();
}

void Archiver::end() {
  ended_.store(1, std::memory_order_release);  // release: partner is the acquire in stop
  os::unpark(&ended_, 1);
}

void Archiver::stop() {
  if (!started_) return;
  stopping_.store(true, std::memory_order_release);  // release: partner is the acquire in run
  wakes_.fetch_add(1, std::memory_order_release);    // release: partner is the acquire in run
  os::unpark(&wakes_, 1);
  const os::Deadline deadline = os::deadline_after(patience);
  // acquire: partner is the release in end
  while (ended_.load(std::memory_order_acquire) == 0 && os::park(ended_, 0, deadline)) {}
  if (ended_.load(std::memory_order_acquire) == 0) {  // acquire: as above
    thread_.forget();
    return;
  }
  thread_.join();
  started_ = false;
}

void Archiver::forget_after_fork() {
  thread_.forget();
  // It may be in the midst of anything, and its memory is a copy of that.
  (void)packer_.release();  // NOLINT(bugprone-unused-return-value): leaked on purpose
  started_ = false;
  phase_.store(idle, std::memory_order_relaxed);  // relaxed: the child has one thread
}

}  // namespace spool::log
