// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/analyze/nearest.hpp>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <string_view>

namespace unspool {
namespace {

constexpr std::size_t longest = 64;  // of a name as far as it is compared

std::string comparable(std::string_view name) {
  std::string out;
  for (const char each : name.substr(0, longest)) {
    if (each != '*') out += static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
  }
  return out;
}

/// Levenshtein's, by one row of his table at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t k = 1; k <= b.size(); ++k) {
      const std::size_t changed = diagonal + (a[i - 1] == b[k - 1] ? 0U : 1U);
      diagonal = row[k];
      row[k] = std::min({changed, row[k] + 1, row[k - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

Nearest::Nearest(const std::string& wanted) : wanted_{comparable(wanted)} {}

void Nearest::add(const std::string& name) {
  if (std::ranges::find(found_, name, &Found::name) != found_.end()) return;
  const Found each{distance(wanted_, comparable(name)), name};
  found_.insert(std::ranges::upper_bound(found_, each), each);
  if (found_.size() > most) found_.pop_back();
}

std::string Nearest::words() const {
  std::string out;
  for (const Found& each : found_)
    out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", each.name);
  return out;
}

}  // namespace unspool
