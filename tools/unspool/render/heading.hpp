// SPDX-License-Identifier: MIT
//
// What stands over every command's output for people: which process, and how far its figures can be trusted.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/json.hpp>

#include <string>

namespace unspool {

/// One line: program, pid, length, Records, threads.
std::string heading(const Process& process, const Analysis& analysis, const Options& options);

/// One line for each reason why figures are bounded (mode, loss, gaps); empty when there is none.
std::string reservations(const Process& process, const Analysis& analysis, const Options& options);

/// `text` broken at spaces into lines of `width`; it keeps its own indent, and the lines after the first get `indent`.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

/// "killed or still running" or "in order".
std::string how_it_ended(const Analysis& analysis);

/// Runs the analysis of each input and prints what `make_text` has to say, or one JSON document of what `make_json`
/// has. True when one of them has findings.
template <class MakeText, class MakeJson>
bool for_each_process(std::span<Input> inputs, const Options& options, std::FILE* out, std::string_view command,
                      const MakeText& make_text, const MakeJson& make_json) {
  bool findings = false;
  Json documents = Json::array();
  std::string separator;
  for (const Input& input : inputs) {
    const Analysis analysis{input.process, input.source};
    findings = findings || !analysis.deadlocks.cycles().empty();
    if (options.format == Options::Format::json) {
      documents.push_back(make_json(input.process, analysis));
      continue;
    }
    const std::string text = separator + make_text(input.process, analysis);
    std::fwrite(text.data(), 1, text.size(), out);
    separator = "\n";
  }
  if (options.format == Options::Format::json) print_document(command, std::move(documents), out);
  return findings;
}

}  // namespace unspool
