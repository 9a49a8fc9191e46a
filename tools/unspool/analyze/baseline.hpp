// SPDX-License-Identifier: MIT
//
// Findings that are known and accepted, by fingerprint: a text file that people keep beside their code.
//
//   # what unspool may find and not tell
//   2246d23c34d22ff4 deadlock # 2 threads wait for each other: lock "alice", lock "bob"
//
// A line is a fingerprint, the sort of finding, and a comment; empty lines and those that begin with # are passed over.
// Thread-bound.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unspool {

class Baseline {
 public:
  /// A sort that some command finds.
  static constexpr std::string_view deadlock = "deadlock";
  static constexpr std::string_view order = "order";
  static constexpr std::string_view misuse = "misuse";

  /// Adds the lines of a file. Empty, or a sentence: which line is none, and why.
  std::string read(const std::string& path);

  /// Whether the finding is accepted; and it has come up again.
  bool knows(std::string_view sort, std::uint64_t fingerprint);
  /// This sort was looked for: what of it did not come up is stale.
  void looked_for(std::string_view sort) { looked_for_.emplace(sort); }
  /// Lines of sorts that were looked for and found nowhere, as they stand in the file, each with its number: "FILE:3:
  /// ...".
  std::vector<std::string> stale() const;

  /// To be written: a finding. Requires: the comment is printable and of one line.
  void add(std::string_view sort, std::uint64_t fingerprint, const std::string& comment);
  /// What was added, and known lines that came up again or that nobody looked for. Empty, or why it could not be
  /// written.
  std::string write(const std::string& path) const;

 private:
  struct Line {
    std::string comment;
    std::string place;  ///< "FILE:3"; empty of one that was added
    bool found = false;
  };
  using Key = std::pair<std::string, std::uint64_t>;

  std::string parse(std::string_view line, const std::string& place);

  std::map<Key, Line> lines_;
  std::set<std::string> looked_for_;
};

}  // namespace unspool
