// SPDX-License-Identifier: MIT
//
// A message site's format string, taken apart once: most have only "{}", which needs no parsing at each Record.
#pragma once

#include <spool/trace/message.hpp>
#include <spool/trace/metadata.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spool::log {

/// Refers to the message class, which must outlive it.
class MessageFormat {
 public:
  MessageFormat() = default;
  explicit MessageFormat(const trace::MessageClass& message);

  /// What trace::message_text makes of the same.
  void append(std::span<const trace::Value> arguments, std::string& out) const;

 private:
  struct Piece {
    std::string text;                 ///< as it is, then
    std::size_t argument = no_value;  ///< this one
  };
  static constexpr std::size_t no_value = ~std::size_t{0};
  bool add(std::string_view name, const trace::MessageClass& message, std::string& text, std::size_t& next);
  bool take_apart(const trace::MessageClass& message);

  const trace::MessageClass* message_ = nullptr;
  std::vector<Piece> pieces_;  ///< empty: only fmt itself can
};

}  // namespace spool::log
