// SPDX-License-Identifier: MIT
//
// What all that is said of one process refers to: its definitions, its analysis, how to print, names and times.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/style.hpp>

#include <string>
#include <string_view>

namespace unspool {

/// The first three outlive it.
struct Scene {
  const Process& process;
  const Analysis& analysis;
  const Options& options;
  Names names;
  Times times;
  std::string_view actors = "threads";  ///< what the numbers of threads stand for

  /// `start`: from when offsets count.
  Scene(const Process& a_process, const Analysis& an_analysis, const Options& some_options, trace::Ticks start)
      : process{a_process}, analysis{an_analysis}, options{some_options}, names{a_process}, times{a_process, start} {}
  Scene(const Process& a_process, const Analysis& an_analysis, const Options& some_options)
      : Scene{a_process, an_analysis, some_options, an_analysis.replay.first_time()} {}

  /// A span without a blank before its unit, as narrow columns have it.
  std::string narrow(double ticks) const {
    const double frequency = process.frequency == 0 ? 1e9 : static_cast<double>(process.frequency);
    return duration(ticks * 1e9 / frequency, "");
  }
  std::string narrow(trace::Ticks ticks) const { return narrow(static_cast<double>(ticks)); }
};

}  // namespace unspool
