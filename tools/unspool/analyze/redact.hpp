// SPDX-License-Identifier: MIT
//
// Names and texts replaced by pseudonyms, so that a dump or a report can be shown to others. Owns what is replaced: it
// is done to the definitions and the Records themselves, before any question is asked, so that no output can forget to.
//
//   Redactor redactor{key};
//   redactor.rename(process);
//   Redacted records{redactor, process, source};
//
// Replaced: names of threads, objects, loggers, programs, hosts, source files and functions, paths of the input, and
// messages as a whole. What stays: numbers (lines, process and thread ids, times), kinds, levels.
#pragma once

#include <unspool/analyze/filter.hpp>
#include <unspool/model/source.hpp>

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unspool {

/// Under one key a text always gets the same pseudonym, under another key another one; without the key nobody can tell
/// whether a guess is right. Thread-bound.
class Redactor {
 public:
  explicit Redactor(std::string_view key);

  /// "thread-3f9a52c01b7e"; of an empty text an empty one.
  std::string pseudonym(std::string_view sort, std::string_view text) const;

  /// Filters are given in the true names: the same in pseudonyms. Before rename(), with all processes that are asked
  /// about.
  Wanted rename(const Wanted& wanted, std::span<const Process* const> processes) const;
  /// All definitions. Requires: they are complete.
  void rename(Process& process);
  /// What is said of the input names its path: that too. After the last Record.
  void rename_problems(Process& process) const;

 private:
  std::string replace(std::string_view sort, std::string& text);

  std::array<unsigned char, 32> key_{};
  std::map<std::string, std::string> places_;  ///< paths, hosts and programs, which texts may quote
};

/// A source's Records, redacted. Both others outlive it.
class Redacted final : public RecordSource {
 public:
  Redacted(const Redactor& redactor, Process& process, RecordSource& source)
      : redactor_{redactor}, process_{process}, source_{source} {}

  bool next(Record& record) override;

 private:
  void redact_message(Record& record);
  void redact_definition(Record& record);

  const Redactor& redactor_;
  Process& process_;
  RecordSource& source_;
  MessageClass message_;
  std::string bytes_;
};

}  // namespace unspool
