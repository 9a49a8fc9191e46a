// SPDX-License-Identifier: MIT
//
// What each primitive's Records hand over.
#include <unspool/analyze/clocks.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace unspool {

using trace::Effect;
using trace::Kind;
using trace::Verb;

namespace {

constexpr std::size_t most_tasks = 65'536;
constexpr std::size_t most_ended_tasks = 4096;
constexpr std::size_t most_generations = 16;
constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max() / 2;

/// What a Queue's or a pool's wait is for, as its Record's `what` says.
constexpr std::uint32_t to_put = 0;
constexpr std::uint32_t to_join = 2;

}  // namespace

bool Clocks::concerns(const trace::Row& row) {
  switch (row.kind) {
    case Kind::thread:
    case Kind::event:
    case Kind::condition:
    case Kind::semaphore:
    case Kind::bounded_semaphore:
    case Kind::barrier:
    case Kind::queue:
    case Kind::pool:
    case Kind::timer:
      return true;
    default:
      return false;
  }
}

bool Clocks::hands_over(const trace::Row& row) {
  switch (row.verb) {
    case Verb::start:
    case Verb::set:
    case Verb::notify:
    case Verb::trip:
    case Verb::abort:
    case Verb::reset:
    case Verb::put:
    case Verb::get:
    case Verb::done:
    case Verb::shutdown:
    case Verb::submit:
      return true;
    case Verb::release:
      return row.effect == Effect::give;
    case Verb::block:
      return row.kind == Kind::barrier;
    case Verb::end:
      return row.kind == Kind::pool;
    default:
      return false;
  }
}

void Clocks::record(const Record& record) {
  if (record.row == nullptr || record.thread == 0 || !concerns(*record.row)) return;
  if (record.row->kind == Kind::thread) return thread(record);
  Shared& shared = objects_[record.object];
  if (record.row->advances) shared.has_gaps |= record.seq != std::exchange(shared.last, record.seq) + 1;
  if (record.row->effect == Effect::wait) life(record.thread).block = {record.object, record.seq, record.a, record.b};
  object(record, shared, record.row->effect == Effect::wait ? Block{} : end_block(record));
}

/// The wait that this Record ends; its object is 0 if there is none.
Clocks::Block Clocks::end_block(const Record& record) {
  const auto found = lives_.find(record.thread);
  if (found == lives_.end()) return {};
  const Block block = std::exchange(found->second.block, Block{});
  return block.object == record.object ? block : Block{};
}

void Clocks::object(const Record& record, Shared& shared, const Block& block) {
  switch (record.row->kind) {
    case Kind::event:
      return event(record, shared, block);
    case Kind::condition:
      return condition(record, shared, block);
    case Kind::barrier:
      return barrier(record, shared, block);
    case Kind::queue:
      return queue(record, shared, block);
    case Kind::pool:
      return pool(record, shared);
    case Kind::timer:
      return timer(record, shared);
    default:
      return semaphore(record, shared);
  }
}

bool Clocks::is_in_order(trace::ThreadNumber thread) const {
  const auto found = lives_.find(thread);
  return found == lives_.end() || !found->second.runs_tasks;
}

/// The object is the thread that is started or joined.
void Clocks::thread(const Record& record) {
  if (!trace::is_thread(record.object)) return;
  const auto other = static_cast<trace::ThreadNumber>(record.object);
  if (record.row->verb == Verb::end) return end(other);
  if (other == record.thread) return;
  if (record.row->verb == Verb::start) receive(other, send(record.thread));
  if (record.row->verb == Verb::resume) receive(record.thread, send(other));
}

/// Set by two without a clear in between: either alone would have let the waits go on.
void Clocks::event(const Record& record, Shared& shared, const Block& block) {
  if (record.row->verb == Verb::set) {
    const Clock mine = send(record.thread);
    Release* const before = shared.releases.newest();
    if (record.b == 0 || before == nullptr) {
      shared.releases.add({record.seq, record.thread, 0, record.b == 0 ? mine : nullptr});
    } else {
      before->clock = common_of(before->clock, mine);
    }
  } else if (record.row->verb == Verb::resume) {
    const Releases& all = shared.releases;
    const Release* const by = block.object != 0 ? all.first_after(block.quoted) : all.last_until(record.seq);
    if (by != nullptr) receive(record.thread, by->clock);
  }
}

