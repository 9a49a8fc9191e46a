// SPDX-License-Identifier: MIT
//
// The calls of a recorded call stack, from the tables of the process. The input may hold anything: a stack that calls
// itself, or a frame that nobody defined.
#pragma once

#include <unspool/model/model.hpp>

#include <string_view>
#include <vector>

namespace unspool {

/// One line of the source in a call stack.
struct Call {
  const Frame* frame = nullptr;
  const Site* line = nullptr;  ///< nullptr: the process did not come to look it up
};

/// A function of spool, of the standard library, or one that every program has at the beginning of its threads.
bool is_of_library(std::string_view function);

/// All, innermost first. Valid while `process` is not changed.
std::vector<Call> calls_of(const Process& process, trace::StackNumber stack);

/// Those of the program itself: without spool's, the standard library's and those that made the thread. All where
/// nothing is left.
std::vector<Call> own_calls_of(const Process& process, trace::StackNumber stack);

}  // namespace unspool
