// SPDX-License-Identifier: MIT
#include <unspool/render/alike_waits.hpp>
#include <unspool/render/wait_words.hpp>

#include <algorithm>
#include <cstddef>
#include <map>

namespace unspool {

WaitKey key_of(const Waiting& waiting) {
  return {waiting.wait.kind, waiting.wait.object, waiting.wait.site, waiting.owner, call_number(waiting)};
}

bool AlikeWaits::for_one_task() const {
  return std::ranges::all_of(waits, [&](const Waiting* each) { return task_number(*each) == task_number(first()); });
}

std::vector<AlikeWaits> alike_waits(std::span<const Waiting* const> waits) {
  std::map<WaitKey, std::size_t> places;
  std::vector<AlikeWaits> all;
  for (const Waiting* const each : waits) {
    const auto [place, is_new] = places.try_emplace(key_of(*each), all.size());
    if (is_new) all.emplace_back();
    all[place->second].waits.push_back(each);
  }
  for (AlikeWaits& each : all)
    std::ranges::stable_sort(each.waits, {}, [](const Waiting* waiting) { return waiting->wait.since; });
  return all;
}

}  // namespace unspool
