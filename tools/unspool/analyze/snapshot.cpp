// SPDX-License-Identifier: MIT
#include <unspool/analyze/snapshot.hpp>

#include <algorithm>
#include <tuple>

namespace unspool {

void UntilMoment::begin(const Record& record) {
  any_ = true;
  first_ = process_.first_time != 0 ? std::min(process_.first_time, record.time) : record.time;
  at_ = when_.at(process_, first_, last_given_);
}

bool UntilMoment::next(Record& record) {
  if (stopped_) return next_told_late(record);
  if (!source_.next(record)) return false;
  if (!any_) begin(record);
  last_ = std::max(last_, record.time);
  if (record.time > at_) {
    stopped_ = true;
    read_rest(record);
    return next_told_late(record);
  }
  ++passed_;
  if (record.row == nullptr || record.thread == 0) return true;
  threads_[record.thread] = {record.time, record.row, record.site, record.a, 0, false, 0};
  return true;
}

bool UntilMoment::next_told_late(Record& record) {
  if (told_late_.empty()) return false;
  record = told_late_.front();
  told_late_.pop_front();
  record.time = at_;
  return true;
}

void UntilMoment::saw_later(const Record& record) {
  const auto found = threads_.find(record.thread);
  if (found == threads_.end() || found->second.has_next) return;
  Around& around = found->second;
  around.has_next = true;
  around.next = record.time;
  const bool tells_wait = process_.long_wait != 0 && record.row != nullptr && record.row->kind == trace::Kind::status &&
                          record.row->verb == trace::Verb::wait;
  if (tells_wait && record.since <= at_) {
    told_late_.push_back(record);
    told_late_.back().bytes = {};
  }
  const bool loss =
      record.row != nullptr && record.row->kind == trace::Kind::trace && record.row->verb == trace::Verb::loss;
  if (loss) around.lost = record.count;
}

/// From this one on.
void UntilMoment::read_rest(Record& record) {
  do {
    last_ = std::max(last_, record.time);
    saw_later(record);
    record = {};
  } while (source_.next(record));
}

trace::Ticks UntilMoment::moment() const {
  return at_ == ~trace::Ticks{0} ? last_ : at_;
}

trace::Ticks known_until(const UntilMoment& until, const Replay& replay) {
  if (until.stopped()) return until.moment();
  const trace::Ticks alive = std::max(until.last(), replay.last_sign_of_life());
  return until.at_end() ? alive : std::min(until.moment(), alive);
}

std::map<trace::ThreadNumber, std::vector<HeldObject>> held_objects(const Replay& replay) {
  std::map<trace::ThreadNumber, std::vector<HeldObject>> held;
  for (const auto& [number, object] : replay.objects()) {
    if (!object.holders_known()) continue;
    const Tenure& now = object.now();
    for (const Reader& reader : object.readers)
      held[reader.thread].push_back({number, object.kind, reader.site, reader.since, true, true});
    if (!object.readers.empty() || now.holder.tenant != Holder::Tenant::thread) continue;
    held[now.holder.thread].push_back({number, object.kind, now.holder.site, now.from, now.from_known, false});
  }
  for (auto& [thread, objects] : held) {
    std::ranges::sort(objects, [](const HeldObject& a, const HeldObject& b) {
      return std::tie(a.since, a.object) < std::tie(b.since, b.object);
    });
  }
  return held;
}

}  // namespace unspool
