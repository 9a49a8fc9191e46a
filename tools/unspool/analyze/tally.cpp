// SPDX-License-Identifier: MIT
#include <unspool/analyze/samples.hpp>
#include <unspool/analyze/tally.hpp>

#include <algorithm>

namespace unspool {
namespace {

template <class Map>
std::vector<Part> sorted(const Map& map) {
  std::vector<Part> parts;
  parts.reserve(map.size());
  for (const auto& [key, part] : map)
    parts.push_back(part);
  std::ranges::sort(parts, [](const Part& a, const Part& b) {
    if (a.ticks != b.ticks) return a.ticks > b.ticks;
    return a.count != b.count ? a.count > b.count : a.actor < b.actor;
  });
  return parts;
}

}  // namespace

void Tally::put(Map& map, Actor actor, trace::Ticks ticks, std::uint64_t count) {
  Part& part = map[actor];
  part.actor = actor;
  part.count += count;
  part.ticks = add_saturated(part.ticks, ticks);
}

void Tally::add(Actor actor, trace::Ticks ticks, std::uint64_t count) {
  put(map_, actor, ticks, count);
  if (map_.size() > 2 * most) shrink();
}

void Tally::merge(const Tally& other) {
  for (const auto& [actor, part] : other.map_)
    add(actor, part.ticks, part.count);
}

void Tally::shrink() {
  const std::vector<Part> all = sorted(map_);
  map_.clear();
  for (std::size_t i = 0; i < all.size(); ++i) {
    Actor actor = all[i].actor;
    if (i >= most) actor.thread = other_threads;
    // A hostile file can have as many sites as Records.
    if (i >= most && map_.size() >= most + most / 2 && !map_.contains(actor)) actor.site = 0;
    put(map_, actor, all[i].ticks, all[i].count);
  }
}

std::vector<Part> Tally::parts() const {
  return sorted(map_);
}

std::vector<Part> Tally::by_site() const {
  std::unordered_map<trace::SiteNumber, Part> sites;
  for (const auto& [actor, part] : map_) {
    const auto [found, fresh] = sites.try_emplace(actor.site, part);
    if (fresh) continue;
    found->second.count += part.count;
    found->second.ticks = add_saturated(found->second.ticks, part.ticks);
    found->second.actor.thread = other_threads;
  }
  return sorted(sites);
}

}  // namespace unspool
