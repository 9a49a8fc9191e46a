// SPDX-License-Identifier: MIT
//
// The JSON that the analyses share: the document, a process, threads, objects, sites, times. docs/json.md describes
// it. Names go out as they are; bytes that are not UTF-8 are replaced.
#pragma once

#include <nlohmann/json.hpp>
#include <unspool/analyze/analysis.hpp>

#include <cstdio>
#include <string>
#include <string_view>

namespace unspool {

using Json = nlohmann::ordered_json;

/// The parts of a document about one process.
class ProcessJson {
 public:
  ProcessJson(const Process& process, const Analysis& analysis) : process_{process}, analysis_{analysis} {}

  /// Everything about the process that every command tells.
  Json process() const;
  Json filter() const;  ///< null when there is none

  Json thread(trace::ThreadNumber thread) const;  ///< null when it is not known which
  Json object(trace::ObjectNumber object, trace::Kind kind) const;
  Json site(trace::SiteNumber site) const;  ///< null when not known
  /// Its calls as sites, innermost first, with `module` and `offset`; null when there is none.
  Json stack(trace::StackNumber stack) const;
  Json span(trace::Ticks ticks) const;     ///< nanoseconds
  Json offset(trace::Ticks time) const;    ///< nanoseconds since the first Record, may be negative
  Json calendar(trace::Ticks time) const;  ///< null when the trace has no clock reading

 private:
  const Process& process_;
  const Analysis& analysis_;
};

/// On one line where `indent` is negative, without a character that a terminal heeds.
std::string json_text(const Json& json, int indent);

/// {"unspool": VERSION, "command": command, "processes": processes, "together": together}, and a line end.
void print_document(std::string_view command, Json processes, Json together, std::FILE* out);

}  // namespace unspool
