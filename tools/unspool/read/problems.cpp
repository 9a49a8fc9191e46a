// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/problems.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace unspool {
namespace {

constexpr std::size_t most = 40;

}  // namespace

std::uint64_t saturated(std::uint64_t a, std::uint64_t b) {
  return a + std::min(b, std::numeric_limits<std::uint64_t>::max() - a);
}

void Problems::note(std::string text) {
  if (!muted_) add(Problem::Severity::note, std::move(text));
}

void Problems::damage(std::string text, std::uint64_t bytes) {
  if (muted_ || is_said(text)) return;
  ++damages_;
  process_.bytes_lost = saturated(process_.bytes_lost, bytes);
  add(Problem::Severity::damage, std::move(text));
}

bool Problems::is_said(const std::string& text) const {
  return std::ranges::find(process_.problems, text, &Problem::text) != process_.problems.end();
}

void Problems::add(Problem::Severity severity, std::string text) {
  auto& list = process_.problems;
  if (list.size() < most) {
    list.push_back({severity, std::move(text)});
    return;
  }
  if (beyond_++ == 0) list.push_back({severity, {}});
  Problem& last = list.back();
  if (severity == Problem::Severity::damage) last.severity = severity;
  last.text = fmt::format("{}: {} more problems like these are not listed; bytes that could not be read: {}",
                          process_.path, beyond_, process_.bytes_lost);
}

}  // namespace unspool
