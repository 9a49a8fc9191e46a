// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/order/align.hpp>
#include <unspool/order/claim.hpp>
#include <unspool/order/merge.hpp>

#include <algorithm>
#include <limits>
#include <string>

namespace unspool {
namespace {

// So many bytes ahead of the hold that is made.
constexpr std::size_t claimed = 2048;

// Each Record that is held back looks at all chains.
constexpr std::size_t most_brought_forward = 512;

trace::Ticks after(trace::Ticks time, trace::Ticks span) {
  return time + std::min(span, std::numeric_limits<trace::Ticks>::max() - time);
}

std::uint64_t size_of(const Packet& packet) {
  return packet.end - std::min(packet.offset, packet.end);
}

std::string words_of(const Alignment& alignment, const Process& process) {
  const auto milliseconds = [&](trace::Ticks span) { return process.nanoseconds(span) / 1e6; };
  std::string text = fmt::format("{}: the clocks of its threads disagree, by {:.3f} ms at least. ", process.path,
                                 milliseconds(alignment.apart));
  if (alignment.offsets.empty())
    return text +
           "Counts, the order on each object and each thread's own spans are right; what mixes two threads' "
           "times (shares of holders, hand-over, who was first) is off by as much.";
  const std::string some = alignment.unknown == 1 ? "one thread" : fmt::format("{} threads", alignment.unknown);
  const bool nothing_exact = alignment.good_to == 0 && alignment.unknown != 0;
  if (nothing_exact) {
    text += fmt::format(
        "The order of the Records on each object says of {} that the times are not earlier, or not later, "
        "and no more: ",
        some);
  } else {
    text += fmt::format(
        "The order of the Records on each object has put them right to {:.3f} ms{}: ", milliseconds(alignment.good_to),
        alignment.unknown == 0 ? "" : ", but for " + some + " of which too little is known");
  }
  return text + fmt::format(
                    "what mixes two threads' times (shares of holders, hand-over, who was first) can be off{}. "
                    "Counts, the order on each object and each thread's own spans are as recorded.",
                    nothing_exact ? "" : " by that");
}

}  // namespace

/// Chains whose head has become possible go from `held_` back to `ready_`.
auto Merge::waker() {
  return [this](std::uint32_t index) {
    held_.erase(index);
    chains_[index].held = false;
    ready_.set(index, chains_[index].due);
  };
}

Merge::Merge(Trace& trace, bool definitions) : trace_(trace) {
  make_chains(definitions);
  put_right();
}

/// All times of threads whose clocks are off.
void Merge::put_right() {
  const Alignment alignment = align(trace_);
  if (alignment.apart == 0) return;
  Process& process = trace_.process();
  trace_.problems().note(words_of(alignment, process));
  for (std::uint32_t i = 0; i < chains_.size(); ++i) {
    Chain& chain = chains_[i];
    const Packet& first = trace_.packets()[chain.packet];
    const auto found = alignment.offsets.find(first.thread);
    if (first.stream == trace::definition_stream || found == alignment.offsets.end()) continue;
    chain.offset = found->second;
    ready_.set(i, shifted(first.begin, chain.offset));
  }
  for (trace::StatusEntry& entry : process.status) {
    const auto found = alignment.offsets.find(entry.thread);
    if (found == alignment.offsets.end()) continue;
    entry.wait_since = shifted(entry.wait_since, found->second);
    for (trace::StatusHold& hold : entry.holds)
      hold.since = shifted(hold.since, found->second);
  }
  process.first_time = alignment.first_time;
}

void Merge::make_chains(bool definitions) {
  const auto& packets = trace_.packets();
  for (std::size_t i = 0; i < packets.size();) {
    const bool are_definitions = packets[i].stream == trace::definition_stream;
    std::size_t end = i;
    while (end < packets.size() && packets[end].thread == packets[i].thread &&
           (packets[end].stream == trace::definition_stream) == are_definitions) {
      ++end;
    }
    if (!are_definitions || definitions) {
      Chain& chain = chains_.emplace_back();
      chain.packet = i;
      chain.end = end;
    }
    i = end;
  }
  places_.resize(chains_.size());
  ready_ = Tournament{chains_.size()};
  for (std::uint32_t i = 0; i < chains_.size(); ++i)
    ready_.set(i, packets[chains_[i].packet].begin);
}

void Merge::tell(ReadProgress& progress) {
  progress_ = &progress;
  for (const Chain& chain : chains_) {
    for (std::size_t i = chain.packet; i < chain.end; ++i)
      progress.expect(size_of(trace_.packets()[i]));
  }
}

/// Reads the chain's next Record into its head, or takes it out of `ready_` after the last.
template <bool joined>
void Merge::advance(std::uint32_t index) {
  Chain& chain = chains_[index];
  if (!chain.cursor) begin_packet(chain);
  if constexpr (joined) {
    chain.is_hold = !chain.waits && chain.offset == 0 && chain.cursor->next_hold(chain.hold);
    if (chain.is_hold) return ready_.set(index, chain.due = chain.hold.since);
  }
  advance_by_record(index);
}

void Merge::advance_by_record(std::uint32_t index) {
  Chain& chain = chains_[index];
  if (chain.cursor->next(chain.head)) {
    if (chain.offset != 0) [[unlikely]] {
      chain.head.time = shifted(chain.head.time, chain.offset);
      if (chain.head.since != 0) chain.head.since = shifted(chain.head.since, chain.offset);
    }
    chain.sequenced = chain.cursor->sequenced() && chain.head.object != 0;
    note(chain);
    chain.due = chain.head.time;
    ready_.set(index, chain.due);
    return;
  }
  end_packet(chain);
  if (chain.packet < chain.end) {
    ready_.set(index, shifted(trace_.packets()[chain.packet].begin, chain.offset));
  } else {
    ready_.remove(index);
  }
}

void Merge::begin_packet(Chain& chain) {
  chain.cursor = std::make_unique<Cursor>(trace_, trace_.packets()[chain.packet++]);
  if (chain.packet < chain.end) trace_.expect(trace_.packets()[chain.packet]);
}

void Merge::end_packet(Chain& chain) {
  chain.cursor.reset();
  if (progress_ != nullptr) progress_->advance(size_of(trace_.packets()[chain.packet - 1]));
}

/// What its head tells of its thread.
void Merge::note(Chain& chain) {
  const Record& head = chain.head;
  const trace::Row& row = *head.row;
  chain.waits = row.effect == trace::Effect::wait;
  const bool takes = row.effect == trace::Effect::acquire || row.effect == trace::Effect::share;
  const bool gives =
      (row.effect == trace::Effect::release && head.b == head.thread) || row.effect == trace::Effect::unshare;
  if (takes) ++chain.depth;
  if (gives && chain.depth != 0) --chain.depth;
  if (row.kind == trace::Kind::status && row.verb == trace::Verb::hold) chain.depth = std::max(chain.depth, 1U);
}

bool Merge::shows_damage() const {
  const Process& process = trace_.process();
  return trace_.problems().damaged() || process.lost != 0 || process.bytes_lost != 0;
}

bool Merge::next(Record& record) {
  return give<false>(record, nullptr, 0) == Given::record;
}

Merge::Given Merge::next(Record& record, std::vector<PlainHold>& holds, std::size_t most) {
  return give<true>(record, &holds, most);
}

template <bool joined>
Merge::Given Merge::give(Record& record, std::vector<PlainHold>* holds, std::size_t most) {
  if (given_ != Progress::nobody) advance<joined>(std::exchange(given_, Progress::nobody));
  for (;;) {
    if (!held_.empty() && (ready_.empty() || lost_patience())) {
      if (bring_forward(held_.first())) continue;  // it has become the next of its thread since
      objects_.give_up_on(held_.first(), waker());
      continue;
    }
    if (ready_.empty()) break;
    const std::uint32_t first = ready_.first();
    Chain& chain = chains_[first];
    if (!chain.cursor) {
      advance<joined>(first);
    } else if (joined && chain.is_hold) {
      if (holds->size() >= most) return Given::holds;
      if (objects_.pass(chain.hold, waker())) {
        give_holds(first, *holds);
      } else {
        hold(chain, first);
      }
    } else if (pass(chain, first)) {
      record = chain.head;
      given_ = first;
      return Given::record;
    }
  }
  trace_.finish();
  if (progress_ != nullptr) progress_->clear();
  return Given::end;
}

/// The chain's hold, which has passed, and those behind it that pass too; then the chain is where it stops.
void Merge::give_holds(std::uint32_t index, std::vector<PlainHold>& holds) {
  Chain& chain = chains_[index];
  Cursor& cursor = *chain.cursor;
  holds.push_back(chain.hold);
  const std::size_t most = chain.depth == 0 ? most_in_a_row : 1;
  for (std::size_t given = 1; given < most; ++given) {
    PlainHold& hold = holds.emplace_back();
    claim(&hold, claimed);
    chain.is_hold = cursor.next_hold(hold);
    if (chain.is_hold && objects_.pass(hold, waker())) continue;
    chain.hold = hold;
    holds.pop_back();
    return chain.is_hold ? ready_.set(index, chain.due = chain.hold.since) : advance_by_record(index);
  }
  advance<true>(index);
}

/// The chain's head may be given out, and now counts as if it were; false: it has to wait, and its chain with it.
bool Merge::pass(Chain& chain, std::uint32_t index) {
  if (!chain.sequenced) {
    const trace::Row& row = *chain.head.row;
    if (row.kind == trace::Kind::trace && row.verb == trace::Verb::end) trace_.process().orderly_end = true;
    return true;
  }
  if (objects_.pass(chain.head, waker())) return true;
  hold(chain, index);
  return false;
}

void Merge::hold(Chain& chain, std::uint32_t index) {
  if (chain.is_hold) {
    objects_.wait(index, chain.hold);
  } else {
    objects_.wait(index, chain.head);
  }
  ready_.remove(index);
  held_.push(index, chain.due);
  chain.held = true;
  bring_forward(index);
}

/// Who is given a lock makes the Record of it when it runs, and others may have seen it by then. Where that Record is
/// the next of its thread, it comes when they have, and so do they.
bool Merge::bring_forward(std::uint32_t waiting) {
  if (chains_.size() > most_brought_forward) return false;
  bool found = false;
  for (std::uint32_t at = waiting; at != Progress::nobody;) {
    const Chain& chain = chains_[at];
    at = Progress::nobody;
    for (std::uint32_t i = 0; i < chains_.size(); ++i) {
      Chain& each = chains_[i];
      if (!each.cursor || each.due <= chain.due || !each.brings(chain.object(), chain.need())) continue;
      found = true;
      each.due = chain.due;
      each.held ? held_.change(i, each.due) : ready_.set(i, each.due);
      at = each.held ? i : Progress::nobody;
      break;
    }
  }
  return found;
}

/// Requires: chains are held back, and others are not.
bool Merge::lost_patience() const {
  const Process& process = trace_.process();
  const bool gaps = process.cut || trace_.problems().damaged() || trace_.has_passed_over();
  // What somebody has seen is the next Record of its thread, and has been brought forward: otherwise it is missing.
  const bool seen = gaps && chains_.size() <= most_brought_forward;
  const trace::Ticks span = seen ? process.frequency / 10'000 : patience(process.frequency, gaps);
  return after(held_.first_time(), span) < ready_.first_time();
}

}  // namespace unspool
