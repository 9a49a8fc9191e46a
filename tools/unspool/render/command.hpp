// SPDX-License-Identifier: MIT
//
// The commands of unspool, as main calls them. Owns what they are given and what they answer; each command is a file
// of its own.
#pragma once

#include <unspool/analyze/baseline.hpp>
#include <unspool/analyze/filter.hpp>
#include <unspool/model/model.hpp>
#include <unspool/model/source.hpp>
#include <unspool/read/when.hpp>

#include <cstdio>
#include <span>
#include <string>
#include <vector>

namespace unspool {

/// How to print.
struct Options {
  enum class Format { table, json, csv };
  Format format = Format::table;
  bool color = false;                  ///< escape sequences are allowed
  unsigned width = 100;                ///< columns of a table
  Wanted wanted;                       ///< restricts figures and findings
  std::size_t processes_left_out = 0;  ///< that wanted.processes leaves out: they are not among the inputs
  std::size_t messages = 0;            ///< of each thread concerned, the last so many are told
  bool together = false;               ///< only what is of all processes together
  Baseline* baseline = nullptr;        ///< whose findings are counted and not told; outlives the command
  bool accept = false;                 ///< what is found is added to the baseline
};

/// What only `cat` can be asked for.
struct CatOptions {
  enum class Time {
    offset,  ///< seconds since the first Record
    clock,   ///< UTC
    ticks,   ///< as in the file
  };
  Time time = Time::offset;
  bool definitions = false;  ///< the definitions too; the sources have to give them
  std::string split;         ///< a directory that gets a file for each thread; empty: all to the output
  std::string to;            ///< another form than lines: "ctf"; empty: none
  std::string output;        ///< the directory for that
  bool replace = false;      ///< files that an earlier split left in it may go
};

/// One trace: its definitions are complete, its Records are read from `source` once. Both outlive the command.
struct Input {
  Process& process;
  RecordSource& source;
  trace::Ticks last = 0;  ///< the last Record's time, known only where a moment counts from there
};

// Each runs over all given traces, prints to `out` and returns true when it has findings. None throws for what the
// input holds. JSON goes out as one document, with every process's `problems` in it; CSV with one header line
// (csv.hpp).

bool run_report(std::span<Input> inputs, const Options& options, std::FILE* out);
bool run_locks(std::span<Input> inputs, const Options& options, std::FILE* out);
bool run_joins(std::span<Input> inputs, const Options& options, std::FILE* out);
bool run_waits(std::span<Input> inputs, const Options& options, std::FILE* out);
bool run_deadlocks(std::span<Input> inputs, const Options& options, std::FILE* out);
/// Lock orders that could deadlock. Notes are no findings.
bool run_order(std::span<Input> inputs, const Options& options, std::FILE* out);
bool run_misuse(std::span<Input> inputs, const Options& options, std::FILE* out);
/// Finds Records that break what the schema table states.
bool run_check(std::span<Input> inputs, const Options& options, std::FILE* out);

/// What only `state` can be asked for.
struct StateOptions {
  When at;
};

/// The state of each thread at one moment. A deadlock that stands then is a finding.
bool run_state(std::span<Input> inputs, const Options& options, const StateOptions& state, std::FILE* out);
/// Reads the source to its end: its latest time.
trace::Ticks last_time(RecordSource& source);

/// Along the chains of waits; `folded`: a line a chain, as flame graphs are made of. Never has findings.
bool run_blame(std::span<Input> inputs, const Options& options, bool folded, std::FILE* out);

/// Of the threads that `options.wanted` names. Never has findings.
bool run_why(std::span<Input> inputs, const Options& options, std::FILE* out);

/// What only `path` can be asked for: messages by a part of their text, empty: not asked for.
struct PathOptions {
  std::string from_message;
  std::string to_message;
};

/// The critical path. Never has findings.
bool run_path(std::span<Input> inputs, const Options& options, const PathOptions& path, std::FILE* out);

/// Never has findings.
bool run_threads(std::span<Input> inputs, const Options& options, std::FILE* out);

/// Writes `cat.split`: a file for each thread, with what the thread is at its head. Empty, or the sentence that says
/// why it could not.
std::string run_split(std::span<Input> inputs, const Options& options, const CatOptions& cat);

/// One line a Record that passes; JSON goes out as one object a line. Never has findings.
bool run_cat(std::span<Input> inputs, const Options& options, const CatOptions& cat, std::FILE* out);

}  // namespace unspool
