// SPDX-License-Identifier: MIT
#include <unspool/order/align.hpp>
#include <unspool/read/cursor.hpp>

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

namespace unspool {
namespace {

using trace::Effect;
using trace::Kind;
using trace::Verb;

constexpr std::size_t first_look = std::size_t{64} * 1024;     // Records of all threads
constexpr std::size_t second_look = std::size_t{1024} * 1024;  // where the first one has found something
constexpr std::size_t least_of_a_thread = 64;

/// What is needed of a Record.
struct Seen {
  trace::ObjectNumber object = 0;
  trace::Sequence seq = 0;
  bool quotes = false;
  bool blocks = false;  ///< it quotes, and nothing had come after what it quotes
  bool late = false;    ///< its time may be later than when it had its number
  trace::ThreadNumber thread = 0;
  trace::Ticks time = 0;
};

/// Whoever is granted something gets the number from who grants it, and reads the clock when it runs. A join takes its
/// number when it has ended, and who gives up at a Barrier makes the Record when it has gone.
bool may_be_late(const trace::Row& row) {
  switch (row.kind) {
    case Kind::lock:
    case Kind::rlock:
      return false;
    case Kind::queue:
    case Kind::pool:
    case Kind::timer:
      return true;
    default:
      return row.effect == Effect::acquire || row.effect == Effect::share || row.effect == Effect::take ||
             row.effect == Effect::resume || row.effect == Effect::fail;
  }
}

/// The first Records of each thread, `most` in all.
std::vector<Seen> look(Trace& trace, std::size_t most) {
  std::vector<Seen> seen;
  const auto& packets = trace.packets();
  std::size_t threads = 0;
  for (std::size_t i = 0; i < packets.size(); ++i)
    threads += i == 0 || packets[i].thread != packets[i - 1].thread;
  const std::size_t of_each = std::max(least_of_a_thread, most / std::max<std::size_t>(threads, 1));
  std::size_t left = 0;
  for (std::size_t i = 0; i < packets.size() && seen.size() < most; ++i) {
    if (i == 0 || packets[i].thread != packets[i - 1].thread) left = of_each;
    if (packets[i].stream != trace::record_stream || left == 0) continue;
    Cursor cursor{trace, packets[i]};
    for (Record record; left > 0 && cursor.next(record); --left) {
      if (!cursor.sequenced() || record.object == 0) continue;
      const trace::Row& row = *record.row;
      seen.push_back({record.object, record.seq, !row.advances, row.effect == Effect::wait, may_be_late(row),
                      record.thread, record.time});
    }
  }
  // A number that has wrapped stands in another place, and proves nothing there.
  std::ranges::sort(seen, [](const Seen& a, const Seen& b) {
    return std::tie(a.object, a.seq, a.quotes, a.thread, a.time) <
           std::tie(b.object, b.seq, b.quotes, b.thread, b.time);
  });
  return seen;
}

// Hours, and so few that sums over all threads are no overflow.
constexpr std::int64_t furthest = std::int64_t{1} << 46U;
// Of a search. A dump of a thousand threads takes less.
constexpr std::size_t most_steps = 20'000'000;

/// "The second thread's clock, put right, is ahead of the first's by so much at least", as an edge of a graph.
class Bounds {
 public:
  explicit Bounds(const std::vector<Seen>& seen);

  /// By how much times contradict an order at most.
  trace::Ticks worst() const { return worst_; }
  /// With each bound relaxed by `slack`: the middle of what is possible. False: nothing is.
  bool solve(std::int64_t slack, Alignment& out) const;

 private:
  using Pair = std::pair<std::size_t, std::size_t>;
  using Times = std::vector<std::int64_t>;
  static constexpr std::int64_t none = std::numeric_limits<std::int64_t>::min() / 4;

  void add(const Seen& before, const Seen& after);
  std::size_t index_of(trace::ThreadNumber thread);
  std::size_t root() const;
  bool least(std::size_t root, std::int64_t slack, bool backward, Times& times) const;

