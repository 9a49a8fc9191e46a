// SPDX-License-Identifier: MIT
#include <unspool/analyze/legality.hpp>
#include <unspool/model/damage.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

namespace unspool {
namespace {

using trace::Effect;
using trace::Kind;
using trace::Verb;

bool ends_a_wait_well(Effect effect) {
  return effect == Effect::acquire || effect == Effect::resume || effect == Effect::share || effect == Effect::take;
}

bool has_sequence(const Record& record) {
  return record.object != 0 && field_means(*record.row, 1, trace::Means::sequence);
}

}  // namespace

std::string_view name_of(Rule rule) {
  constexpr std::array<std::string_view, rule_count> names{"time",  "defined", "step",  "sequence",
                                                           "quote", "holder",  "waker", "count"};
  return names[static_cast<std::size_t>(rule)];
}

Legality::Legality(const Process& process, RecordSource& source, Filter filter)
    : process_{process}, source_{source}, filter_{std::move(filter)}, damaged_{lacks_records(process)} {}

bool Legality::next(Record& record) {
  if (source_.next(record)) {
    damaged_ = damaged_ || source_.shows_damage();
    judge(record);
    return true;
  }
  damaged_ = damaged_ || lacks_records(process_);
  finish();
  return false;
}

std::uint64_t Legality::all() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

/// All Records from the beginning are there. Damage and losses show while the Records are read.
bool Legality::is_whole() const {
  return !process_.cut && !damaged_ && losses_ == 0 && process_.parent_pid == 0 && process_.mode == trace::Mode::all &&
         !process_.mode_changed && !process_.own_modes;
}

Violation& Legality::complain(Rule rule, const Record& record) {
  if (!filter_.passes(record)) return unused_;
  ++counts_[static_cast<std::size_t>(rule)];
  if (violations_.size() == most_kept) return unused_;
  const auto found = process_.objects.find(record.object);
  const Kind kind = trace::is_thread(record.object)   ? Kind::thread
                    : found != process_.objects.end() ? found->second.kind
                                                      : record.row->kind;
  return violations_.emplace_back(
      Violation{rule, record.row, record.place, record.time, record.thread, record.object, kind, nullptr, 0, 0, 0, {}});
}

void Legality::judge(const Record& record) {
  if (record.row == nullptr || record.row->kind == Kind::definition) return;
  if (filter_.passes(record)) ++judged_;
  judge_time(record);
  judge_names(record);
  if (record.row->kind == Kind::trace && record.row->verb == Verb::loss) ++losses_;
  if (record.row->kind == Kind::status || !has_sequence(record)) return;
  ObjectState& object = objects_[record.object];
  judge_step(record, object);
  judge_sequence(record, object);
  judge_holder(record, object);
  judge_rlock(record, object);
  judge_semaphore(record, object);
  if (record.row->verb == Verb::destroy) object.destroyed = true;
}

void Legality::judge_time(const Record& record) {
  trace::Ticks& last = times_[record.thread];
  if (record.time < last) {
    Violation& violation = complain(Rule::time, record);
    violation.found = record.time;
    violation.due = last;
  }
  last = std::max(last, record.time);
}

void Legality::judge_names(const Record& record) {
  const auto judge = [&](bool defined, std::uint64_t number) {
    if (number != 0 && !defined) complain(Rule::defined, record).found = number;
  };
  judge(process_.threads.contains(record.thread), record.thread);
  judge(process_.sites.contains(record.site), record.site);
  const bool is_thread = trace::is_thread(record.object);
  judge(is_thread ? process_.threads.contains(static_cast<trace::ThreadNumber>(record.object))
                  : process_.objects.contains(record.object),
        record.object);
  if (!is_whole() || record.row->kind == Kind::message) return;
  judge(process_.threads.contains(other_thread(record)), other_thread(record));
  judge(process_.sites.contains(other_site(record)), other_site(record));
}

void Legality::judge_step(const Record& record, ObjectState& object) {
  const trace::Row& row = *record.row;
  const Step step{record.thread, record.object};
  const auto waiting = waits_.find(step);
  const trace::Row* before = waiting == waits_.end() ? nullptr : waiting->second.row;
  // Where segments between are gone, the end of the wait may be, too.
  if (process_.cut && before != nullptr && record.place.segment > waiting->second.segment + 1) before = nullptr;
  const bool fits = before != nullptr ? before->next.has(row.verb)
                    : is_whole()      ? trace::at_rest(row.kind).has(row.verb) && !object.destroyed
                                      : true;
  if (!fits) complain(Rule::step, record).after = before;
  if (before != nullptr && ends_a_wait_well(row.effect)) judge_waker(record, *before);
  if (row.effect == Effect::wait) {
    waits_[step] = {&row, record.place.segment};
  } else if (waiting != waits_.end()) {
    waits_.erase(waiting);
  }
}

void Legality::judge_waker(const Record& record, const trace::Row& before) {
  if (record.row->kind == Kind::timer) return;  // time itself ends it
  const bool names_one =
      field_means(*record.row, 2, trace::Means::thread) && record.row->field_array[2].name == "waker";
  if (names_one && record.a == 0 && is_whole()) complain(Rule::waker, record).after = &before;
}

void Legality::judge_sequence(const Record& record, ObjectState& object) {
  const auto ahead = static_cast<std::int32_t>(record.seq - object.last);
  if (!record.row->advances) {
    if (ahead > 0 && is_whole()) {
      Violation& violation = complain(Rule::quote, record);
      violation.found = record.seq;
      violation.due = object.last;
    }
    return;
  }
  const bool begins = !object.sequence_known && !is_whole();
  // Where Records are missing, one that was waited for in vain can come after those behind it.
  if (!begins && ahead != 1 && (ahead == 0 || is_whole())) {
    Violation& violation = complain(Rule::sequence, record);
    violation.found = record.seq;
    violation.due = object.last + 1;
    if (ahead > 1) gap_numbers_ += static_cast<std::uint64_t>(ahead) - 1;
  }
  if (ahead > 1) {
    object.holders_known = object.value_known = false;
    object.readers = object.depth = 0;
  }
  if (ahead > 0 || begins) object.last = record.seq;
  object.sequence_known = true;
}

void Legality::judge_holder(const Record& record, ObjectState& object) {
  object.holders_known |= record.seq == 1;
  const bool known = object.holders_known && is_whole();
  const auto complain_of = [&](trace::ThreadNumber holder) {
    if (known) complain(Rule::holder, record).holder = holder;
  };
  switch (record.row->effect) {
    case Effect::acquire:
      if (object.owner != 0 || object.readers != 0) complain_of(object.owner);
      object.owner = record.thread;
      object.readers = 0;
      object.holders_known = true;
      break;
    case Effect::release:
      if (object.owner == 0) complain_of(0);
      if (known && object.owner != 0 && record.b != 0) expect(record, 3, record.b, object.owner);
      object.owner = 0;
      object.holders_known = true;
      break;
    case Effect::share:
      if (object.owner != 0) complain_of(object.owner);
      object.owner = 0;
      ++object.readers;
      if (known) expect(record, 3, record.b, object.readers);
      break;
    case Effect::unshare:
      if (object.readers == 0) complain_of(object.owner);
      if (object.readers != 0) --object.readers;
      if (known) expect(record, 3, record.b, object.readers);
      break;
    default:
      break;
  }
}

/// Its owner enters and leaves; whoever waits for its Condition gives all of it up, and gets as much again.
void Legality::judge_rlock(const Record& record, ObjectState& object) {
  const trace::Row& row = *record.row;
  if (row.kind == Kind::condition && row.effect == Effect::wait) {
    const auto defined = process_.objects.find(record.object);
    depths_[record.thread] = {defined == process_.objects.end() ? 0 : defined->second.parent, record.b};
  }
  if (row.kind != Kind::rlock) return;
  if (row.effect == Effect::acquire) {
    const auto given_up = depths_.find(record.thread);
    const bool comes_back = given_up != depths_.end() && given_up->second.lock == record.object;
    object.depth = comes_back ? given_up->second.depth : 1;
    if (comes_back) depths_.erase(given_up);
  }
  if (row.verb != Verb::enter && row.verb != Verb::leave) return;
  if (object.holders_known && is_whole()) {
    if (object.owner != record.thread) complain(Rule::holder, record).holder = object.owner;
    if (object.depth != 0) expect(record, 2, record.a, row.verb == Verb::enter ? object.depth + 1 : object.depth - 1);
  }
  object.depth = record.a;
}

/// Permits are handed over one by one, in the order of the numbers: whoever waited takes one of those that were given,
/// too.
void Legality::judge_semaphore(const Record& record, ObjectState& object) {
  const trace::Row& row = *record.row;
  if (row.effect == Effect::take) {
    if (object.value_known && is_whole()) expect(record, 3, record.b, object.value - 1);
    object.value = record.b;
    object.value_known = true;
  } else if (row.effect == Effect::give) {
    object.value += record.a;
  }
}

/// Where Records are missing that may be what makes the difference.
void Legality::expect(const Record& record, std::size_t field, std::uint64_t found, std::uint64_t due) {
  if (found == due) return;
  Violation& violation = complain(Rule::count, record);
  violation.field = record.row->field_array[field].name;
  violation.of_threads = field_means(*record.row, field, trace::Means::thread);
  violation.found = found;
  violation.due = due;
}

void Legality::finish() {
  if (std::exchange(finished_, true)) return;
  // A thread that is killed between taking a number and writing the Record leaves it to nobody; others may have seen
  // it.
  const auto is_missing = [](const Violation& each) {
    return each.rule == Rule::quote || (each.rule == Rule::sequence && each.found > each.due);
  };
  std::uint64_t& gaps = counts_[static_cast<std::size_t>(Rule::sequence)];
  std::uint64_t& quotes = counts_[static_cast<std::size_t>(Rule::quote)];
  const auto kept = static_cast<std::uint64_t>(std::ranges::count_if(violations_, is_missing));
  const std::uint64_t missing = gap_numbers_ + only_quoted();
  if (process_.orderly_end || gaps + quotes != kept || missing > times_.size()) return;
  unwritten_ = missing;
  gaps = quotes = gap_numbers_ = 0;
  std::erase_if(violations_, is_missing);
}

/// Numbers that were taken and seen, after which none of their object was written.
std::uint64_t Legality::only_quoted() const {
  std::unordered_map<trace::ObjectNumber, std::uint64_t> latest;
  for (const Violation& each : violations_) {
    if (each.rule == Rule::quote) latest[each.object] = std::max(latest[each.object], each.found);
  }
  std::uint64_t sum = 0;
  for (const auto& [object, number] : latest)
    sum += number - std::min<std::uint64_t>(number, objects_.at(object).last);
  return sum;
}

}  // namespace unspool
