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

/// One line: program, pid, length, Records, threads. Then how long it lived on without a Record, what the figures are
/// restricted to, and known findings.
std::string heading(const Process& process, const Analysis& analysis, const Options& options);

/// From the last Record to the last sign of life, if that is half a second or more; else 0.
trace::Ticks quiet_at_end(const Process& process, const Replay& replay);

/// One line for each reason why figures are bounded (mode, loss, gaps) or times are not what they seem (a clock was
/// set, the machine slept); empty when there is none.
std::string reservations(const Process& process, const Analysis& analysis, const Options& options);

/// `text` broken at spaces into lines of `width`; it keeps its own indent, and the lines after the first get `indent`.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

/// How long `threads` have waited without an end, `ticks` in all: ", for 2.50 s at least", or where no later sign of life
/// is known ", 1.20 ms up to the last Record"; empty where that is no time.
std::string waited_so_far(const Process& process, const Analysis& analysis, std::uint64_t threads, trace::Ticks ticks);

/// "killed or still running" or "in order".
std::string how_it_ended(const Analysis& analysis);

/// That older Records are gone, what is restricted, and how much that leaves out, and findings of the baseline that are
/// not told; empty when none of these.
std::string restrictions(const Process& process, const Analysis& analysis, const Options& options);

/// Runs the analysis of each input and prints what `make_text` has to say, or one document of what `make_json` has.
/// True when one of them has findings.
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
    answers.join(input.process, analysis, analysis.replay.last_sign_of_life());
    answers.add([&] { return make_text(input.process, analysis); }, [&] { return make_json(input.process, analysis); });
  }
  answers.finish();
  return findings;
}

}  // namespace unspool
