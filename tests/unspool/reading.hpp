// SPDX-License-Identifier: MIT
//
// Reads a whole trace into memory, for tests: what the commands see, Record by Record, and the problems afterwards.
#pragma once

#include <unspool/model/model.hpp>
#include <unspool/order/merge.hpp>
#include <unspool/read/find.hpp>
#include <unspool/read/trace.hpp>

#include <memory>
#include <string>
#include <vector>

namespace unspool_test {

struct Reading {
  std::string refusal;
  std::unique_ptr<unspool::Trace> trace;
  std::vector<unspool::Record> records;  ///< `bytes` are gone; `copies` has them
  std::vector<std::string> copies;

  explicit Reading(const std::string& path, bool definitions = false) {
    const auto found = unspool::find_traces(path, refusal);
    if (found.empty()) return;
    trace = unspool::Trace::open(found.front(), refusal);
    if (!trace) return;
    unspool::Merge merge{*trace, definitions};
    for (unspool::Record record; merge.next(record);) {
      records.push_back(record);
      copies.emplace_back(reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size());
    }
  }

  unspool::Process& process() const { return trace->process(); }

  /// All problems, one a line.
  std::string problems() const {
    std::string text;
    if (!trace) return text;
    for (const auto& each : trace->process().problems) {
      text += (each.severity == unspool::Problem::Severity::damage ? "damage: " : "note: ") + each.text + '\n';
    }
    return text;
  }
};

}  // namespace unspool_test
