// SPDX-License-Identifier: MIT
//
// What the clocks did but go on, as every command's heading and JSON tell it.
#pragma once

#include <unspool/render/json.hpp>
#include <unspool/render/style.hpp>

#include <functional>
#include <string>
#include <vector>

namespace unspool {

/// A sentence for each of the first few; none where the clocks went on evenly.
std::vector<std::string> clock_sentences(const Process& process, const Times& times);
/// A list, by time; `point` writes a point in time.
Json clock_changes_json(const Process& process, const std::function<Json(trace::Ticks)>& point);

}  // namespace unspool
