// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/log_process.hpp>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>

namespace unspool {
namespace {

using trace::Verb;

// A log may make up a new name in each line. Definitions are not limited, as in a trace.
constexpr std::size_t most_learnt = 1 << 20;
constexpr std::uint64_t a_thread = 1;
constexpr std::uint64_t an_object = 2;
constexpr std::uint64_t a_site = 3;

/// "2026-11-22T20:31:52.099000000Z", as the trace says it.
std::string time_text(std::uint64_t time) {
  const auto seconds = static_cast<std::time_t>(time / 1'000'000'000);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return {};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, time % 1'000'000'000);
}

trace::Kind kind_of(const Line& line) {
  if (!line.object_kind.empty()) return trace::kind_named(line.object_kind);
  switch (line.row->kind) {
    case trace::Kind::status:
    case trace::Kind::message:
    case trace::Kind::definition:
      return trace::Kind::trace;
    default:
      return line.row->kind;
  }
}

}  // namespace

LogProcess::LogProcess(const LogKey& of) : key{of}, problems{process} {
  process.pid = of.pid;
}

void LogProcess::define(const Line& line) {
  const auto small = [&](std::size_t index) { return static_cast<std::uint32_t>(line.numbers[index]); };
  switch (line.row->verb) {
    case Verb::process:
      process.parent_pid = small(0);
      process.started = time_text(line.numbers[1]);
      process.program = line.words[2];
      process.hostname = line.words[3];
      process.clock_source = line.words[4];
      std::from_chars(line.words[5].data(), line.words[5].data() + line.words[5].size(), version);
      process.tells_limits = line.words[5] != "1.0";
      return;
    case Verb::thread: {
      if (line.object == 0 || line.object > trace::max_thread_number) return;
      const auto origin = static_cast<trace::Origin>(std::min(line.numbers[3], std::uint64_t{3}));
      undefined_.erase(word_of(a_thread, line.object));
      process.threads[static_cast<trace::ThreadNumber>(line.object)] = {std::string{line.words[4]}, small(0), small(1),
                                                                        line.numbers[2] != 0, origin};
      return;
    }
    case Verb::object: {
      const bool known = line.numbers[1] < trace::kind_count;
      const auto kind = known ? static_cast<trace::Kind>(line.numbers[1]) : trace::Kind::trace;
      undefined_.erase(word_of(an_object, line.object));
      process.objects[line.object] = {std::string{line.words[3]}, kind, line.site, line.numbers[2]};
      return;
    }
    case Verb::site:
      // JSON has file, line and function under the names that every line has them under.
      undefined_.erase(word_of(a_site, small(0)));
      process.sites[small(0)] = {std::string{line.words[2].empty() ? line.file : line.words[2]},
                                 std::string{line.words[3].empty() ? line.function : line.words[3]},
                                 line.numbers[1] == 0 ? line.lineno : small(1)};
      return;
    case Verb::frame:
      return process.frames[small(0)].define(small(1), std::string{line.words[4]}, line.numbers[3],
                                             {std::string{line.words[5]}, std::string{line.words[6]}, small(2)});
    case Verb::stack:
      process.stacks[small(0)] = {small(1), small(2)};
      return;
    case Verb::mode:
      return modes_.mode(line.object, line.numbers[0]);
    case Verb::wait:
      return modes_.long_wait(line.numbers[0]);
    case Verb::clock:
      last_clock = std::max(last_clock, line.time);
      return;
    default:
      return;
  }
}

void LogProcess::learn(const Line& line) {
  if (line.thread != 0 && process.threads.size() < most_learnt && !process.threads.contains(line.thread)) {
    undefined_.insert(word_of(a_thread, line.thread));
    process.threads[line.thread].name = line.thread_name;
  }
  const trace::Kind kind = kind_of(line);
  const bool thing = line.object >= trace::first_object_number && kind != trace::Kind::trace;
  if (thing && process.objects.size() < most_learnt && !process.objects.contains(line.object)) {
    undefined_.insert(word_of(an_object, line.object));
    process.objects[line.object] = {std::string{line.object_name}, kind, 0, 0};
  }
  if (line.site != 0 && !line.file.empty() && process.sites.size() < most_learnt &&
      !process.sites.contains(line.site)) {
    undefined_.insert(word_of(a_site, line.site));
    process.sites[line.site] = {std::string{line.file}, std::string{line.function}, line.lineno};
  }
  remember(a_thread, line.thread);
  remember(an_object, line.object);
  remember(a_site, line.site);
}

bool LogProcess::knows(const Glance& glance) {
  return is_known(a_thread, glance.thread) && is_known(an_object, glance.object) && is_known(a_site, glance.site);
}

bool LogProcess::is_known(std::uint64_t kind, std::uint64_t number) {
  const std::uint64_t word = word_of(kind, number);
  if (number == 0 || known_[place(word)] == word) return true;
  const bool known = kind == a_thread           ? process.threads.contains(static_cast<trace::ThreadNumber>(number))
                     : kind == a_site           ? process.sites.contains(static_cast<trace::SiteNumber>(number))
                     : trace::is_thread(number) ? process.threads.contains(static_cast<trace::ThreadNumber>(number))
                                                : process.objects.contains(number);
  if (known) known_[place(word)] = word;
  return known;
}

void LogProcess::remember(std::uint64_t kind, std::uint64_t number) {
  const std::uint64_t word = word_of(kind, number);
  if (number != 0) known_[place(word)] = word;
}

trace::ThreadNumber LogProcess::number_of(std::string_view thread_name, std::uint32_t native_id) {
  if (thread_name.empty() && native_id == 0) return 0;
  const std::string name = thread_name.empty() ? fmt::format("thread {}", native_id) : std::string{thread_name};
  if (const auto found = numbers_.find(name); found != numbers_.end()) return found->second;
  if (numbers_.size() >= most_learnt) return 0;
  const auto number = static_cast<trace::ThreadNumber>(numbers_.size() + 1);
  numbers_.emplace(name, number);
  process.threads[number].name = name;
  return number;
}

trace::Ticks LogProcess::begin() const {
  trace::Ticks earliest = std::numeric_limits<trace::Ticks>::max();
  for (const LogPart& each : parts) {
    if (each.first_time != 0) earliest = std::min(earliest, each.first_time);
  }
  return earliest;
}

void LogProcess::take_over(LogProcess& other) {
  process.cut |= other.begin() < begin();
  parts.insert(parts.end(), other.parts.begin(), other.parts.end());
  process.threads.merge(other.process.threads);
  process.objects.merge(other.process.objects);
  process.sites.merge(other.process.sites);
  process.own_modes |= other.process.own_modes;
  process.with_own_mode.merge(other.process.with_own_mode);
  process.long_wait = std::max(process.long_wait, other.process.long_wait);
  last_clock = std::max(last_clock, other.last_clock);
}

}  // namespace unspool
