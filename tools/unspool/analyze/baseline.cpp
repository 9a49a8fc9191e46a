// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/analyze/baseline.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace unspool {
namespace {

constexpr std::size_t digits = 16;
constexpr std::string_view blanks = " \t\r";

/// The next word, taken from the text.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(blanks));
  text.remove_prefix(word.size());
  return word;
}

bool parse_fingerprint(std::string_view word, std::uint64_t& fingerprint) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), fingerprint, 16);
  return word.size() == digits && error == std::errc{} && end == word.data() + word.size();
}

bool is_sort(std::string_view word) {
  return !word.empty() &&
         std::ranges::all_of(word, [](char each) { return (each >= 'a' && each <= 'z') || each == '-'; });
}

std::string failure(const std::string& path, std::string_view what) {
  return fmt::format("{}: {} ({})", path, what, std::strerror(errno));
}

}  // namespace

std::string Baseline::parse(std::string_view line, const std::string& place) {
  std::string_view rest = line;
  const std::string_view first = take_word(rest);
  if (first.empty() || first.starts_with('#')) return {};
  std::uint64_t fingerprint = 0;
  if (!parse_fingerprint(first, fingerprint))
    return fmt::format("{}: a line begins with a fingerprint of {} hexadecimal digits, or with #", place, digits);
  const std::string_view sort = take_word(rest);
  if (!is_sort(sort))
    return fmt::format("{}: after the fingerprint comes the sort of finding: deadlock, order, misuse", place);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r#"), rest.size()));
  rest = rest.substr(0, rest.find_last_not_of(blanks) + 1);
  lines_[{std::string{sort}, fingerprint}] = {std::string{rest}, place, false};
  return {};
}

std::string Baseline::read(const std::string& path) {
  std::ifstream file{path};
  if (!file) return failure(path, "the baseline cannot be read");
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (std::string why = parse(line, fmt::format("{}:{}", path, number)); !why.empty()) return why;
  }
  return file.bad() ? failure(path, "the baseline cannot be read") : std::string{};
}

bool Baseline::knows(std::string_view sort, std::uint64_t fingerprint) {
  const auto found = lines_.find({std::string{sort}, fingerprint});
  if (found == lines_.end() || found->second.place.empty()) return false;
  found->second.found = true;
  return true;
}

std::vector<std::string> Baseline::stale() const {
  std::vector<std::string> out;
  for (const auto& [key, line] : lines_) {
    if (line.found || line.place.empty() || !looked_for_.contains(key.first)) continue;
    out.push_back(fmt::format("{}: nothing has the fingerprint {:016x} any more ({}{}{})", line.place, key.second,
                              key.first, line.comment.empty() ? "" : ": ", line.comment));
  }
  return out;
}

void Baseline::add(std::string_view sort, std::uint64_t fingerprint, const std::string& comment) {
  lines_.try_emplace({std::string{sort}, fingerprint}, Line{comment, {}, false});
}

/// Beside it first, so that a full disk does not leave half a baseline.
std::string Baseline::write(const std::string& path) const {
  const std::string fresh = path + ".new";
  std::string text = "# Findings that unspool may find and not tell: fingerprint, sort, comment.\n";
  for (const auto& [key, line] : lines_) {
    const bool stays = line.place.empty() || line.found || !looked_for_.contains(key.first);
    if (stays) text += fmt::format("{:016x} {} # {}\n", key.second, key.first, line.comment);
  }
  std::ofstream file{fresh, std::ios::trunc};
  file << text << std::flush;
  const bool written = file.good();
  file.close();
  if (!written) return failure(fresh, "the baseline cannot be written");
  return std::rename(fresh.c_str(), path.c_str()) == 0 ? std::string{}
                                                       : failure(path, "the baseline cannot be written");
}

}  // namespace unspool
