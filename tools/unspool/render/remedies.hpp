// SPDX-License-Identifier: MIT
//
// What may be done about threads that are stuck, or could be. Owns the sentences, for `deadlocks` and `order` alike;
// those about slow locks are advice.hpp's.
#pragma once

#include <unspool/analyze/deadlocks.hpp>
#include <unspool/render/names.hpp>

#include <span>
#include <string>

namespace unspool {

/// "Take lock "a" before lock "b" everywhere, or both with std::scoped_lock." Requires: two or more.
std::string order_remedy(const Process& process, const Names& names, std::span<const trace::ObjectNumber> locks);

/// "Release lock "a" before the join at bank.cpp:40."
std::string release_remedy(const std::string& lock, std::string_view call, const std::string& site);

/// Empty where nothing can be said.
std::string stuck_remedy(const Process& process, const Names& names, const Deadlocks& deadlocks, const Cycle& cycle);

}  // namespace unspool
