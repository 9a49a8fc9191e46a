// SPDX-License-Identifier: MIT
#include <unspool/analyze/clocks.hpp>

#include <algorithm>

namespace unspool {

using trace::Kind;
using trace::Verb;

namespace {

constexpr std::uint32_t most_components = 1024;
constexpr std::size_t most_in_stock = 64;
constexpr std::size_t most_tasks = 65'536;
constexpr std::size_t most_givers = 1024;
constexpr std::size_t most_ended_tasks = 4096;

bool includes(const std::vector<std::uint32_t>& all, const std::vector<std::uint32_t>& some) {
  for (std::size_t i = 0; i < some.size(); ++i) {
    if (some[i] > (i < all.size() ? all[i] : 0)) return false;
  }
  return true;
}

/// What either knows.
Clock joined(const Clock& a, const Clock& b) {
  if (a == b || b == nullptr) return a;
  if (a == nullptr || includes(*b, *a)) return b;
  if (includes(*a, *b)) return a;
  auto both = std::make_shared<std::vector<std::uint32_t>>(std::max(a->size(), b->size()));
  for (std::size_t i = 0; i < both->size(); ++i)
    (*both)[i] = std::max(i < a->size() ? (*a)[i] : 0, i < b->size() ? (*b)[i] : 0);
  return both;
}

/// What both know.
Clock common_of(const Clock& a, const Clock& b) {
  if (a == nullptr || b == nullptr) return nullptr;
  if (a == b || includes(*b, *a)) return a;
  auto both = std::make_shared<std::vector<std::uint32_t>>(std::min(a->size(), b->size()));
  for (std::size_t i = 0; i < both->size(); ++i)
    (*both)[i] = std::min((*a)[i], (*b)[i]);
  return both;
}

}  // namespace

bool Moment::precedes(const Moment& later) const {
  if (component == unknown || later.seen == nullptr || component >= later.seen->size()) return false;
  return (*later.seen)[component] >= epoch;
}

Moment Clocks::mark(trace::ThreadNumber thread) {
  Life& mine = life(thread);
  if (mine.component == Moment::unknown) {
    if (components_ == most_components) {
      ++beyond_;
      return {Moment::unknown, 0, mine.seen};
    }
    mine.component = components_++;
    mine.told = true;
  }
  if (mine.told) {
    ++mine.epoch;
    mine.told = false;
    mine.sent = nullptr;
  }
  return {mine.component, mine.epoch, mine.seen};
}

/// What this thread knows, itself included.
Clock Clocks::send(trace::ThreadNumber thread) {
  const auto found = lives_.find(thread);
  if (found == lives_.end()) return nullptr;
  Life& mine = found->second;
  if (mine.component == Moment::unknown) return mine.seen;
  mine.told = true;
  if (mine.sent != nullptr) return mine.sent;
  auto sent = mine.seen == nullptr ? std::make_shared<std::vector<std::uint32_t>>()
                                   : std::make_shared<std::vector<std::uint32_t>>(*mine.seen);
  if (sent->size() <= mine.component) sent->resize(mine.component + std::size_t{1});
  (*sent)[mine.component] = mine.epoch;
  return mine.sent = std::move(sent);
}

void Clocks::receive(trace::ThreadNumber thread, const Clock& clock) {
  if (clock == nullptr) return;
  Life& mine = life(thread);
  Clock seen = joined(mine.seen, clock);
  if (seen == mine.seen) return;
  mine.seen = std::move(seen);
  mine.sent = nullptr;
}

void Clocks::Stock::put(const Clock& clock) {
  if (mixed || std::ranges::find(clocks, clock) != clocks.end()) return;
  mixed = clock == nullptr || clocks.size() == most_in_stock;
  if (mixed) {
    clocks.clear();
  } else {
    clocks.push_back(clock);
  }
}

Clock Clocks::Stock::common() const {
  if (mixed || clocks.empty()) return nullptr;
  Clock all = clocks.front();
  for (const Clock& each : clocks)
    all = common_of(all, each);
  return all;
}

void Clocks::record(const Record& record) {
  if (record.row == nullptr || record.thread == 0) return;
  switch (record.row->kind) {
    case Kind::thread:
      return thread(record);
    case Kind::event:
      return event(record, objects_[record.object]);
    case Kind::condition:
      return condition(record, objects_[record.object]);
    case Kind::semaphore:
    case Kind::bounded_semaphore:
      return semaphore(record, objects_[record.object]);
    case Kind::barrier:
      return barrier(record, objects_[record.object]);
    case Kind::queue:
      return queue(record, objects_[record.object]);
    case Kind::pool:
      return pool(record, objects_[record.object]);
    default:
      return;
  }
}

/// The object is the thread that is started or joined.
void Clocks::thread(const Record& record) {
  if (!trace::is_thread(record.object)) return;
  const auto other = static_cast<trace::ThreadNumber>(record.object);
  if (other == record.thread) return;
  if (record.row->verb == Verb::start) receive(other, send(record.thread));
  if (record.row->verb == Verb::resume) receive(record.thread, send(other));
}

/// Set by two without a clear in between: either alone would have let the waits go on.
void Clocks::event(const Record& record, Shared& shared) {
  if (record.row->verb == Verb::set) {
    const Clock mine = send(record.thread);
    shared.clock = record.b == 0 ? mine : common_of(shared.clock, mine);
  } else if (record.row->verb == Verb::resume) {
    receive(record.thread, shared.clock);
  }
}

void Clocks::condition(const Record& record, Shared& shared) {
  if (record.row->verb == Verb::notify) {
    shared.clock = send(record.thread);
    shared.notifier = record.thread;
  } else if (record.row->verb == Verb::resume && record.a == shared.notifier) {
    receive(record.thread, shared.clock);
  }
}

/// The first acquire or release tells how many permits it was made with. A release's `count` permits.
void Clocks::semaphore(const Record& record, Shared& shared) {
  const bool gives = record.row->effect == trace::Effect::give;
  if (!gives && record.row->effect != trace::Effect::take) {
    // Whoever finds none before anybody gave or took one shows that there were none.
    if (!shared.known && record.row->effect == trace::Effect::wait) shared.known = shared.began_empty = true;
    return;
  }
  if (!shared.known) {
    shared.known = true;
    shared.began_empty = gives;
  }
  if (!shared.began_empty) return;
  if (shared.given.size() >= most_givers && !shared.given.contains(record.thread)) {
    shared.began_empty = false;
    return;
  }
  std::int64_t& given = shared.given[record.thread];
  given += gives ? std::int64_t{record.a} : -1;
  if (gives) return shared.stock.put(given > 0 ? send(record.thread) : nullptr);
  receive(record.thread, shared.stock.common());
  if (record.b == 0) shared.stock = {};
}

void Clocks::barrier(const Record& record, Shared& shared) {
  switch (record.row->verb) {
    case Verb::block:
      shared.arriving = joined(shared.arriving, send(record.thread));
      return;
    case Verb::trip:
      shared.clock = joined(shared.arriving, send(record.thread));
      shared.arriving = nullptr;
      receive(record.thread, shared.clock);
      return;
    case Verb::resume:
      return receive(record.thread, shared.clock);
    case Verb::abort:
    case Verb::reset:
    case Verb::timeout:
    case Verb::cancel:
      shared.arriving = nullptr;
      return;
    default:
      return;
  }
}

/// `b` is how many items there are afterwards.
void Clocks::queue(const Record& record, Shared& shared) {
  switch (record.row->verb) {
    case Verb::put:
      return shared.stock.put(send(record.thread));
    case Verb::get:
      receive(record.thread, shared.stock.common());
      if (record.b == 0) shared.stock = {};
      return;
    case Verb::done:
      shared.clock = joined(shared.clock, send(record.thread));
      return;
    case Verb::resume:  // all items are done
      return receive(record.thread, shared.clock);
    default:
      return;
  }
}

/// A worker's tasks follow each other by chance: what it did before orders nothing.
void Clocks::pool(const Record& record, Shared& shared) {
  switch (record.row->verb) {
    case Verb::submit:
      if (shared.submitted.size() < most_tasks) shared.submitted[record.a] = send(record.thread);
      return;
    case Verb::begin: {
      Life& mine = life(record.thread);
      const auto found = shared.submitted.find(record.a);
      mine.seen = found == shared.submitted.end() ? nullptr : found->second;
      mine.sent = nullptr;
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
    default:
      return;
  }
}

}  // namespace unspool
