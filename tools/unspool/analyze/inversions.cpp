// SPDX-License-Identifier: MIT
#include <unspool/analyze/fingerprint.hpp>
#include <unspool/analyze/inversions.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>
#include <tuple>

namespace unspool {
namespace {

bool has_no_clock(const Occurrence& by) {
  return std::ranges::any_of(by.moments, [](const Moment& each) { return each.component == Moment::unknown; });
}

/// Two readers of one lock with a writer between them; rather one that stands there at the end.
const WriterCall* writer_between(const Links& links, trace::ObjectNumber lock, const Occurrence& by) {
  const WriterCall* first = nullptr;
  for (const WriterCall& each : links.writers(lock)) {
    const bool may_meet = links.can_be_held_together(by, each.by) && may_overlap(by, each.by);
    if (each.by.thread == by.thread || !may_meet) continue;
    if (each.by.stuck) return &each;
    if (first == nullptr) first = &each;
  }
  return first;
}

}  // namespace

std::string_view name_of(Danger danger) {
  switch (danger) {
    case Danger::inversion:
      return "inversion";
    case Danger::read_again:
      return "read again";
    case Danger::join_under_lock:
      return "join under lock";
    case Danger::task_under_lock:
      return "task under lock";
  }
  return "inversion";
}

void Inversions::finished(const Replay& replay) {
  links_.finish();
  known_ = replay.complete();
  if (!known_) return;
  const Doubts& doubts = replay.doubts();
  records_missing_ = replay.losses() != 0 || process_.lost != 0 || doubts.missing != 0;
  InversionSearch search{links_};
  for (LinkCycle& each : search.run())
    add_cycle(std::move(each));
  cut_ = search.is_cut();
  add_reads_again();
  for (const JoinUnderLock& each : links_.joins())
    add_join(each);
  std::ranges::stable_sort(all_, [](const Inversion& a, const Inversion& b) {
    return std::tuple{a.severity, a.certainty, a.cycle.links.size()} <
           std::tuple{b.severity, b.certainty, b.cycle.links.size()};
  });
}

void Inversions::add(Inversion inversion) {
  const Doubt& doubt = inversion.doubt;
  const bool sure = !doubt.few_threads && !doubt.signal && !doubt.clocks_missing && !records_missing_;
  inversion.doubt.records_missing = records_missing_;
  // As the deadlock of it is told: whoever runs a task is only likely to be the one who ends the wait for it.
  const bool certain = inversion.happened && inversion.danger != Danger::task_under_lock;
  inversion.certainty = certain ? Certainty::certain : sure ? Certainty::likely : Certainty::possible;
  inversion.severity = inversion.limited ? Severity::note : inversion.happened ? Severity::error : Severity::warning;
  inversion.fingerprint = fingerprint(inversion);
  all_.push_back(std::move(inversion));
}

void Inversions::add_cycle(LinkCycle cycle) {
  Inversion inversion;
  inversion.happened = true;
  for (LinkOf& each : cycle.links) {
    each.times = times_of(*each.key, each.by->thread);
    inversion.limited |= each.by->limited;
    inversion.happened &= each.by->stuck;
    inversion.doubt.signal |= links_.is_signal(each.key->outer);
    inversion.doubt.clocks_missing |= has_no_clock(*each.by);
  }
  inversion.doubt.few_threads = cycle.allowed == Allowed::few_threads;
  inversion.cycle = std::move(cycle);
  add(std::move(inversion));
}

/// However it held and waited.
std::uint64_t Inversions::times_of(const LinkKey& key, trace::ThreadNumber thread) const {
  const auto list = links_.all().find(key);
  if (list == links_.all().end()) return 0;
  std::uint64_t times = 0;
  for (const Occurrence& each : list->second)
    times += each.thread == thread ? each.count : 0;
  return times;
}

void Inversions::add_reads_again() {
  for (const auto& [key, list] : links_.all()) {
    if (key.outer != key.inner) continue;
    const Occurrence* first = nullptr;
    const WriterCall* first_writer = nullptr;
    for (const Occurrence& each : list) {
      const WriterCall* const writer = writer_between(links_, key.outer, each);
      const bool happened = writer != nullptr && each.stuck && writer->by.stuck;
      if (writer == nullptr || (first != nullptr && !happened)) continue;
      first = &each;
      first_writer = writer;
      if (happened) break;
    }
    if (first == nullptr) continue;
    Inversion inversion;
    inversion.danger = Danger::read_again;
    inversion.cycle.links.push_back({&key, first, times_of(key, first->thread)});
    inversion.cycle.writers.emplace_back(key.outer, first_writer);
    inversion.limited = first->limited;
    inversion.happened = first->stuck && first_writer->by.stuck;
    add(std::move(inversion));
  }
}

void Inversions::add_join(const JoinUnderLock& join) {
  Inversion inversion;
  inversion.danger = join.task.task == 0 ? Danger::join_under_lock : Danger::task_under_lock;
  inversion.join = join;
  inversion.happened = join.stuck && !join.limited;
  inversion.limited = join.limited;
  inversion.doubt.signal = links_.is_signal(join.lock);
  add(std::move(inversion));
}

std::uint64_t Inversions::fingerprint(const LinkKey& link) const {
  Fingerprint edge;
  edge.add_object(process_, link.outer);
  edge.add_site(process_, link.outer_site);
  edge.add_number(link.outer_shared ? 1 : 0);
  edge.add_object(process_, link.inner);
  edge.add_site(process_, link.inner_site);
  edge.add_number(link.inner_shared ? 1 : 0);
  return edge.value();
}

/// The sum over the links does not depend on where the cycle is entered.
std::uint64_t Inversions::fingerprint(const Inversion& inversion) const {
  std::uint64_t sum = 0;
  for (const LinkOf& each : inversion.cycle.links)
    sum += fingerprint(*each.key);
  Fingerprint whole;
  whole.add(name_of(inversion.danger));
  whole.add_number(inversion.cycle.links.size());
  whole.add_number(sum);
  if (inversion.is_join()) {
    whole.add_object(process_, inversion.join.lock);
    whole.add_site(process_, inversion.join.lock_site);
    whole.add_site(process_, inversion.join.join_site);
    for (const ThreadJoin& each : inversion.join.via)
      whole.add_site(process_, each.site);
    whole.add_site(process_, inversion.join.target_site);
  }
  return whole.value();
}

bool Inversions::concerns(const Inversion& inversion, const Filter& filter) const {
  const auto passes = [&](trace::ThreadNumber thread, trace::ObjectNumber object, trace::Ticks time) {
    const auto defined = process_.objects.find(object);
    const trace::Kind kind = defined == process_.objects.end() ? trace::Kind::lock : defined->second.kind;
    return filter.thread(thread) && filter.object(object, kind) && filter.time(time);
  };
  if (inversion.is_join()) {
    const JoinUnderLock& join = inversion.join;
    return passes(join.joiner, join.lock, join.join_time) || passes(join.target, join.lock, join.join_time) ||
           passes(join.asker, join.lock, join.target_time);
  }
  return std::ranges::any_of(inversion.cycle.links, [&](const LinkOf& link) {
    return passes(link.by->thread, link.key->outer, link.by->time) ||
           passes(link.by->thread, link.key->inner, link.by->time);
  });
}

bool Inversions::any_findings() const {
  return std::ranges::any_of(all_, [](const Inversion& each) { return each.severity != Severity::note; });
}

}  // namespace unspool
