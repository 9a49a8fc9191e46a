// SPDX-License-Identifier: MIT
#include <unspool/order/ahead.hpp>
#include <unspool/order/inputs.hpp>
#include <unspool/order/log_source.hpp>
#include <unspool/order/merge.hpp>
#include <unspool/read/find.hpp>

#include <utility>

namespace unspool {
namespace {

Pattern standard() {
  std::string none;
  return *Pattern::compile(Pattern::standard, none);
}

}  // namespace

Inputs::Inputs(std::optional<Pattern> pattern, bool show_progress)
    : pattern_{pattern ? *std::move(pattern) : standard()}, progress_{show_progress} {}

void Inputs::open(const std::vector<std::string>& arguments, Ask ask) {
  for (const std::string& argument : arguments)
    add(argument);
  logs_.scan(refusals_);
  for (const auto& trace : traces_) {
    auto merge = std::make_unique<Merge>(*trace, ask.definitions);
    merge->tell(progress_);
    // Who prints needs nothing made ready, and may stop early.
    if (ask.prints || ask.definitions) {
      records_.push_back(std::move(merge));
    } else {
      records_.push_back(std::make_unique<Ahead>(std::move(merge)));
    }
    sources_.push_back({trace->process(), *records_.back()});
  }
  for (const auto& log : logs_.processes()) {
    records_.push_back(std::make_unique<LogSource>(logs_, *log, ask.definitions, ask.texts));
    sources_.push_back({log->process, *records_.back()});
  }
  if (sources_.empty() && refusals_.empty()) refusals_.emplace_back("no file in there has a line of spool's");
}

void Inputs::add(const std::string& argument) {
  std::string refusal;
  const Found found = find_inputs(argument, refusal);
  if (found.traces.empty() && found.logs.empty()) refusals_.push_back(refusal);
  for (const TracePath& path : found.traces) {
    if (auto trace = Trace::open(path, refusal)) {
      traces_.push_back(std::move(trace));
    } else {
      refusals_.push_back(refusal);
    }
  }
  for (const std::string& path : found.logs) {
    if (!logs_.add(path, refusal, found.listed) && !found.listed) refusals_.push_back(refusal);
  }
}

}  // namespace unspool
