// SPDX-License-Identifier: MIT
//
// The words of TSDL, the language of CTF's metadata. Owns the splitting, not the meaning.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace unspool {

struct Token {
  enum class Is { end, word, number, text, sign };
  Is is = Is::end;
  std::string_view raw;     ///< as it stands; of a text with its quotes
  std::int64_t number = 0;  ///< of a number; what does not fit is the nearest that does

  bool operator==(std::string_view expected) const { return is != Is::text && raw == expected; }
  /// A text without its quotes and escapes.
  std::string unquoted() const;
};

/// Reads token after token. A dotted name is one word: `packet.header`. `:=` is one sign. Anything that is no TSDL
/// becomes a sign of one character: the parser stumbles over it, the tokenizer never does.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : rest_(text) { advance(); }

  const Token& now() const { return now_; }
  Token take();
  /// Takes the token if it is this one.
  bool take(std::string_view expected);
  bool at_end() const { return now_.is == Token::Is::end; }

 private:
  void advance();
  void skip_blanks();
  std::size_t length_of_text() const;

  std::string_view rest_;
  Token now_;
};

}  // namespace unspool
