// SPDX-License-Identifier: MIT
#include <unspool/read/token.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

namespace unspool {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

template <class Predicate>
std::size_t length_while(std::string_view text, Predicate belongs) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, belongs) - text.begin());
}

std::int64_t number_of(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.starts_with('0')) {
    base = 8;
  }
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const bool too_large = error == std::errc::result_out_of_range || value > static_cast<std::uint64_t>(most);
  const std::int64_t magnitude = too_large ? most : static_cast<std::int64_t>(value);
  return negative ? -magnitude : magnitude;
}

/// Takes "ooo" (up to three octal digits) off the front.
char octal(std::string_view& text) {
  unsigned value = 0;
  for (int i = 0; i < 3 && !text.empty() && text[0] >= '0' && text[0] <= '7'; ++i) {
    value = value * 8 + static_cast<unsigned>(text[0] - '0');
    text.remove_prefix(1);
  }
  return static_cast<char>(value);
}

/// What stands behind a backslash, taken off the front.
char escape(std::string_view& text) {
  if (text[0] >= '0' && text[0] <= '7') return octal(text);
  const char code = text[0];
  text.remove_prefix(1);
  switch (code) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    default:
      return code;
  }
}

}  // namespace

std::string Token::unquoted() const {
  std::string plain;
  std::string_view inside = raw;
  if (inside.starts_with('"')) inside.remove_prefix(1);
  if (inside.ends_with('"')) inside.remove_suffix(1);
  while (!inside.empty()) {
    const char each = inside[0];
    inside.remove_prefix(1);
    plain += each == '\\' && !inside.empty() ? escape(inside) : each;
  }
  return plain;
}

Token Tokens::take() {
  const Token taken = now_;
  advance();
  return taken;
}

bool Tokens::take(std::string_view expected) {
  const bool is_it = now_ == expected;
  if (is_it) advance();
  return is_it;
}

void Tokens::skip_blanks() {
  for (;;) {
    rest_.remove_prefix(length_while(rest_, is_blank));
    std::size_t end = std::string_view::npos;
    if (rest_.starts_with("/*")) {
      end = rest_.find("*/", 2);
      if (end != std::string_view::npos) end += 2;
    } else if (rest_.starts_with("//")) {
      end = rest_.find('\n');
    } else {
      return;
    }
    rest_.remove_prefix(std::min(end, rest_.size()));
  }
}

/// With both quotes; without the second one where the text ends first.
std::size_t Tokens::length_of_text() const {
  for (std::size_t i = 1; i < rest_.size(); ++i) {
    if (rest_[i] == '\\') {
      ++i;
    } else if (rest_[i] == '"') {
      return i + 1;
    }
  }
  return rest_.size();
}

void Tokens::advance() {
  skip_blanks();
  now_ = {};
  if (rest_.empty()) return;
  std::size_t length = 1;
  const bool negative = rest_.size() > 1 && rest_[0] == '-' && is_digit(rest_[1]);
  if (is_letter(rest_[0])) {
    now_.is = Token::Is::word;
    length = length_while(rest_, [](char c) { return is_letter(c) || is_digit(c) || c == '.'; });
  } else if (is_digit(rest_[0]) || negative) {
    now_.is = Token::Is::number;
    length = 1 + length_while(rest_.substr(1), [](char c) { return is_letter(c) || is_digit(c); });
    now_.number = number_of(rest_.substr(0, length));
  } else if (rest_[0] == '"') {
    now_.is = Token::Is::text;
    length = length_of_text();
  } else {
    now_.is = Token::Is::sign;
    length = rest_.starts_with(":=") ? 2 : 1;
  }
  now_.raw = rest_.substr(0, length);
  rest_.remove_prefix(length);
}

}  // namespace unspool
