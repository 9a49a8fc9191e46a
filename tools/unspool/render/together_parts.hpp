// SPDX-License-Identifier: MIT
//
// Which sections a command has of processes together. And what stands for the Records of all.
#pragma once

#include <unspool/model/source.hpp>

#include <string_view>

namespace unspool {

struct TogetherSections {
  bool locks = false;
  bool joins = false;
  bool waits = false;
  bool deadlocks = false;
  bool order = false;
  bool misuse = false;
};

TogetherSections sections_of(std::string_view command);

/// What is of all processes has no Records of its own.
class NoRecords final : public RecordSource {
 public:
  bool next(Record&) override { return false; }
};

}  // namespace unspool
