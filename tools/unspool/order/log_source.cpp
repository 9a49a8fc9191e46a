// SPDX-License-Identifier: MIT
#include <unspool/model/damage.hpp>
#include <unspool/order/log_source.hpp>

#include <algorithm>
#include <limits>

namespace unspool {

LogSource::LogSource(const Logs& logs, LogProcess& process, bool definitions, bool texts)
    : logs_{logs},
      log_{process},
      definitions_{definitions},
      want_{texts ? Want::texts : Want::record},
      order_{patience(process.process.frequency, has_gaps(process.process))} {}

bool LogSource::has_gaps(const Process& process) {
  return process.cut || has_damage(process);
}

bool LogSource::shows_damage() const {
  return lacks_records(log_.process);
}

bool LogSource::next(Record& record) {
  for (;;) {
    if (!has_current_ && !finished_) has_current_ = read();
    const trace::Ticks until = has_current_ ? current_.record.time : std::numeric_limits<trace::Ticks>::max();
    if (const HeldRecord* taken = order_.take(until)) {
      record = taken->record;
      return true;
    }
    if (!has_current_) return false;
    has_current_ = false;
    if (!order_.offer(current_)) continue;
    record = current_.record;
    return true;
  }
}

/// The earliest line of all parts into `current_`.
bool LogSource::read() {
  open_due();
  if (open_.empty()) {
    finish();
    return false;
  }
  const auto first = std::ranges::min_element(open_, {}, [](const Open& each) { return each.line.time; });
  current_.assign(first->line, first->place);
  const trace::Row& row = *current_.record.row;
  if (row.kind == trace::Kind::trace && row.verb == trace::Verb::end) log_.process.orderly_end = true;
  if (row.kind == trace::Kind::trace && row.verb == trace::Verb::loss)
    log_.process.lost = saturated(log_.process.lost, current_.record.count);
  if (!first->reader->next(first->line, first->place)) open_.erase(first);
  return true;
}

/// Parts whose first line may be the next one. A log that was rotated has one open at a time.
void LogSource::open_due() {
  while (next_part_ < log_.parts.size()) {
    const LogPart& part = log_.parts[next_part_];
    const bool due = std::ranges::none_of(open_, [&](const Open& each) { return each.line.time < part.first_time; });
    if (!due) return;
    Open opened;
    opened.reader = std::make_unique<LogPartReader>(logs_, log_, part, want_, definitions_);
    opened.part = next_part_++;
    if (opened.reader->next(opened.line, opened.place)) open_.push_back(std::move(opened));
  }
}

void LogSource::finish() {
  if (std::exchange(finished_, true)) return;
  for (const auto& [file, faults] : log_.faults)
    faults.tell(logs_.files()[file]->name, log_.problems);
  logs_.progress().clear();
}

}  // namespace unspool
