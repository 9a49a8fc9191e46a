// SPDX-License-Identifier: MIT
//
// What the recording itself has cost, as `report` tells it.
#pragma once

#include <unspool/render/json.hpp>

#include <string>

namespace unspool {

/// A sentence; empty where the input does not say it.
std::string cost_sentence(const Process& process);
/// null where the input does not say it.
Json cost_json(const Process& process);

}  // namespace unspool
