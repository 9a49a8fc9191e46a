// SPDX-License-Identifier: MIT
//
// The keys of docs/lines.md, for both readers of JSON lines. Owns which key is which part of a Line.
#pragma once

#include <unspool/model/model.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace unspool {

enum class JsonKey : std::uint8_t {
  other,
  time,
  level,
  record,
  pid,
  thread,
  thread_name,
  object,
  object_kind,
  object_name,
  seq,
  site,
  file,
  lineno,
  function,
  logger,
  body,
  format,
  arguments,
};

/// JsonKey::other: a field of a single row, or none of ours.
JsonKey json_key(std::string_view name);

/// The table's name of a row's own field: those of definitions differ.
std::string_view schema_name(const trace::Row& row, std::string_view key);

/// What the line before had at a place: mostly this one has the same, and eight bytes at a time are compared.
class ExpectedKey {
 public:
  static constexpr std::size_t longest = 24;

  /// Requires: `longest` bytes at `text` may be read.
  bool is(const char* text) const {
    std::array<std::uint64_t, 3> words;
    std::memcpy(words.data(), text, longest);
    return size_ != 0 && ((words[0] ^ words_[0]) & masks_[0]) == 0 && ((words[1] ^ words_[1]) & masks_[1]) == 0 &&
           ((words[2] ^ words_[2]) & masks_[2]) == 0;
  }
  /// Requires: a closing quote stands behind `name`.
  void set(std::string_view name, JsonKey key);
  std::size_t size() const { return size_; }
  JsonKey key() const { return key_; }

 private:
  std::array<std::uint64_t, 3> words_{};
  std::array<std::uint64_t, 3> masks_{};
  std::uint8_t size_ = 0;  ///< 0: nothing is expected
  JsonKey key_ = JsonKey::other;
};

}  // namespace unspool
