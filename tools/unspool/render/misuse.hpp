// SPDX-License-Identifier: MIT
//
// What `misuse` prints, and its sentence in `report`.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/json.hpp>

#include <string>
#include <string_view>

namespace unspool {

std::string misuse_text(const Process& process, const Analysis& analysis, const Options& options);
Json misuse_json(const Process& process, const Analysis& analysis);

/// That a wake-up was lost the Records show; that it was needed they do not.
std::string_view certainty_of(Slip slip);

/// "Misuse: 2 lost wake-ups, ...: unspool misuse"; empty where there is none.
std::string misuse_sentence(const Analysis& analysis);

}  // namespace unspool