/// Which of its waker's notifies woke it is not known: the first one that may have.
void Clocks::condition(const Record& record, Shared& shared, const Block& block) {
  if (record.row->verb == Verb::notify) {
    const bool wakes = record.a != 0;
    if (wakes) shared.releases.add({record.seq, record.thread, 0, send(record.thread)});
  } else if (record.row->verb == Verb::resume && block.object != 0) {
    const Release* const by = shared.releases.first_after(block.quoted, record.a);
    if (by != nullptr) receive(record.thread, by->clock);
  }
}

/// The first acquire tells how many permits it was made with: it says how many it left.
void Clocks::semaphore(const Record& record, Shared& shared) {
  const bool gives = record.row->effect == Effect::give;
  if ((!gives && record.row->effect != Effect::take) || shared.has_gaps) return;
  Account& permits = shared.account;
  const bool in_order = is_in_order(record.thread);
  if (gives) {
    const Clock mine = send(record.thread);
    permits.give(record.thread, record.a, mine, in_order);
    return shared.stock.put(permits.balance(record.thread) > 0 ? mine : nullptr);
  }
  if (shared.at_first < 0) shared.at_first = std::int64_t{record.b} + 1 - static_cast<std::int64_t>(permits.given());
  if (shared.at_first < 0) shared.has_gaps = true;
  const Account::Taken taken = permits.take(record.thread, shared.at_first, in_order);
  if (shared.has_gaps || permits.is_crowded()) return;
  if (taken.from_one) {
    receive(record.thread, taken.clock);
  } else if (shared.at_first == 0) {
    receive(record.thread, shared.stock.common());
  }
  if (record.b == 0) shared.stock = {};
}

/// Where its action runs others may come for the next generation already.
void Clocks::barrier(const Record& record, Shared& shared, const Block& block) {
  auto& arriving = shared.arriving;
  switch (record.row->verb) {
    case Verb::block: {
      if (arriving.size() == most_generations && !arriving.contains(record.b)) return;
      Clock& all = arriving[record.b];
      all = joined(all, send(record.thread));
      return;
    }
    case Verb::begin: {  // the action, after all arrivals
      const auto others = arriving.find(record.b);
      return receive(record.thread, others == arriving.end() ? nullptr : others->second);
    }
    case Verb::trip: {
      const auto mine = arriving.find(record.b);
      const Clock clock = joined(mine == arriving.end() ? nullptr : mine->second, send(record.thread));
      arriving.erase(arriving.begin(), arriving.upper_bound(record.b));
      shared.releases.add({record.seq, record.thread, record.b, clock});
      return receive(record.thread, clock);
    }
    case Verb::resume: {
      const Release* const by = shared.releases.at(record.seq);
      const bool is_its_own = by != nullptr && block.object != 0 && by->generation == block.b;
      return receive(record.thread, is_its_own ? by->clock : nullptr);
    }
    default:
      return breach(record, shared);
  }
}

/// Who times out or is stopped breaks it too, but which of them does is chance.
void Clocks::breach(const Record& record, Shared& shared) {
  const Verb verb = record.row->verb;
  if (verb == Verb::broken) {
    const Release& breach = shared.breach;
    const bool is_by_it = record.a == breach.by && static_cast<std::int32_t>(record.seq - breach.seq) >= 0;
    return receive(record.thread, is_by_it ? breach.clock : nullptr);
  }
  if (verb != Verb::abort && verb != Verb::reset && verb != Verb::timeout && verb != Verb::cancel) return;
  const bool is_chosen = verb == Verb::abort || verb == Verb::reset;
  Clock mine = is_chosen ? send(record.thread) : nullptr;
  const bool by_action = verb == Verb::abort && record.b != 0;
  if (by_action && !shared.arriving.empty()) mine = joined(shared.arriving.begin()->second, mine);
  shared.arriving.clear();
  if (verb != Verb::reset && std::exchange(shared.is_broken, true)) {
    shared.breach.clock = common_of(shared.breach.clock, mine);
    return;
  }
  if (verb == Verb::reset) shared.is_broken = false;
  shared.breach = {record.seq, record.thread, 0, mine};
}

