// SPDX-License-Identifier: MIT
//
// The fields of one Record as text for people. Owns no line they stand in.
#pragma once

#include <spool/trace/message.hpp>

#include <unspool/model/model.hpp>
#include <unspool/render/moment.hpp>
#include <unspool/render/names.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace unspool {

using Values = std::vector<trace::Value>;

/// What a Record's `bytes` hold: its row's fields, of a message those behind `site`.
struct RecordFields {
  std::span<const trace::Field> fields;
  Values values;  ///< one a field; text points into the Record's bytes

  explicit RecordFields(const Record& record);
};

/// A message, read.
struct MessageParts {
  trace::Level level = trace::Level::info;
  std::string logger;
  std::string text;

  explicit MessageParts(const Record& record);
};

/// Labels that tell the same in each line, by which one can search: "worker-1(5)", "accounts(lock #17)",
/// "transfer.cpp:31". "-" is nobody, or not known.
class Labels {
 public:
  explicit Labels(const Process& process) : process_(process), names_(process) {}

  std::string thread(trace::ThreadNumber thread) const;
  std::string object(trace::ObjectNumber object, trace::Kind kind) const;
  const std::string& site(trace::SiteNumber site);

 private:
  const Process& process_;
  Names names_;
  std::unordered_map<trace::SiteNumber, std::string> sites_;  ///< made already
};

}  // namespace unspool
