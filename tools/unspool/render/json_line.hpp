// SPDX-License-Identifier: MIT
//
// One Record as one JSON object: numbers as in the file under the schema's field names, and what they stand for
// beside them. docs/json.md describes it.
#pragma once

#include <nlohmann/json.hpp>
#include <unspool/render/fields.hpp>
#include <unspool/render/moment.hpp>

#include <string>

namespace unspool {

class JsonLines {
 public:
  JsonLines(const Process& process, trace::Ticks start) : process_(process), moments_(process, start) {}

  /// With the line's end.
  void append(const Record& record, std::string& out) const;

 private:
  using Json = nlohmann::ordered_json;
  void add_message(const Record& record, Json& line) const;
  void add_row(const Record& record, Json& line) const;
  void add_resolved(const trace::Row& row, const trace::Field& field, std::uint64_t number, Json& line) const;
  std::string place(const Place& at) const;
  Json thread_name(trace::ThreadNumber thread) const;
  Json site(trace::SiteNumber site) const;

  const Process& process_;
  Moments moments_;
};

}  // namespace unspool
