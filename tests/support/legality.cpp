// SPDX-License-Identifier: MIT
#include "support/legality.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace spool::test {
namespace {

using trace::Row;

bool has_sequence(const Row& row) {
  return std::ranges::any_of(row.fields(),
                             [](const trace::Field& field) { return field.means == trace::Means::sequence; });
}

trace::Verbs allowed_after(const Row& row) {
  return row.next.bits != 0 ? row.next : trace::at_rest(row.kind);
}

class Judge {
 public:
  void see(const TappedRecord& record) {
    check_time(record);
    if (record.object == 0) return;
    check_successor(record);
    if (!has_sequence(*record.row)) return;
    if (record.row->advances) {
      advances_[record.object].push_back(record.sequence);
    } else {
      auto& quoted = quotes_[record.object];
      quoted = std::max(quoted, record.sequence);
    }
  }

  std::vector<std::string> finish() {
    for (auto& [object, numbers] : advances_)
      check_gapless(object, numbers);
    for (const auto& [object, quoted] : quotes_) {
      const auto found = advances_.find(object);
      const std::size_t last = found == advances_.end() ? 0 : found->second.size();
      if (quoted > last) complain("object {} is quoted at {}, but ends at {}", object, quoted, last);
    }
    return std::move(found_);
  }

 private:
  template <class... Args>
  void complain(fmt::format_string<Args...> format, Args&&... args) {
    found_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  void check_time(const TappedRecord& record) {
    trace::Ticks& last = times_[record.thread];
    if (record.time < last) {
      complain("thread {}: {} at {} comes after {}", record.thread, record.row->name, record.time, last);
    }
    last = record.time;
  }

  void check_successor(const TappedRecord& record) {
    if (record.kind == trace::Kind::status) return;  // a repetition, not a step
    const auto [found, is_first] = last_.try_emplace({record.thread, record.object}, nullptr);
    const trace::Verbs allowed = is_first ? trace::at_rest(record.kind) : allowed_after(*found->second);
    if (!allowed.has(record.verb)) {
      complain("thread {}, object {}: {} after {}", record.thread, record.object, record.row->name,
               is_first ? "nothing" : found->second->name);
    }
    found->second = record.row;
  }

  void check_gapless(trace::ObjectNumber object, std::vector<trace::Sequence>& numbers) {
    std::ranges::sort(numbers);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] == i + 1) continue;
      complain("object {}: sequence {} where {} was due", object, numbers[i], i + 1);
      return;
    }
  }

  std::map<std::pair<trace::ThreadNumber, trace::ObjectNumber>, const Row*> last_;
  std::map<trace::ThreadNumber, trace::Ticks> times_;
  std::map<trace::ObjectNumber, std::vector<trace::Sequence>> advances_;
  std::map<trace::ObjectNumber, trace::Sequence> quotes_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> violations(const std::vector<TappedRecord>& records) {
  Judge judge;
  for (const TappedRecord& each : records)
    judge.see(each);
  return judge.finish();
}

}  // namespace spool::test
