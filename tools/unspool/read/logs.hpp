// SPDX-License-Identifier: MIT
//
// All logs of one call, and the processes whose lines are in them. A first reading finds the processes, their
// definitions and their places; then each process is read by a LogPartReader for each of its parts.
#pragma once

#include <unspool/read/json_log.hpp>
#include <unspool/read/log_bytes.hpp>
#include <unspool/read/log_process.hpp>
#include <unspool/read/pattern.hpp>
#include <unspool/read/progress.hpp>
#include <unspool/read/text_log.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace unspool {

/// Thread-bound.
class Logs {
 public:
  /// Pattern and progress outlive it.
  Logs(const Pattern& pattern, ReadProgress& progress) : pattern_{pattern}, progress_{progress} {}

  /// A file, "-" for standard input, or a pipe. What was added already is passed over. false: `refusal` says why.
  /// `listed`: it only lay in a directory that was given, and is passed over where it has no line of ours.
  bool add(const std::string& path, std::string& refusal, bool listed = false);

  /// Reads all that was added, once. Files without a single line of ours are refused, a sentence each.
  void scan(std::vector<std::string>& refusals);

  const std::vector<std::unique_ptr<LogFile>>& files() const { return files_; }
  /// By when they started.
  std::vector<std::unique_ptr<LogProcess>>& processes() { return processes_; }
  /// All lines are of one process.
  bool alone() const { return processes_.size() == 1; }
  const Pattern& pattern() const { return pattern_; }
  ReadProgress& progress() const { return progress_; }

 private:
  /// One file while it is scanned.
  struct Scan {
    std::size_t file;
    LineFaults faults;
    std::map<std::pair<std::uint32_t, bool>, LogProcess*> current;  ///< by pid and format
    std::uint64_t lines = 0;                                        ///< of ours
    LogProcess* first = nullptr;
    LogProcess* last = nullptr;  ///< of the line before
  };

  void scan_file(std::size_t index, std::vector<std::string>& refusals);
  void scan_line(const RawLine& raw, Scan& scan);
  void scan_in_full(const RawLine& raw, bool json, bool glanced, Scan& scan);
  LogProcess* process_of(std::uint32_t pid, bool json, Scan& scan);
  LogProcess* find_or_make(const LogKey& key);
  static void extend(LogProcess& process, const RawLine& raw, trace::Ticks time, Scan& scan);
  void take_text(Line& line, LogProcess& process) const;
  void join_unknown_starts();
  void refuse_newer(std::vector<std::string>& refusals);
  void settle(LogProcess& process) const;
  std::string why_none(const Scan& scan, const std::string& problem) const;

  const Pattern& pattern_;
  ReadProgress& progress_;
  JsonLog json_;
  TextLog text_{pattern_};
  Line line_;
  std::vector<std::unique_ptr<LogFile>> files_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> known_files_;  ///< device and inode
  std::vector<std::unique_ptr<LogProcess>> processes_;
};

/// Which reader a line is for.
bool is_json(std::string_view text, const Pattern& pattern);
/// Either reader's glance.
bool glance_at(std::string_view text, bool json, const Pattern& pattern, Glance& out);

/// Whether a line that cannot be read was ours once.
Fault judged(Fault fault, const RawLine& line);

/// The lines of one process in one of its parts.
class LogPartReader {
 public:
  LogPartReader(const Logs& logs, LogProcess& process, const LogPart& part, Want want, bool definitions);

  /// The next line of the process, whose texts are valid until the next call; false at the part's end.
  bool next(Line& line, Place& place);

 private:
  bool read(const RawLine& raw, Line& line);
  void tell_progress();

  const Logs& logs_;
  LogProcess& process_;
  const LogPart& part_;
  const Want want_;
  const bool definitions_;
  LineReader reader_;
  JsonLog json_;
  TextLog text_;
  bool mine_ = true;  ///< lines of this pid are this process's
  std::uint64_t told_ = 0;
};

}  // namespace unspool
