// SPDX-License-Identifier: MIT
//
// The keys of docs/lines.md, for both readers of JSON lines. Owns which key is which part of a Line.
#pragma once

#include <unspool/model/model.hpp>

#include <cstdint>
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

}  // namespace unspool
