// SPDX-License-Identifier: MIT
#include <unspool/analyze/samples.hpp>
#include <unspool/analyze/tally.hpp>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace unspool {
namespace {

std::vector<Part> sorted(std::vector<Part> parts) {
  std::ranges::sort(parts, [](const Part& a, const Part& b) {
    if (a.ticks != b.ticks) return a.ticks > b.ticks;
    return a.count != b.count ? a.count > b.count : a.actor < b.actor;
  });
  return parts;
}

}  // namespace

/// Where it is, or would be.
std::uint32_t& Tally::slot_of(const Actor& actor) {
  const std::uint64_t key = std::uint64_t{actor.thread} << 32U | actor.site;
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = static_cast<std::size_t>((key * 0x9e37'79b9'7f4a'7c15) >> 32U) & mask;
  while (slots_[at] != 0 && parts_[slots_[at] - 1].actor != actor)
    at = (at + 1) & mask;
  return slots_[at];
}

void Tally::grow() {
  slots_.assign(2 * slots_.size(), 0);
  for (std::uint32_t i = 0; i < parts_.size(); ++i)
    slot_of(parts_[i].actor) = i + 1;
}

void Tally::put(const Actor& actor, trace::Ticks ticks, std::uint64_t count) {
  if (2 * (parts_.size() + 1) > slots_.size()) grow();
  std::uint32_t& slot = slot_of(actor);
  if (slot == 0) {
    parts_.push_back({actor, 0, 0});
    slot = static_cast<std::uint32_t>(parts_.size());
  }
  Part& part = parts_[slot - 1];
  part.count += count;
  part.ticks = add_saturated(part.ticks, ticks);
}

void Tally::add(Actor actor, trace::Ticks ticks, std::uint64_t count) {
  put(actor, ticks, count);
  if (parts_.size() > 2 * most) shrink();
}

void Tally::merge(const Tally& other) {
  for (const Part& part : other.parts_)
    add(part.actor, part.ticks, part.count);
}

void Tally::shrink() {
  const std::vector<Part> all = sorted(std::move(parts_));
  parts_.clear();
  std::ranges::fill(slots_, 0);
  for (std::size_t i = 0; i < all.size(); ++i) {
    Actor actor = all[i].actor;
    if (i >= most) actor.thread = other_threads;
    // A hostile file can have as many sites as Records.
    if (i >= most && parts_.size() >= most + most / 2 && !contains(actor)) actor.site = 0;
    put(actor, all[i].ticks, all[i].count);
  }
}

std::vector<Part> Tally::parts() const {
  return sorted(parts_);
}

std::vector<Part> Tally::by_site() const {
  std::unordered_map<trace::SiteNumber, Part> sites;
  for (const Part& part : parts_) {
    const auto [found, fresh] = sites.try_emplace(part.actor.site, part);
    if (fresh) continue;
    found->second.count += part.count;
    found->second.ticks = add_saturated(found->second.ticks, part.ticks);
    found->second.actor.thread = other_threads;
  }
  std::vector<Part> parts;
  parts.reserve(sites.size());
  for (const auto& [site, part] : sites)
    parts.push_back(part);
  return sorted(std::move(parts));
}

}  // namespace unspool
