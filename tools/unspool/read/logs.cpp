// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/logs.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include <sys/stat.h>

namespace unspool {
namespace {

// Each process is read on its own, so that a log which makes up a process a line would be read for ever.
constexpr std::size_t most_processes = 1000;
constexpr unsigned version_read = 1;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

}  // namespace

bool is_json(std::string_view text, const Pattern& pattern) {
  return text.starts_with('{') && !pattern.begins_with_brace();
}

bool glance_at(std::string_view text, bool json, const Pattern& pattern, Glance& out) {
  return json ? JsonLog::glance(text, out) : pattern.has_pairs() && TextLog::glance(text, out);
}

Fault judged(Fault fault, const RawLine& line) {
  if (fault == Fault::newer || fault == Fault::interleaved) return fault;
  const bool json =
      line.text.find("\"process.pid\":") != std::string_view::npos || line.text.starts_with("{\"time\":\"");
  const bool text = line.text.find("pid=") != std::string_view::npos && line.text.find('\t') != std::string_view::npos;
  if (fault != Fault::foreign) return line.ended ? fault : Fault::cut;
  if (!json && !text) return Fault::foreign;
  return line.ended ? Fault::broken : Fault::cut;
}

bool Logs::add(const std::string& path, std::string& refusal, bool listed) {
  auto log = open_log(path, refusal);
  if (!log) return false;
  log->listed = listed;
  struct stat about {};
  const bool known = ::fstat(log->file.descriptor(), &about) == 0 && about.st_nlink > 0 &&
                     !known_files_.emplace(about.st_dev, about.st_ino).second;
  if (!known) {
    progress_.expect(log->size);
    files_.push_back(std::move(log));
  }
  return true;
}

void Logs::scan(std::vector<std::string>& refusals) {
  for (std::size_t i = 0; i < files_.size(); ++i)
    scan_file(i, refusals);
  join_unknown_starts();
  refuse_newer(refusals);
  for (const auto& process : processes_)
    settle(*process);
  std::ranges::stable_sort(processes_, {}, [](const auto& each) { return each->process.first_time; });
}

void Logs::scan_file(std::size_t index, std::vector<std::string>& refusals) {
  const LogFile& log = *files_[index];
  LineReader reader{LogBytes::open(log), 0, 1};
  Scan scan{index, {}, {}, 0, nullptr, nullptr};
  std::uint64_t told = 0;
  for (RawLine raw; reader.next(raw);) {
    scan_line(raw, scan);
    if (reader.bytes().used() - told >= 1 << 20)
      progress_.advance(reader.bytes().used() - std::exchange(told, reader.bytes().used()));
  }
  progress_.advance(reader.bytes().used() - told);
  const std::string& problem = reader.bytes().problem();
  if (scan.first == nullptr) {
    if (!log.listed) refusals.push_back(log.name + ": " + why_none(scan, problem));
    return;
  }
  scan.faults.tell(log.name, scan.first->problems);
  if (!problem.empty()) scan.first->problems.damage(log.name + ": " + problem);
}

std::string Logs::why_none(const Scan& scan, const std::string& problem) const {
  if (!problem.empty()) return problem;
  const std::string first = scan.faults.first();
  if (first.empty()) return "is empty";
  return fmt::format(
      "has no line that could be read (the first that could not: {}); lines of another spdlog pattern are "
      "read with --pattern",
      first);
}

void Logs::scan_line(const RawLine& raw, Scan& scan) {
  if (raw.enormous) return scan.faults.add(Fault::enormous, raw);
  const bool json = is_json(raw.text, pattern_);
  if (!json && is_blank(raw.text)) return;
  Glance glance;
  const bool glanced = glance_at(raw.text, json, pattern_, glance);
  if (!glanced || glance.definition) return scan_in_full(raw, json, false, scan);
  LogProcess* const process = process_of(glance.pid, json, scan);
  if (process == nullptr) return scan.faults.add(Fault::crowded, raw);
  const bool begun =
      !process->parts.empty() && process->parts.back().file == scan.file && process->parts.back().first_time != 0;
  if (!begun || !process->knows(glance)) return scan_in_full(raw, json, true, scan);
  process->parts.back().end = raw.offset + raw.text.size() + 1;
}

void Logs::scan_in_full(const RawLine& raw, bool json, bool glanced, Scan& scan) {
  const Fault fault = json ? json_.parse(raw.text, Want::names, line_) : text_.parse(raw.text, Want::names, line_);
  if (fault != Fault::none) {
    // What a glance took for a line of a process is counted when that process is read.
    if (!glanced) scan.faults.add(judged(fault, raw), raw);
    return;
  }
  const bool definition = line_.row->kind == trace::Kind::definition;
  if (definition && line_.row->verb == trace::Verb::process) {
    LogProcess* const begun = find_or_make({line_.pid, line_.numbers[1], LogKey::any_file, json});
    scan.current[{line_.pid, json}] = begun;
    scan.last = nullptr;
  }
  LogProcess* const process = process_of(line_.pid, json, scan);
  if (process == nullptr) return scan.faults.add(Fault::crowded, raw);
  if (!line_.has_pairs) take_text(line_, *process);
  if (definition) {
    process->define(line_);
  } else {
    process->learn(line_);
  }
  extend(*process, raw, definition ? 0 : line_.time, scan);
}

/// Lines without pairs: threads get numbers by their names.
void Logs::take_text(Line& line, LogProcess& process) const {
  process.has_pairs = false;
  if (line.thread == 0) line.thread = process.number_of(line.thread_name, 0);
}

/// The process of the pid's line here; nullptr: there are too many.
LogProcess* Logs::process_of(std::uint32_t pid, bool json, Scan& scan) {
  if (scan.last != nullptr && scan.last->key.pid == pid && scan.last->key.json == json) return scan.last;
  LogProcess*& current = scan.current[{pid, json}];
  if (current == nullptr) {
    const bool nameless = !json && !pattern_.has_pid();
    current = find_or_make({pid, 0, nameless ? scan.file : LogKey::any_file, json});
  }
  if (scan.first == nullptr) scan.first = current;
  return scan.last = current;
}

LogProcess* Logs::find_or_make(const LogKey& key) {
  const auto found = std::ranges::find_if(processes_, [&](const auto& each) { return each->key == key; });
  if (found != processes_.end()) return found->get();
  if (processes_.size() == most_processes) return nullptr;
  return processes_.emplace_back(std::make_unique<LogProcess>(key)).get();
}

void Logs::extend(LogProcess& process, const RawLine& raw, trace::Ticks time, Scan& scan) {
  if (process.parts.empty() || process.parts.back().file != scan.file)
    process.parts.push_back({scan.file, raw.offset, raw.number, 0, 0});
  LogPart& part = process.parts.back();
  part.end = raw.offset + raw.text.size() + 1;
  if (part.first_time == 0) part.first_time = time;
}

/// Lines whose process has not said when it started (the log is cut at its front) belong to the one that has, where
/// there is only one of that number.
void Logs::join_unknown_starts() {
  for (auto& unknown : processes_) {
    if (unknown->key.started != 0 || unknown->key.file != LogKey::any_file) continue;
    std::vector<LogProcess*> same;
    for (const auto& each : processes_) {
      if (each && each->key.started != 0 && each->key.pid == unknown->key.pid && each->key.json == unknown->key.json)
        same.push_back(each.get());
    }
    if (same.size() != 1) continue;
    same[0]->take_over(*unknown);
    for (const Problem& problem : unknown->process.problems)
      same[0]->process.problems.push_back(problem);
    unknown.reset();
    std::erase(processes_, nullptr);
    return join_unknown_starts();
  }
}

void Logs::refuse_newer(std::vector<std::string>& refusals) {
  for (auto& process : processes_) {
    if (process->version <= version_read) continue;
    refusals.push_back(fmt::format(
        "{}: the lines of process {} were written by a newer spool (lines {}.x), this unspool reads {}.x: use "
        "a newer unspool",
        process->parts.empty() ? "a log" : files_[process->parts[0].file]->name, process->key.pid, process->version,
        version_read));
    process.reset();
  }
  std::erase(processes_, nullptr);
}

/// All is read: what the Process says of itself as a whole.
void Logs::settle(LogProcess& log) const {
  Process& process = log.process;
  process.cut = log.is_cut();
  std::erase_if(log.parts, [](const LogPart& part) { return part.end == 0; });
  std::ranges::stable_sort(log.parts, {}, &LogPart::first_time);
  constexpr auto never = std::numeric_limits<trace::Ticks>::max();
  process.first_time = never;
  for (const LogPart& part : log.parts) {
    if (part.first_time != 0) process.first_time = std::min(process.first_time, part.first_time);
    progress_.expect(files_[part.file]->size);
  }
  if (process.first_time == never) process.first_time = 0;
  for (const auto& file : files_)
    process.logs.push_back(file->name);
  process.path = log.parts.empty() ? std::string{} : files_[log.parts.front().file]->name;
  process.clocks = {{process.first_time, 0, process.first_time, 0, process.frequency}};
  // The recorder went on to read the clocks: so long the process lived.
  if (log.last_clock > process.first_time)
    process.clocks.push_back({log.last_clock, 0, log.last_clock, 0, process.frequency});
  if (!log.has_pairs) {
    log.problems.note(
        fmt::format("{}: its lines have no pairs (%J): there are messages only, no locks and no waits", process.path));
    if (!pattern_.has_zone())
      log.problems.note(fmt::format("{}: its times have no offset (%z): they are taken for UTC", process.path));
    if (!pattern_.has_date())
      log.problems.note(
          fmt::format("{}: its times have no date: they are taken for the first day of 1970", process.path));
  }
}

}  // namespace unspool