/// `b` is how many items there are afterwards.
void Clocks::queue(const Record& record, Shared& shared, const Block& block) {
  const Verb verb = record.row->verb;
  const bool told_full = verb == Verb::block || verb == Verb::busy || verb == Verb::timeout;
  if (told_full && record.a == to_put) shared.was_full = true;
  switch (verb) {
    case Verb::put:
      room(record, shared);
      return shared.stock.put(send(record.thread));
    case Verb::get:
      receive(record.thread, shared.stock.common());
      if (record.b == 0) shared.stock = {};
      return room(record, shared);
    case Verb::done:
      return done(record, shared);
    case Verb::shutdown:
      shared.has_dropped |= record.a != 0;
      if (record.a != 0) shared.releases.add({record.seq, record.thread, 0, nullptr});
      return close(record, shared);
    case Verb::closed:
      return close(record, shared);
    case Verb::resume: {  // all items are done
      const Releases& all = shared.releases;
      if (block.object != 0 && block.a != to_join) return;
      const Release* const by = block.object != 0 ? all.first_after(block.quoted) : all.last_until(record.seq);
      return receive(record.thread, by == nullptr ? nullptr : by->clock);
    }
    default:
      return;
  }
}

/// Room is taken by a put, and given by a get. Who finds none shows how much there was: as many as there ever were
/// items.
void Clocks::room(const Record& record, Shared& shared) {
  const bool in_order = is_in_order(record.thread);
  const bool is_known = shared.was_full && !shared.has_gaps;
  if (record.row->verb == Verb::get) {
    return shared.account.give(record.thread, 1, is_known ? send(record.thread) : nullptr, in_order);
  }
  shared.largest = std::max(shared.largest, record.b);
  const std::int64_t at_first = is_known ? std::int64_t{shared.largest} : unlimited;
  receive(record.thread, shared.account.take(record.thread, at_first, in_order).clock);
}

/// Where items were dropped nobody knows who would have been done with them.
void Clocks::done(const Record& record, Shared& shared) {
  shared.clock = shared.has_dropped ? nullptr : joined(shared.clock, send(record.thread));
  if (record.a == 0) shared.releases.add({record.seq, record.thread, 0, shared.clock});
}

/// Of several who shut it down each would have been enough.
void Clocks::close(const Record& record, Shared& shared) {
  if (record.row->verb == Verb::closed) return receive(record.thread, shared.closing);
  const Clock mine = send(record.thread);
  shared.closing = std::exchange(shared.was_closed, true) ? common_of(shared.closing, mine) : mine;
}

/// A worker's tasks follow each other by chance: what it did before orders nothing.
void Clocks::pool(const Record& record, Shared& shared) {
  switch (record.row->verb) {
    case Verb::submit:
      if (shared.submitted.size() < most_tasks) shared.submitted[record.a] = send(record.thread);
      return;
    case Verb::begin: {
      Life& mine = life(record.thread);
      if (mine.inherited) leave_chain(mine);
      const auto found = shared.submitted.find(record.a);
      mine.seen = found == shared.submitted.end() ? nullptr : found->second;
      mine.sent = nullptr;
      mine.runs_tasks = mine.other_task = true;
      if (found != shared.submitted.end()) shared.submitted.erase(found);
      return;
    }
    case Verb::end:
      shared.ended[record.a] = send(record.thread);
      shared.clock = joined(shared.clock, shared.ended[record.a]);
      shared.ended_order.push_back(record.a);
      if (shared.ended_order.size() > most_ended_tasks) {
        shared.ended.erase(shared.ended_order.front());
        shared.ended_order.pop_front();
      }
      return;
    case Verb::drop:
      shared.submitted.erase(record.a);
      return;
    case Verb::resume:  // a task's result, or all of them
      if (record.b == 0) return receive(record.thread, shared.clock);
      if (const auto found = shared.ended.find(record.b); found != shared.ended.end())
        receive(record.thread, found->second);
      return;
    case Verb::shutdown:
    case Verb::closed:
      return close(record, shared);
    default:
      return;
  }
}

/// Its thread goes on early; by whom, no Record says where it was stopped through its token.
void Clocks::timer(const Record& record, Shared& shared) {
  if (record.row->verb == Verb::abort) shared.clock = send(record.thread);
  if (record.row->verb == Verb::cancel && record.a != 0) receive(record.thread, shared.clock);
}

}  // namespace unspool
