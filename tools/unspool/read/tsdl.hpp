// SPDX-License-Identifier: MIT
//
// A parser for the part of TSDL that spool writes: typealias, trace, env, clock and event declarations; all others
// are passed over. Owns what is declared, not what the tool makes of it.
#pragma once

#include <spool/trace/ctf.hpp>
#include <spool/trace/metadata.hpp>
#include <spool/trace/schema.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unspool {

/// One field of a Record as the file declares it.
struct Member {
  static constexpr std::uint32_t no_member = ~std::uint32_t{0};
  /// A class has no more: spool's largest row has 8, a message has 2 for each text.
  static constexpr std::size_t most = 256;

  std::string name;
  spool::trace::Type type = spool::trace::Type::u8;  ///< of one element; never `text`
  std::uint8_t size = 1;                             ///< bytes of one element
  std::uint8_t alignment = 1;                        ///< bytes
  std::uint64_t count = 1;                           ///< elements, where `counted_by` is not given
  std::uint32_t counted_by = no_member;              ///< the member before it, a single one, that holds the count
  bool utf8 = false;
  spool::trace::Meaning meaning = {};  ///< what its type's name says
};

/// One event class as declared.
struct Declaration {
  std::string_view text;  ///< all of it, in the metadata's text
  std::string name;
  std::uint64_t id = 0;
  std::uint64_t stream = 0;
  std::optional<std::int64_t> loglevel;
  std::optional<std::string> format;  ///< model.emf.uri
  std::vector<Member> members;
  bool readable = true;  ///< false: a type is not known, so that where its Records end is not known either
};

/// Everything else that metadata says.
struct Declared {
  std::map<std::string, std::string, std::less<>> texts;                        ///< env
  std::map<std::string, std::int64_t, std::less<>> numbers;                     ///< env
  std::string text(std::string_view key) const;                                 ///< of env; else empty
  std::int64_t number(std::string_view key, std::int64_t otherwise = 0) const;  ///< of env

  bool has_trace = false;
  bool little_endian = true;
  spool::trace::Uuid uuid{};
  std::uint64_t frequency = 0;  ///< 0: not declared
  std::int64_t epoch_seconds = 0;
  std::uint64_t epoch_ticks = 0;
  std::uint64_t types = 0;  ///< a digest of the typealiases: equal event declarations mean the same under equal types
  bool whole = true;        ///< false: the text ends in the middle of a declaration; that one is not used
};

/// Reads `text`; `each` gets the event classes one after another, and `declared` as far as it has been read.
Declared parse_tsdl(std::string_view text, const std::function<void(Declaration&&, const Declared&)>& each);

}  // namespace unspool
