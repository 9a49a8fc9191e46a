// SPDX-License-Identifier: MIT
#include <spool/log/announcer.hpp>
#include <spool/log/control.hpp>
#include <spool/log/fork.hpp>
#include <spool/log/identity.hpp>
#include <spool/log/message.hpp>
#include <spool/log/recorder.hpp>
#include <spool/os/durable.hpp>
#include <spool/os/process.hpp>
#include <spool/trace/message.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

namespace spool::log {
namespace {

constexpr auto patience = std::chrono::seconds{5};

std::string sentence(const ClosedSegment& closed) {
  const std::chrono::duration<double> span = closed.last - closed.first;
  return fmt::format("segment {} is {}{}: {}, {} bytes, {:.3f} s", closed.number,
                     closed.archived ? "archived" : "closed", closed.durable ? " and on the disk" : "",
                     trace::escaped(closed.path.string()), closed.bytes, span.count());
}

/// A message needs an identity; enumerate() does not show it.
void log_line(const ClosedSegment& closed) {
  if (!is_logged(Level::info) || !Recorder::instance().is_recording()) return;
  if (my_writer == nullptr) attach(std::make_shared<Identity>(trace::Origin::internal, "spool-announcer", false, 0));
  write_text(Level::info, {}, sentence(closed), "spool.recorder");
}

}  // namespace

Announcer::Announcer() {
  guard_across_fork(mutex_, ForkOrder::innermost);
}

void Announcer::announce(ClosedSegment closed, std::shared_ptr<Segment> segment) {
  {
    const std::lock_guard guard{mutex_};
    if (items_.size() >= most_announcements) {
      ++missed_;
      return;
    }
    closed.missed = std::exchange(missed_, 0);
    items_.push_back({std::move(closed), std::move(segment)});
  }
  if (!started_) {
    stopping_.store(false, std::memory_order_relaxed);  // relaxed, both: the thread does not exist yet
    ended_.store(0, std::memory_order_relaxed);
    started_ = thread_.start("spool-announcer", &Announcer::run, this);
  }
  wakes_.fetch_add(1, std::memory_order_release);  // release: partner is the acquire in run
  os::unpark(&wakes_, 1);
}

void Announcer::run(void* self) {
  auto& announcer = *static_cast<Announcer*>(self);
  for (;;) {
    const std::uint32_t seen = announcer.wakes_.load(std::memory_order_acquire);  // acquire: partner is in announce
    while (announcer.say_next()) {}
    if (announcer.stopping_.load(std::memory_order_acquire)) break;  // acquire: partner is in stop
    os::park(announcer.wakes_, seen);
  }
  announcer.ended_.store(1, std::memory_order_release);  // release: partner is the acquire in stop
  os::unpark(&announcer.ended_, 1);
}

bool Announcer::say_next() {
  Item item;
  {
    const std::lock_guard guard{mutex_};
    if (items_.empty()) return false;
    item = std::move(items_.front());
    items_.pop_front();
  }
  const std::shared_ptr<Segment> told = item.segment;
  // The directory of a segment that was recycled meanwhile is another's.
  if (told != nullptr && !Recorder::instance().begin_telling(*told, item.closed.number)) {
    const std::lock_guard guard{mutex_};
    ++missed_;
    return true;
  }
  say(item);
  if (told != nullptr) Recorder::instance().end_telling(*told);
  return true;
}

/// With the threads' last states as they are now: what a power loss leaves of them is never younger than that.
void Announcer::make_durable(ClosedSegment& closed) {
  closed.durable = os::make_durable(closed.path) && os::make_durable(closed.path.parent_path() / ".status");
  if (closed.durable || errno == ENOENT) return;  // somebody has moved it away: it is his now
  if (std::exchange(told_not_durable_, true)) return;
  os::print_error(fmt::format("spool: the disk does not take {}: {}; a power loss may take it (said once)\n",
                              trace::escaped(closed.path.string()), std::generic_category().message(errno)));
}

void Announcer::say(Item& item) {
  try {
    if (sync_ == Sync::segments) make_durable(item.closed);
    log_line(item.closed);
    if (callback_) callback_(item.closed);
  } catch (const std::exception& thrown) {
    if (!std::exchange(told_throw_, true)) {
      os::print_error(fmt::format("spool: on_segment threw \"{}\"; what it throws is ignored (said once)\n",
                                  trace::escaped(thrown.what())));
    }
  } catch (...) {
    if (!std::exchange(told_throw_, true)) os::print_error("spool: on_segment threw; that is ignored (said once)\n");
  }
}

void Announcer::stop() {
  if (!started_) return;
  stopping_.store(true, std::memory_order_release);  // release: partner is the acquire in run
  wakes_.fetch_add(1, std::memory_order_release);    // release: partner is the acquire in run
  os::unpark(&wakes_, 1);
  const os::Deadline deadline = os::deadline_after(patience);
  // acquire: partner is the release in run
  while (ended_.load(std::memory_order_acquire) == 0 && os::park(ended_, 0, deadline)) {}
  if (ended_.load(std::memory_order_acquire) == 0) {  // acquire: as above
    os::print_error("spool: on_segment has not returned for 5 s; the program ends without the rest of its calls\n");
    thread_.forget();
    return;
  }
  thread_.join();
  started_ = false;
}

void Announcer::forget_after_fork() {
  thread_.forget();
  started_ = false;
  for (const Item& each : items_) {
    if (each.segment != nullptr) each.segment->forget_mappings();
  }
  items_.clear();
  missed_ = 0;
}

}  // namespace spool::log