  std::map<trace::ThreadNumber, std::size_t> indexes_;
  std::vector<trace::ThreadNumber> threads_;
  std::map<Pair, std::int64_t> at_least_;
  trace::Ticks worst_ = 0;
};

Bounds::Bounds(const std::vector<Seen>& seen) {
  const Seen* last = nullptr;  // what has the number that is quoted
  std::vector<const Seen*> blocks;
  for (const Seen& each : seen) {
    if (last != nullptr && last->object != each.object) last = nullptr;
    if (last == nullptr) blocks.clear();
    const bool same = last != nullptr && last->seq == each.seq;
    if (each.quotes) {
      if (same && !last->late) add(*last, each);
      if (each.blocks && same) blocks.push_back(&each);
      continue;
    }
    if (last != nullptr && last->seq + 1 == each.seq) {
      if (!last->late) add(*last, each);
      for (const Seen* const block : blocks)
        add(*block, each);
    }
    blocks.clear();
    last = &each;
  }
}

std::size_t Bounds::index_of(trace::ThreadNumber thread) {
  const auto [found, made] = indexes_.try_emplace(thread, threads_.size());
  if (made) threads_.push_back(thread);
  return found->second;
}

void Bounds::add(const Seen& before, const Seen& after) {
  if (before.thread == after.thread) return;
  const auto by = static_cast<std::int64_t>(before.time - after.time);
  if (by > furthest || by < -furthest) return;  // no clock of a thread: a damaged Record
  // A number can be seen a moment before the Record of it, and a block's Record be made when its wait is over already:
  // that is no proof.
  if (by > 0 && !before.quotes && !after.quotes) worst_ = std::max(worst_, static_cast<trace::Ticks>(by));
  const Pair pair{index_of(before.thread), index_of(after.thread)};
  const auto [found, made] = at_least_.try_emplace(pair, by);
  found->second = std::max(found->second, by);
}

/// The thread that most is known of, the lowest of them: its times stay.
std::size_t Bounds::root() const {
  std::vector<std::size_t> known(threads_.size(), 0);
  for (const auto& [pair, by] : at_least_) {
    ++known[pair.first];
    ++known[pair.second];
  }
  return static_cast<std::size_t>(std::ranges::max_element(known) - known.begin());
}

/// How much later than the root's each thread's times must be put at least, along the bounds; `backward`: against them,
/// and so the root's later than theirs. False: they go round in a circle that no times satisfy.
bool Bounds::least(std::size_t root, std::int64_t slack, bool backward, Times& times) const {
  std::vector<std::vector<std::pair<std::size_t, std::int64_t>>> from(threads_.size());
  for (const auto& [pair, by] : at_least_)
    from[backward ? pair.second : pair.first].emplace_back(backward ? pair.first : pair.second, by - slack);
  times.assign(threads_.size(), none);
  std::vector<std::size_t> changes(threads_.size(), 0);
  std::deque<std::size_t> todo{root};
  std::size_t steps = 0;
  times[root] = 0;
  while (!todo.empty()) {
    const std::size_t at = todo.front();
    todo.pop_front();
    steps += from[at].size();
    if (steps > most_steps) return false;
    for (const auto& [to, by] : from[at]) {
      if (times[at] + by <= times[to]) continue;
      if (to == root || ++changes[to] > threads_.size()) return false;
      times[to] = times[at] + by;
      todo.push_back(to);
    }
  }
  return true;
}

bool Bounds::solve(std::int64_t slack, Alignment& out) const {
  Times earliest;
  Times before;
  const std::size_t root = this->root();
  if (!least(root, slack, false, earliest) || !least(root, slack, true, before)) return false;
  trace::Ticks next_worst = 0;  // two threads can be off in opposite ways
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    const bool from_known = earliest[i] != none;
    const bool to_known = before[i] != none;
    if (i == root || (!from_known && !to_known)) continue;
    const std::int64_t to = to_known ? -before[i] : 0;
    std::int64_t offset = 0;
    if (from_known && to_known) {
      offset = earliest[i] + (to - earliest[i]) / 2;
      auto off = static_cast<trace::Ticks>((to - earliest[i]) / 2 + slack);
      if (off > out.good_to) std::swap(off, out.good_to);
      next_worst = std::max(next_worst, off);
    } else {
      ++out.unknown;
      offset = from_known ? std::max<std::int64_t>(earliest[i], 0) : std::min<std::int64_t>(to, 0);
    }
    if (offset != 0) out.offsets[threads_[i]] = offset;
  }
  out.good_to += next_worst;
  return true;
}

trace::Ticks first_time(Trace& trace, const Alignment& alignment) {
  trace::Ticks first = std::numeric_limits<trace::Ticks>::max();
  const auto& packets = trace.packets();
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const bool begins =
        i == 0 || packets[i].thread != packets[i - 1].thread || packets[i - 1].stream != packets[i].stream;
    if (packets[i].stream != trace::record_stream || !begins) continue;
    Cursor cursor{trace, packets[i]};
    Record record;
    const auto found = alignment.offsets.find(packets[i].thread);
    if (cursor.next(record))
      first = std::min(first, shifted(record.time, found == alignment.offsets.end() ? 0 : found->second));
  }
  return first == std::numeric_limits<trace::Ticks>::max() ? 0 : first;
}

}  // namespace

Alignment align(Trace& trace) {
  Alignment out;
  const Trace::Glance glance{trace};
  const trace::Ticks millisecond = trace.process().frequency / 1000;
  if (Bounds{look(trace, first_look)}.worst() <= millisecond) return out;
  const Bounds bounds{look(trace, second_look)};
  if (bounds.worst() <= millisecond) return out;
  out.apart = bounds.worst();
  const auto tick = static_cast<std::int64_t>(std::max<trace::Ticks>(millisecond / 1000, 1));
  for (std::int64_t slack = 0; slack <= 10'000 * tick; slack = slack == 0 ? tick : slack * 10) {
    if (bounds.solve(slack, out)) break;
    out = {{}, out.apart, 0, 0, 0};
  }
  out.first_time = first_time(trace, out);
  return out;
}

}  // namespace unspool
