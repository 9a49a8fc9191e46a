// SPDX-License-Identifier: MIT
//
// One process as its log lines tell of it: its definitions, and where in which files its lines stand. Owns how names
// get into the Process: from definitions, and where those were rotated away, from the lines that carry them.
#pragma once

#include <unspool/read/line.hpp>
#include <unspool/read/line_faults.hpp>
#include <unspool/read/modes.hpp>
#include <unspool/read/problems.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

namespace unspool {

/// A stretch of a file with lines of one process in it; others' may stand among them.
struct LogPart {
  std::size_t file = 0;      ///< index in Logs::files
  std::uint64_t offset = 0;  ///< of its first line in the plain text
  std::uint64_t number = 1;  ///< of that line
  std::uint64_t end = 0;     ///< behind its last line
  trace::Ticks first_time = 0;
};

/// Which process a line belongs to.
struct LogKey {
  std::uint32_t pid = 0;
  std::uint64_t started = 0;  ///< ns since 1970; 0: its `definition.process` is not there
  std::size_t file = any_file;
  bool json = false;  ///< the same process's text is another log, or each Record would be there twice

  static constexpr std::size_t any_file = ~std::size_t{0};
  auto operator<=>(const LogKey&) const = default;
};

/// Not movable: problems write into the process.
class LogProcess {
 public:
  explicit LogProcess(const LogKey& key);
  LogProcess(const LogProcess&) = delete;
  LogProcess& operator=(const LogProcess&) = delete;

  /// Takes a definition in. Requires: read with Want::names.
  void define(const Line& line);
  /// Takes over the names that a line carries and no definition has given.
  void learn(const Line& line);
  /// Names were learnt of what no definition has told, or its `definition.process` is not there: what stood before is
  /// gone.
  bool is_cut() const { return process.cut || !undefined_.empty(); }
  /// All that the line's numbers stand for has been seen: it need not be read in full.
  bool knows(const Glance& glance);
  /// The number of the thread with this name, for lines that have none.
  trace::ThreadNumber number_of(std::string_view thread_name, std::uint32_t native_id);
  /// The time of its earliest line.
  trace::Ticks begin() const;
  /// Of the same process, without `definition.process`, as the later files of a log that was rotated are: its lines and
  /// names become this one's.
  void take_over(LogProcess& other);

  LogKey key;
  trace::Ticks last_clock = 0;  ///< its last reading of the clocks
  Process process;
  Problems problems;
  std::vector<LogPart> parts;                ///< after the scan: by their first times
  std::map<std::size_t, LineFaults> faults;  ///< by file
  unsigned version = 1;                      ///< the first number of the format's version
  bool has_pairs = true;                     ///< false: messages only

 private:
  ModeReader modes_{process};

  bool is_known(std::uint64_t kind, std::uint64_t number);
  void remember(std::uint64_t kind, std::uint64_t number);
  static std::uint64_t word_of(std::uint64_t kind, std::uint64_t number) { return kind << 60U | number; }
  static std::size_t place(std::uint64_t word) { return (word * 0x9e37'79b9'7f4a'7c15) >> 54U; }

  std::array<std::uint64_t, 1024> known_{};      ///< words of numbers, each in its place
  std::unordered_set<std::uint64_t> undefined_;  ///< words of what was learnt and has not been defined
  std::map<std::string, trace::ThreadNumber, std::less<>> numbers_;
};

}  // namespace unspool
