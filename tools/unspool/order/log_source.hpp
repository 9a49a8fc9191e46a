// SPDX-License-Identifier: MIT
//
// The Records of one process, from its log lines: its files in the order of their times, the Records in the order of
// their sequence numbers.
#pragma once

#include <unspool/model/source.hpp>
#include <unspool/order/straighten.hpp>
#include <unspool/read/logs.hpp>

#include <memory>
#include <vector>

namespace unspool {

class LogSource final : public RecordSource {
 public:
  /// `texts`: messages get their text and arguments too, which only printing needs. Both outlive it.
  LogSource(const Logs& logs, LogProcess& process, bool definitions, bool texts);

  bool next(Record& record) override;
  bool shows_damage() const override;

 private:
  /// A part that has been begun.
  struct Open {
    std::unique_ptr<LogPartReader> reader;
    std::size_t part = 0;
    Line line;
    Place place;
  };

  bool read();
  void open_due();
  void finish();
  static bool has_gaps(const Process& process);

  const Logs& logs_;
  LogProcess& log_;
  const bool definitions_;
  const Want want_;
  std::size_t next_part_ = 0;
  std::vector<Open> open_;  ///< one after another where a log was rotated; at once where files overlap
  Straighten order_;
  HeldRecord current_;
  bool has_current_ = false;
  bool finished_ = false;
};

}  // namespace unspool
