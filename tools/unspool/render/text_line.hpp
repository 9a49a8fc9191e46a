// SPDX-License-Identifier: MIT
//
// One Record as one line of text for people, as `unspool cat` prints it. Owns the line's layout.
#pragma once

#include <unspool/render/command.hpp>
#include <unspool/render/fields.hpp>
#include <unspool/render/moment.hpp>

#include <string>
#include <string_view>

namespace unspool {

class TextLines {
 public:
  /// Each line begins with `prefix`. The process outlives it.
  TextLines(const Process& process, trace::Ticks start, CatOptions::Time time, std::string prefix);

  /// With the line's end.
  void append(const Record& record, std::string& out);

 private:
  std::string time(trace::Ticks time) const;
  void append_message(const Record& record, std::string& out);
  void append_row(const Record& record, std::string& out);
  std::string value(const trace::Row& row, const trace::Field& field, const trace::Value& value);
  std::string time_value(trace::Ticks time) const;
  std::string span_value(trace::Ticks span) const;

  Labels labels_;
  Moments moments_;
  CatOptions::Time time_;
  std::string prefix_;
  std::size_t thread_width_ = 8;
};

}  // namespace unspool
