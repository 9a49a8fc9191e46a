// SPDX-License-Identifier: MIT
//
// Runs the programs of program.hpp, and looks at what they left.
#pragma once

#include "support/child.hpp"
#include "support/trace_reader.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace spool::test {

/// Every lock's numbers are 1, 2, 3, ...
inline void check_locks_gapless(const TraceReader& trace) {
  std::map<std::uint64_t, std::vector<std::uint64_t>> locks;
  for (const ReadRecord& each : trace.records()) {
    if (each.name == "lock.acquire" || each.name == "lock.release") locks[each.object].push_back(each.fields[1]);
  }
  CHECK_FALSE(locks.empty());
  for (auto& [object, numbers] : locks) {
    std::ranges::sort(numbers);
    CHECK(numbers.front() == 1);
    CHECK(numbers.back() == numbers.size());
  }
}

inline Ended run(const std::string& name, const std::vector<std::string>& environment = {}) {
  Ended ended = run_program({"unit_program", name}, environment);
  INFO(name << "\nout: " << ended.out << "\nerr: " << ended.err);
  CHECK_FALSE(ended.timed_out);
  return ended;
}

inline long lines_of(const std::string& text) {
  return std::ranges::count(text, '\n');
}

inline long count_of(const TraceReader& trace, std::string_view name) {
  return std::ranges::count(trace.records(), name, &ReadRecord::name);
}

}  // namespace spool::test
