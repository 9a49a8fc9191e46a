// SPDX-License-Identifier: MIT
//
// The name of an object: a literal, which costs nothing, or text made at run time, which is kept for ever.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

namespace spool {

class Name {
 public:
  constexpr Name() = default;

  /// A literal: `Lock accounts{"accounts"}`.
  consteval Name(const char* literal) : text_{literal} {}  // NOLINT(google-explicit-constructor): reads as a literal

  /// A name made at run time; equal ones are kept once, 65,536 different ones (or 4 MiB) at most, after which objects
  /// are recorded without a name and stderr says so once. Thread-safe.
  template <class Text>
  requires std::same_as<std::remove_cvref_t<Text>, std::string> ||
      std::same_as<std::remove_cvref_t<Text>, std::string_view>
      Name(const Text& text) : text_{keep(text)} {}  // NOLINT(google-explicit-constructor)

  /// nullptr: no name.
  constexpr const char* text() const { return text_; }

 private:
  static const char* keep(std::string_view text);

  const char* text_ = nullptr;
};

}  // namespace spool
