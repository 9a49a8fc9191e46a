// SPDX-License-Identifier: MIT
//
// The locks of one process in words: what `locks` prints, and what `report` takes from it.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/json.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/scene.hpp>

#include <string>
#include <vector>

namespace unspool {

/// `lock "accounts"`, `lock of bank.cpp:12 (x8)`: one row of the figures.
std::string lock_name(const Names& names, const LockFigures& lock);

std::string locks_table(const Scene& scene, const std::vector<LockFigures>& figures);
/// The table, and what the worst of them are to blame on.
std::string locks_body(const Scene& scene, const std::vector<LockFigures>& figures);
/// One row; `complete`: every acquire was recorded.
Json lock_json(const ProcessJson& json, const LockFigures& lock, bool complete);

std::string locks_text(const Process& process, const Analysis& analysis, const Options& options);
Json locks_json(const Process& process, const Analysis& analysis);

}  // namespace unspool
