// SPDX-License-Identifier: MIT
#include <unspool/model/call_stack.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <utility>

namespace unspool {
namespace {

/// "spool::sync::Event::wait" of "bool spool::sync::Event::wait<int>(int) const": between the result, where there is
/// one, and the template's or the function's arguments.
std::string_view name_of(std::string_view function) {
  std::size_t begin = 0;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < function.size(); ++i) {
    const char each = function[i];
    if (each == '<') ++depth;
    if (each == '>' && depth != 0) --depth;
    if (depth != 0) continue;
    if (each == '(') return function.substr(begin, i - begin);
    if (each == ' ') begin = i + 1;
  }
  return function.substr(begin);
}

}  // namespace

bool is_of_library(std::string_view function) {
  static constexpr std::array<std::string_view, 6> starts{"_start", "start_thread", "clone",
                                                          "clone3", "__clone3",     "__libc_start_call_main"};
  const std::string_view name = name_of(function);
  return name.starts_with("spool::") || name.starts_with("std::") || name.starts_with("__libc_start_main") ||
         std::ranges::find(starts, name) != starts.end();
}

void Frame::define(std::uint32_t inlined, std::string a_module, std::uint64_t an_offset, Site line) {
  constexpr std::size_t most_lines = 64;
  if (inlined == 0) lines.clear();
  module = std::move(a_module);
  offset = an_offset;
  const bool is_named = !line.file.empty() || !line.function.empty();
  if (is_named && lines.size() < most_lines) lines.push_back(std::move(line));
}

std::vector<Call> calls_of(const Process& process, trace::StackNumber stack) {
  constexpr int most_calls = 1024;
  std::vector<Call> calls;
  for (int i = 0; i < most_calls && stack != 0; ++i) {
    const auto found = process.stacks.find(stack);
    if (found == process.stacks.end()) break;
    stack = found->second.caller;
    const auto frame = process.frames.find(found->second.frame);
    if (frame == process.frames.end()) continue;
    for (const Site& line : frame->second.lines)
      calls.push_back({&frame->second, &line});
    if (frame->second.lines.empty()) calls.push_back({&frame->second, nullptr});
  }
  return calls;
}

std::vector<Call> own_calls_of(const Process& process, trace::StackNumber stack) {
  std::vector<Call> calls = calls_of(process, stack);
  const auto is_own = [](const Call& call) { return call.line == nullptr || !is_of_library(call.line->function); };
  if (std::ranges::any_of(calls, is_own)) std::erase_if(calls, std::not_fn(is_own));
  return calls;
}

}  // namespace unspool
