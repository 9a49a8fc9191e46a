// SPDX-License-Identifier: MIT
//
// Messages around a finding: the log lines of the threads concerned, by time. Owns the lines' layout, not which are
// kept.
#pragma once

#include <unspool/analyze/messages.hpp>
#include <unspool/render/json.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/style.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unspool {

/// Where in the lines something happened.
struct Mark {
  trace::Ticks time = 0;
  std::string_view what;  ///< "the deadlock is complete"
};

/// A line each: time, thread, level, text, site; texts escaped, and cut where they take more than three lines. The mark
/// stands before the first message that is later, or last. Empty where there is no message.
std::string said_lines(const Names& names, const Times& times, const std::vector<Said>& said, unsigned width,
                       std::size_t indent, const Mark* mark = nullptr);

/// [{"thread", "time", "time_clock", "level", "logger", "text", "cut", "site"}]
Json said_json(const ProcessJson& json, const std::vector<Said>& said);

}  // namespace unspool
