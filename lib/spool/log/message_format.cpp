// SPDX-License-Identifier: MIT
#include <spool/log/message_format.hpp>

#include <fmt/format.h>

#include <iterator>
#include <type_traits>
#include <variant>

namespace spool::log {
namespace {

template <class T>
void append_whole(T number, std::string& out) {
  const fmt::format_int digits{number};
  out.append(digits.data(), digits.size());
}

void append_value(const trace::Value& value, std::string& out) {
  // The usual ones first: a visit is an indirect call.
  if (const auto* number = std::get_if<std::int64_t>(&value)) return append_whole(*number, out);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return append_whole(*number, out);
  std::visit(
      [&](const auto& each) {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, std::string_view>) {
          out += each;
        } else if constexpr (std::is_same_v<T, bool>) {
          out += each ? "true" : "false";
        } else if constexpr (std::is_floating_point_v<T>) {
          fmt::format_to(std::back_inserter(out), "{}", each);
        }
      },
      value);
}

}  // namespace

MessageFormat::MessageFormat(const trace::MessageClass& message) : message_{&message} {
  if (!take_apart(message)) pieces_.clear();
}

/// A replacement field: the next argument, or the one with this name. False: something else.
bool MessageFormat::add(std::string_view name, const trace::MessageClass& message, std::string& text,
                        std::size_t& next) {
  std::size_t which = name.empty() ? next++ : 0;
  if (!name.empty()) {
    while (which < message.arguments.size() && message.arguments[which].name != name)
      ++which;
  }
  // Characters, addresses and durations are numbers that only fmt's own formatters show.
  if (which >= message.arguments.size() || message.arguments[which].means != trace::Means::value) return false;
  pieces_.push_back({std::move(text), which});
  text.clear();
  return true;
}

bool MessageFormat::take_apart(const trace::MessageClass& message) {
  const std::string_view format = message.format;
  std::string text;
  std::size_t next = 0;
  for (std::size_t i = 0; i < format.size(); ++i) {
    const char each = format[i];
    if (each != '{' && each != '}') {
      text += each;
    } else if (i + 1 < format.size() && format[i + 1] == each) {
      text += each;
      ++i;
    } else {
      const std::size_t end = format.find('}', i);
      if (each == '}' || end == std::string_view::npos) return false;
      if (!add(format.substr(i + 1, end - i - 1), message, text, next)) return false;
      i = end;
    }
  }
  pieces_.push_back({std::move(text), no_value});
  return true;
}

void MessageFormat::append(std::span<const trace::Value> arguments, std::string& out) const {
  if (pieces_.empty()) {
    out += trace::message_text(message_->format, message_->arguments, arguments);
    return;
  }
  for (const Piece& piece : pieces_) {
    out += piece.text;
    if (piece.argument < arguments.size()) append_value(arguments[piece.argument], out);
  }
}

}  // namespace spool::log
