// SPDX-License-Identifier: MIT
//
// All that a command is asked about: traces and logs, opened, each process with its Records in order.
#pragma once

#include <unspool/model/source.hpp>
#include <unspool/read/logs.hpp>
#include <unspool/read/trace.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace unspool {

/// Thread-bound.
class Inputs {
 public:
  struct Ask {
    bool definitions = false;  ///< the sources give them too
    bool texts = false;        ///< messages have texts and arguments
    bool prints = false;       ///< Records are printed as they come, and nobody may want all of them
  };
  struct Source {
    Process& process;
    RecordSource& records;
  };

  Inputs(std::optional<Pattern> pattern, bool show_progress);

  /// Finds and opens what the arguments mean. What cannot be read is in `refusals`, a sentence each.
  void open(const std::vector<std::string>& arguments, Ask ask);

  const std::vector<Source>& sources() const { return sources_; }
  const std::deque<std::unique_ptr<Trace>>& traces() const { return traces_; }
  const std::vector<std::string>& refusals() const { return refusals_; }

 private:
  void add(const std::string& argument);

  Pattern pattern_;
  ReadProgress progress_;
  Logs logs_{pattern_, progress_};
  std::deque<std::unique_ptr<Trace>> traces_;
  std::deque<std::unique_ptr<RecordSource>> records_;
  std::vector<Source> sources_;
  std::vector<std::string> refusals_;
};

}  // namespace unspool
