// SPDX-License-Identifier: MIT
//
// What stands over every command's output for people: which process, and how far its figures can be trusted.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/answers.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/findings.hpp>

#include <string>

namespace unspool {

/// One line: program, pid, length, Records, threads. Then how long it lived on without a Record, what the figures are restricted to,
/// and known findings.
std::string heading(const Process& process, const Analysis& analysis, const Options& options);

/// For how long the process lived on after its last Record, at least, where that is two seconds or more and it was cut off; else 0.
/// Requires: the replay has read all Records.
trace::Ticks quiet_at_end(const Process& process, const Replay& replay);

/// One line for each reason why figures are bounded (mode, loss, gaps) or times are not what they seem (a clock was set, the
/// machine slept); empty when there is none.
std::string reservations(const Process& process, const Analysis& analysis, const Options& options);

/// `text` broken at spaces into lines of `width`; it keeps its own indent, and the lines after the first get `indent`.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

/// "killed or still running" or "in order".
std::string how_it_ended(const Analysis& analysis);

/// What is restricted, and how much that leaves out, and findings of the baseline that are not told; empty when neither.
std::string restrictions(const Process& process, const Analysis& analysis, const Options& options);

/// Runs the analysis of each input and prints what `make_text` has to say, or one document of what `make_json` has. True
/// when one of them has findings.
template <class MakeText, class MakeJson>
bool for_each_process(std::span<Input> inputs, const Options& options, std::FILE* out, std::string_view command,
                      const MakeText& make_text, const MakeJson& make_json) {
  bool findings = false;
  Answers answers{command, options, out};
  for (const Input& input : inputs) {
    Analysis analysis{input.process,
                      input.source,
                      nullptr,
                      Filter{options.wanted, input.process, input.last},
                      {options.messages, command == "locks"}};
    settle(input.process, analysis, options);
    findings = findings || !analysis.deadlocks.cycles().empty();
    answers.join(input.process, analysis, analysis.replay.last_time());
    answers.add([&] { return make_text(input.process, analysis); }, [&] { return make_json(input.process, analysis); });
  }
  answers.finish();
  return findings;
}

}  // namespace unspool
