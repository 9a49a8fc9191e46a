// SPDX-License-Identifier: MIT
//
// What could be done about waits: where what is seen of a lock has a usual remedy. Owns when one is offered, and its
// words. Advice is no finding: it counts for no exit code.
#pragma once

#include <unspool/render/json.hpp>
#include <unspool/render/scene.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace unspool {

struct Advice {
  std::string_view what;       ///< waits_inside, long_holds, hand_over or busy
  trace::SiteNumber site = 0;  ///< where something could be done; 0: nowhere in particular
  trace::Ticks concerned = 0;  ///< of the time that was waited for the lock
  std::string text;            ///< sentences, the first about "it"
};

/// What concerns most of the waits first.
std::vector<Advice> advice_of(const Scene& scene, const LockFigures& lock);
/// The same as lines, indented.
std::string advice_lines(const Scene& scene, const LockFigures& lock);
/// Of all locks, for the report; empty where there is none.
std::string all_advice(const Scene& scene);
Json advice_json(const Scene& scene, const LockFigures& lock);

/// What threads did while they held it: a table for people, and for programs.
std::string inside_table(const Scene& scene, const LockFigures& lock);
Json inside_json(const Scene& scene, const LockFigures& lock);
/// Of holds of such an object that were taken at `hold_site`: what they waited for most, and where they log; empty for
/// neither.
std::string inside_words(const Scene& scene, trace::ObjectNumber object, trace::SiteNumber hold_site);

}  // namespace unspool
