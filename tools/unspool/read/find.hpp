// SPDX-License-Identifier: MIT
//
// From an argument of the command line to the traces and logs it means. Looks at names only.
#pragma once

#include <unspool/read/trace.hpp>

#include <string>
#include <vector>

namespace unspool {

/// A trace directory, a segment of one, or a directory with several *.spool traces in it. None: `refusal` is the
/// sentence that says why.
std::vector<TracePath> find_traces(const std::string& argument, std::string& refusal);

struct Found {
  std::vector<TracePath> traces;
  std::vector<std::string> logs;
  bool listed = false;  ///< the logs are all files of a directory: some of them may be none
};

/// Also files, "-", and patterns that the shell has left as they are. A directory without traces means the files in it.
/// Nothing: `refusal` says why.
Found find_inputs(const std::string& argument, std::string& refusal);

/// The number of a segment directory, by its name; 0 where it is none.
std::uint32_t segment_number(const std::string& name);

}  // namespace unspool
