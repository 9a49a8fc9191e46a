// SPDX-License-Identifier: MIT
//
// The recorder's start and end, and the writers that come and go with their threads.
#include <spool/log/hidden_thread.hpp>
#include <spool/log/keeper.hpp>
#include <spool/log/recorder.hpp>
#include <spool/os/process.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <functional>

#include <sys/stat.h>
#include <unistd.h>

namespace spool::log {
namespace {

// Most programs have few threads, some have ten thousand.
constexpr std::size_t first_status_entries = 1024;
constexpr std::size_t most_status_entries = 16'384;

constexpr std::size_t status_size(std::size_t entries) {
  return sizeof(trace::StatusHeader) + entries * sizeof(trace::StatusEntry);
}

/// Like mkdir -p, for our eyes only.
bool make_parents(const std::filesystem::path& path) {
  std::filesystem::path so_far;
  for (const auto& part : path) {
    so_far /= part;
    if (mkdir(so_far.c_str(), 0700) != 0 && errno != EEXIST && errno != EISDIR && errno != EROFS) return false;
  }
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return true;
  errno = error ? error.value() : ENOTDIR;
  return false;
}

/// What may stand in a file name: everything else becomes '_'.
std::string plain(std::string_view name) {
  std::string text{name.empty() ? "program" : name};
  std::ranges::replace_if(
      text,
      [](char each) {
        const bool letter = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z');
        return !letter && !(each >= '0' && each <= '9') && each != '-' && each != '_' && each != '.';
      },
      '_');
  return text;
}

trace::Process describe_process() {
  trace::Process process;
  process.program = os::program_name();
  process.hostname = os::host_name();
  process.boot = os::boot_id();
  process.pid = os::process_id();
  return process;
}

}  // namespace

void Recorder::note_start() {
  const std::uint64_t now = os::read_clocks().realtime;
  const auto wall = static_cast<std::time_t>(now / 1'000'000'000U);
  process_.started_at = now;
  process_.started = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z", fmt::gmtime(wall), now % 1'000'000'000U);
}

trace::Process Recorder::process() {
  const std::lock_guard guard{m_};
  return process_;
}

bool Recorder::make_directory() {
  if (settings_.parent.empty()) return true;
  if (!make_parents(settings_.parent)) return false;
  const std::string base = fmt::format("{}-{}", plain(process_.program), process_.pid);
  directory_ = settings_.parent / (base + ".spool");
  if (mkdir(directory_.c_str(), 0700) == 0) return true;
  if (errno != EEXIST) return false;
  // Process ids come again: an earlier process's trace stays as it is.
  directory_ = settings_.parent / fmt::format("{}-{}.spool", base, plain(process_.started));
  return mkdir(directory_.c_str(), 0700) == 0;
}

os::MappedFile Recorder::make_status(const std::filesystem::path& path) const {
  constexpr std::size_t size = status_size(first_status_entries);
  constexpr std::size_t most = status_size(most_status_entries);
  os::MappedFile made = path.empty() ? os::MappedFile::anonymous(size, most) : os::MappedFile::create(path, size, most);
  if (!made) return made;
  const trace::StatusHeader header{.magic = trace::status_magic,
                                   .entry_size = sizeof(trace::StatusEntry),
                                   .entry_count = first_status_entries,
                                   .entries_missed = 0,
                                   .mode = static_cast<std::uint32_t>(modes_.general),
                                   .pid = process_.pid,
                                   .unknown_threads = 0,
                                   .frequency = process_.frequency,
                                   .lost = lost_.load(std::memory_order_relaxed),  // relaxed: a count
                                   .reserved_b = {}};
  std::memcpy(made.data(), &header, sizeof header);
  return made;
}

bool Recorder::open_status() {
  os::MappedFile made = make_status(directory_.empty() ? std::filesystem::path{} : directory_ / ".status");
  if (!made) return false;
  const std::lock_guard guard{m_};  // threads that begin meanwhile look for an entry
  status_ = std::move(made);
  free_status_.clear();
  add_free_status(0, first_status_entries);
  return true;
}

/// Another process has truncated it: a new one takes its place, and each thread moves there with its next segment.
void Recorder::renew_status() {
  if (!status_ || status_.spare_pages() == 0) return;
  const std::filesystem::path hidden = directory_ / ".status.new";
  (void)unlink(hidden.c_str());  // what an earlier failure left
  os::MappedFile made = make_status(hidden);
  if (!made || rename(hidden.c_str(), (directory_ / ".status").c_str()) != 0) return;
  const std::lock_guard guard{m_};
  left_statuses_.push_back(std::move(status_));
  status_ = std::move(made);
  free_status_.clear();
  add_free_status(0, first_status_entries);
}

/// Requires m; the owner's. Out of a status file that was left.
void Recorder::move_status(Writer& writer) {
  trace::StatusEntry& old = writer.current_status();
  if (left_statuses_.empty() || &old == &writer.private_status || is_in_status(old)) return;
  writer.private_status = old;
  assign_status(writer);
}

bool Recorder::is_in_status(const trace::StatusEntry& entry) const {
  const auto* const at = std::as_bytes(std::span{&entry, 1}).data();
  return !std::less<>{}(at, status_.data()) && std::less<>{}(at, status_.data() + status_.size());
}

bool Recorder::start(const RecorderSettings& settings) {
  const std::lock_guard files{fm_};
  if (is_recording()) return true;
  settings_ = settings;
  announcer_.set(settings.on_segment, settings.sync);
  // The child of a fork may have another working directory, as a daemon does.
  if (!settings_.parent.empty()) settings_.parent = std::filesystem::absolute(settings_.parent);
  modes_.general = settings.mode;
  process_ = describe_process();
  begin_clock(settings.clock);
  note_start();
  return begin_trace(1);
}

/// Under fm. Everything up to the first segment, numbered `number`; false with errno and nothing left behind.
bool Recorder::begin_trace(std::uint32_t number) {
  geometry_ = settings_.geometry;
  const bool fence = !os::barrier_everywhere();
  // relaxed, both: the generation that lets emits in is stored after them
  full_fence.store(fence, std::memory_order_relaxed);
  is_unusual.store(fence || process_.clock != "tsc", std::memory_order_relaxed);
  std::shared_ptr<Segment> first;
  const bool made = make_directory() && open_status() &&
                    (first = build_segment(directory_, number, settings_.geometry, process_)) != nullptr;
  if (!made) {
    const int why = errno;
    std::error_code ignored;  // best effort: nothing of ours stays behind
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
    directory_.clear();
    {
      const std::lock_guard guard{m_};
      status_ = {};
    }
    errno = why;
    return false;
  }
  {
    const std::lock_guard guard{m_};
    stopped_.store(false, std::memory_order_relaxed);  // relaxed: under m
    last_number_ = number;
    current_ = std::move(first);
    (void)definitions_.enter(*current_, modes_, process_.frequency);
    ++counters_.segments;
    for (Writer& writer : writers_) {
      if (writer.attached) assign_status(writer);
    }
    generation.store(number, std::memory_order_seq_cst);  // seq_cst: as in a swap
  }
  begin_cost();
  (void)ensure_spare(false);
  spare_pages_seen_ = os::spare_pages();
  // Where it cannot be had the process is as one without it.
  if (settings_.survive_truncation && !directory_.empty()) (void)os::survive_truncation(&Keeper::wake);
  Keeper::start();
  // relaxed: a switch
  if (!directory_.empty()) stack_depth.store(std::min(settings_.call_stacks, most_frames), std::memory_order_relaxed);
  return true;
}

void Recorder::stop() {
  if (!is_recording()) return;
  write_clock();
  Keeper::stop();
  finish_symbols();
  if (os::spare_pages() != 0) {  // what truncation took is told while there is somebody to tell it
    {
      const std::lock_guard files{fm_};
      leave_damaged();
      (void)close_pass();
      count_truncated();
    }
    if (my_writer != nullptr) (void)prepare(*my_writer, {.size = sizeof(trace::Transition), .claims = false});
  }
  end_cost();
  {
    const std::lock_guard guard{m_};
    stopped_.store(true, std::memory_order_relaxed);  // relaxed: under m
    generation.store(0, std::memory_order_seq_cst);   // seq_cst: as in a swap
    closing_.push_back(current_);
    current_.reset();
  }
  (void)close_pass();
  {
    const std::lock_guard files{fm_};
    count_truncated();
    end_packing();
    if (spare_ != nullptr) remove_segment(*spare_);
  }
  announcer_.stop();  // its thread, or the user's code on it, may want fm
}

/// A thread that begins or ends just now may be counted as one too many.
void Recorder::count_threads() noexcept {
  const std::size_t all = os::thread_count();
  const std::lock_guard guard{m_};
  if (!status_ || all == 0) return;
  const std::size_t known = writers_.size() - idle_writers_.size() + HiddenThread::count();
  const auto unknown = static_cast<std::uint32_t>(all - std::min(all, known));
  std::atomic_ref{status_header().unknown_threads}.store(unknown + 1, std::memory_order_relaxed);  // relaxed: a count
}

trace::StatusHeader& Recorder::status_header() const {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a mapped file
  return *reinterpret_cast<trace::StatusHeader*>(status_.data());
}

trace::StatusEntry& Recorder::status_entry(std::uint32_t index) const {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a mapped file
  return *reinterpret_cast<trace::StatusEntry*>(status_.data() + status_size(index));
}

/// The lowest are given first.
void Recorder::add_free_status(std::uint32_t from, std::uint32_t until) {
  for (std::uint32_t i = until; i-- > from;)
    free_status_.push_back(i);
}

/// Requires m. The only place where m is held over file system work: four times in a process's life at most.
void Recorder::grow_status() {
  const std::uint32_t now = status_header().entry_count;
  const std::uint32_t wanted = std::min<std::uint32_t>(2 * now, most_status_entries);
  const auto path = directory_.empty() ? std::filesystem::path{} : directory_ / ".status";
  if (wanted == now || !status_.grow(path, status_size(wanted))) return;
  add_free_status(now, wanted);
  // release: partner is whoever reads the file; the new entries are there
  std::atomic_ref{status_header().entry_count}.store(wanted, std::memory_order_release);
}

void Recorder::try_grow_status() noexcept {
  try {
    grow_status();
  } catch (const std::exception&) {  // no memory: it stays as it is, and who has no entry is counted
  }
}

/// Requires m.
void Recorder::assign_status(Writer& writer) {
  trace::StatusEntry* entry = &writer.private_status;
  if (status_) {
    if (free_status_.empty()) try_grow_status();
    if (free_status_.empty()) {
      ++status_header().entries_missed;
    } else {
      entry = &status_entry(free_status_.back());
      free_status_.pop_back();
    }
  }
  // The forking thread brings its holds into the child's file; elsewhere there are none yet.
  if (entry != &writer.private_status) *entry = writer.private_status;
  entry->thread = writer.number;
  writer.status.store(entry, std::memory_order_release);  // release: partner is current_status
}

Writer& Recorder::attach(std::shared_ptr<Identity> identity) {
  const std::lock_guard guard{m_};
  Writer* writer = nullptr;
  // The newest idle one: its chunk is the likeliest to be of the current segment.
  if (idle_writers_.empty()) {
    // Nothing that a thread does at its end may need memory.
    if (idle_writers_.capacity() <= writers_.size()) idle_writers_.reserve(2 * (writers_.size() + 1));
    writer = &writers_.emplace_back();
  } else {
    writer = idle_writers_.back();
    idle_writers_.pop_back();
  }
  writer->number = identity->thread_number();
  writer->identity = std::move(identity);
  writer->fresh = true;
  writer->attached = true;
  writer->lost = 0;
  assign_status(*writer);
  return *writer;
}

void Recorder::detach(Writer& writer) {
  const std::lock_guard guard{m_};
  writer.attached = false;
  writer.limit.store(0, std::memory_order_relaxed);  // relaxed: under m
  trace::StatusEntry& entry = writer.current_status();
  const std::uint32_t version = entry.version;
  entry = {};
  entry.version = version + 2;
  if (&entry != &writer.private_status && status_ && is_in_status(entry)) {
    free_status_.push_back(static_cast<std::uint32_t>(&entry - &status_entry(0)));
  }
  writer.private_status = {};
  writer.status.store(&writer.private_status, std::memory_order_relaxed);  // relaxed: our own
  writer.identity.reset();
  idle_writers_.push_back(&writer);
}

}  // namespace spool::log
