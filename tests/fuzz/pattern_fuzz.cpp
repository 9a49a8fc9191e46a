// SPDX-License-Identifier: MIT
//
// Any pattern against any line: up to the first line end the pattern, behind it the line.
#include <unspool/read/text_log.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const std::size_t border = input.find('\n');
  std::string refusal;
  const auto pattern = unspool::Pattern::compile(input.substr(0, border), refusal);
  if (!pattern) {
    if (refusal.empty()) std::abort();
    return 0;
  }
  if (border == std::string_view::npos) return 0;
  unspool::TextLog log{*pattern};
  unspool::Line line;
  const bool good = log.parse(input.substr(border + 1), unspool::Want::texts, line) == unspool::Fault::none;
  if (good && line.row == nullptr) std::abort();
  return 0;
}
