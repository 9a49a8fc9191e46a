// SPDX-License-Identifier: MIT
#include <unspool/analyze/occurrence.hpp>

#include <algorithm>
#include <array>
#include <iterator>

namespace unspool {
namespace {

constexpr std::uint64_t most_comparisons = 400;  // of moments, for each that there is
constexpr std::size_t wanted_by_one = 2;

/// What goes first.
enum Worth : std::uint8_t { outdated, unmet, met, stuck };
constexpr std::size_t worths = 4;

/// Whatever one of these keeps out the other one did too.
bool holds_no_more(const HeldLocks& some, const HeldLocks& all) {
  return std::ranges::includes(all, some);
}

/// Which of `all` somebody needs who was seen already. False: there were too many to look at all of them.
bool find_met(std::span<const Occurrence* const> all, std::span<const Occurrence* const> partners, const Gates& gates,
              std::vector<Worth>& worth) {
  std::uint64_t comparisons = 0;
  for (const Occurrence* const partner : partners) {
    std::size_t wanted = wanted_by_one;
    trace::ThreadNumber last = 0;
    for (std::size_t i = all.size(); i-- > 0 && wanted != 0;) {
      const Occurrence& each = *all[i];
      if (each.thread == partner->thread || each.thread == last) continue;
      comparisons += each.moments.size() * partner->moments.size();
      if (comparisons > most_comparisons * all.size()) return false;
      if (!may_overlap(each, *partner)) continue;
      if (!gates.let_both(each.thread, *each.held, partner->thread, *partner->held)) continue;
      worth[i] = std::max(worth[i], met);
      last = each.thread;
      --wanted;
    }
  }
  return true;
}

/// So many of these, evenly over time.
void drop(const std::vector<std::size_t>& from, std::size_t count, Choice& choice) {
  for (std::size_t i = 0; i < count; ++i)
    choice.kept[from[(2 * i + 1) * from.size() / (2 * count)]] = false;
}

}  // namespace

bool may_overlap(const Occurrence& a, const Occurrence& b) {
  return std::ranges::any_of(a.moments, [&](const Moment& one) {
    return std::ranges::any_of(b.moments,
                               [&](const Moment& other) { return !one.precedes(other) && !other.precedes(one); });
  });
}

bool is_outdated(const Occurrence& occurrence, const Occurrence& newer) {
  if (occurrence.stuck || (newer.waited && !occurrence.waited) || (newer.limited && !occurrence.limited)) return false;
  if (newer.held != occurrence.held && !holds_no_more(*newer.held, *occurrence.held)) return false;
  const Moment& last = newer.moments.back();
  return std::ranges::all_of(occurrence.moments, [&](const Moment& each) {
    if (each.component != last.component) return each.precedes(last);
    return each.component == Moment::unknown || each.epoch <= last.epoch;  // unknown: it never comes first
  });
}

Choice choose(std::span<const Occurrence* const> all, const Occurrence& newer,
              std::span<const Occurrence* const> partners, const Gates& gates, std::size_t most) {
  std::vector<Worth> worth;
  for (const Occurrence* const each : all)
    worth.push_back(each->stuck ? stuck : is_outdated(*each, newer) ? outdated : unmet);
  const bool all_seen = find_met(all, partners, gates, worth);
  std::array<std::vector<std::size_t>, worths> by_worth;
  for (std::size_t i = 0; i < all.size(); ++i)
    by_worth[worth[i]].push_back(i);
  Choice choice{std::vector<bool>(all.size(), true), 0};
  std::size_t left = all.size();
  for (std::size_t i = 0; i < worths; ++i) {
    const std::size_t enough = i == outdated ? most / 2 : most - most / 4;
    if (left <= enough) continue;
    const std::size_t count = std::min(left - enough, by_worth[i].size());
    drop(by_worth[i], count, choice);
    left -= count;
    if (i != outdated || !all_seen) choice.missed += count;
  }
  return choice;
}

}  // namespace unspool
