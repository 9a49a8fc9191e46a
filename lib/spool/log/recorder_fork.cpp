// SPDX-License-Identifier: MIT
//
// The recorder across fork(): the child leaves what is its parent's, and begins a trace of its own with its first
// Record.
#include <spool/log/control.hpp>
#include <spool/log/dispatcher.hpp>
#include <spool/log/drain.hpp>
#include <spool/log/keeper.hpp>
#include <spool/log/message.hpp>
#include <spool/log/recorder.hpp>
#include <spool/log/status.hpp>
#include <spool/os/process.hpp>
#include <spool/trace/message.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <system_error>
#include <utility>

namespace spool::log {
namespace {

// A fork while another thread is in the midst of making it would have the child wait for ever for that thread.
[[maybe_unused]] const Recorder& made_before_any_fork = Recorder::instance();

}  // namespace

/// The status file is not mapped in the child, so what it has to know is copied before.
void Recorder::lock_for_fork() {
  fm_.lock();
  for (Drain* reader : readers_)
    reader->lock_for_fork();
  m_.lock();
  forking_pid_ = os::process_id();
  for (Writer& writer : writers_) {
    if (!writer.attached) continue;
    const trace::StatusEntry& entry = writer.current_status();
    if (&writer == my_writer) {
      if (&entry != &writer.private_status) writer.private_status = entry;
      continue;
    }
    StatusSnapshot seen{};
    if (detail::get(entry.depth) == 0 || !snapshot(writer, seen)) continue;
    for (std::size_t i = 0; i < std::min<std::size_t>(seen.entry.depth, trace::status_holds); ++i)
      leaving_.push_back({writer.number, seen.entry.holds[i], seen.held[i]});
  }
}

void Recorder::unlock_after_fork() {
  leaving_.clear();
  m_.unlock();
  for (Drain* reader : readers_)
    reader->unlock_after_fork();
  fm_.unlock();
}

void Recorder::leave_parent() noexcept {
  const auto forget = [](const std::shared_ptr<Segment>& segment) {
    if (segment != nullptr) segment->forget_mappings();
  };
  forget(current_);
  forget(spare_);
  std::ranges::for_each(closing_, forget);
  std::ranges::for_each(closed_, forget);
  current_.reset();
  spare_.reset();
  closing_.clear();
  closed_.clear();
  archiver_.forget_after_fork();
  announcer_.forget_after_fork();
  symbolizer_.forget_after_fork();
  archives_.clear();
  os::forget_guarded_ranges();
  for (os::MappedFile& each : left_statuses_)
    each.forget();
  left_statuses_.clear();
  truncated_ = 0;
  told_truncated_ = false;
  status_.forget();
  status_ = {};
  left_holds_.insert(left_holds_.end(), leaving_.begin(), leaving_.end());
  constexpr std::uint32_t shared = 1;
  std::ranges::copy_if(leaving_, std::back_inserter(left_readers_),
                       [](const LeftHold& each) { return each.hold.mode == shared; });
  for (Writer& writer : writers_)
    leave_parent(writer);
  // A number that nothing is defined in yet, so that every emit takes the slow path.
  const bool goes_on = is_recording();
  generation.store(goes_on ? last_number_ + 1 : 0, std::memory_order_relaxed);  // relaxed: the child has one thread
  awaits_first_record_.store(goes_on, std::memory_order_relaxed);               // relaxed: as above
  process_.parent_pid = forking_pid_;
  counters_ = {};
  lost_.store(0, std::memory_order_relaxed);               // relaxed: as above
  no_space_.store(false, std::memory_order_relaxed);       // relaxed: as above
  told_no_space_.store(false, std::memory_order_relaxed);  // relaxed: as above
}

void Recorder::leave_parent(Writer& writer) {
  writer.limit.store(0, std::memory_order_relaxed);  // relaxed, all: the child has one thread
  writer.position.store(0, std::memory_order_relaxed);
  writer.committed.store(0, std::memory_order_relaxed);
  writer.packet = nullptr;
  writer.segment = nullptr;
  writer.fresh = true;
  writer.lost = 0;
  // relaxed: the child has one thread
  writer.status.store(&writer.private_status, std::memory_order_relaxed);
  if (&writer == my_writer || !writer.attached) return;
  writer.private_status = {};
  writer.slow = false;
  writer.holds = 0;
  writer.attached = false;
  writer.identity.reset();  // the registry has it still
  idle_writers_.push_back(&writer);
}

/// Called by whoever makes the child's first Record; others that come meanwhile wait.
void Recorder::begin_in_child() {
  std::vector<LeftHold> holds;
  {
    const std::lock_guard files{fm_};
    if (!awaits_first_record()) return;
    start_in_child();
    awaits_first_record_.store(false, std::memory_order_release);  // release: partner is awaits_first_record
    holds = std::move(left_holds_);
  }
  for (const LeftHold& hold : holds)
    warn_of(hold);
}

/// False: there was no memory for it. The next Record tries again.
bool Recorder::try_begin_in_child() noexcept {
  try {
    begin_in_child();
    return true;
  } catch (...) {
    note_no_memory();
    return false;
  }
}

/// Under fm.
void Recorder::start_in_child() {
  process_.pid = os::process_id();
  note_start();
  if (!begin_trace(last_number_ + 1)) {
    const std::string line =
        fmt::format("spool: no trace can be written to {} by the child of a fork: {}; it runs on without one\n",
                    settings_.parent.string(), std::generic_category().message(errno));
    std::fputs(line.c_str(), stderr);
    generation.store(0, std::memory_order_seq_cst);          // seq_cst: as in a swap
    state.fetch_and(ending_bit, std::memory_order_relaxed);  // relaxed: a switch
    return;
  }
  Dispatcher::resume_in_child(last_number_);
}

void Recorder::warn_of(const LeftHold& left) {
  if (!is_logged(Level::warning)) return;
  const std::shared_ptr<Identity> holder = Registry::find(left.holder);
  const bool known = left.described != nullptr;
  const std::string place = describe_site(left.hold.site);
  write_text(
      Level::warning, {},
      fmt::format("{} \"{}\" is held for ever: thread {} ({}) stayed behind in the parent of the fork; it acquired "
                  "it at {}",
                  known ? trace::name_of(left.described->kind) : "an object",
                  trace::escaped(known && left.described->name != nullptr ? left.described->name : ""),
                  holder == nullptr ? "that has ended" : trace::escaped(holder->name()), left.holder,
                  place.empty() ? "a line that is not known" : place));
}

Quoted Recorder::left_reader(trace::ObjectNumber object) {
  const auto found =
      std::ranges::find_if(left_readers_, [&](const LeftHold& each) { return each.hold.object == object; });
  if (object == 0 || found == left_readers_.end()) return {};
  return {found->holder, found->hold.site};
}

std::string Recorder::describe_site(trace::SiteNumber number) {
  const std::lock_guard guard{m_};
  const Site site = definitions_.site(number);
  return site.file == nullptr ? std::string{} : fmt::format("{}:{}", site.file, site.line);
}

}  // namespace spool::log
