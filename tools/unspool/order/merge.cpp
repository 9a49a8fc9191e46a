// SPDX-License-Identifier: MIT
#include <unspool/order/merge.hpp>

#include <algorithm>
#include <limits>

namespace unspool {
namespace {

trace::Ticks after(trace::Ticks time, trace::Ticks span) {
  return time + std::min(span, std::numeric_limits<trace::Ticks>::max() - time);
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

/// Reads the chain's next Record into its head, or takes it out of `ready_` after the last.
void Merge::advance(std::uint32_t index) {
  Chain& chain = chains_[index];
  if (!chain.cursor) chain.cursor = std::make_unique<Cursor>(trace_, trace_.packets()[chain.packet++]);
  if (chain.cursor->next(chain.head)) {
    chain.sequenced = chain.cursor->sequenced() && chain.head.object != 0;
    chain.due = chain.head.time;
    ready_.set(index, chain.due);
    return;
  }
  chain.cursor.reset();
  if (chain.packet < chain.end) {
    ready_.set(index, trace_.packets()[chain.packet].begin);
  } else {
    ready_.remove(index);
  }
}

bool Merge::next(Record& record) {
  if (given_ != Progress::nobody) advance(std::exchange(given_, Progress::nobody));
  for (;;) {
    if (!held_.empty() && (ready_.empty() || lost_patience())) {
      objects_.give_up_on(held_.first(), waker());
      continue;
    }
    if (ready_.empty()) break;
    const std::uint32_t first = ready_.first();
    Chain& chain = chains_[first];
    if (!chain.cursor) {
      advance(first);
    } else if (pass(chain, first)) {
      record = chain.head;
      given_ = first;
      return true;
    }
  }
  trace_.finish();
  return false;
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
  objects_.wait(index, chain.head);
  ready_.remove(index);
  held_.push(index, chain.due);
  chain.held = true;
  bring_forward(index);
}

/// Who is given a lock makes the Record of it when it runs, and others may have seen it by then. Where that Record is the
/// next of its thread, it comes when they have, and so do they.
void Merge::bring_forward(std::uint32_t waiting) {
  constexpr std::size_t most_chains = 512;
  if (chains_.size() > most_chains) return;
  for (std::uint32_t at = waiting; at != Progress::nobody;) {
    const Chain& chain = chains_[at];
    const trace::Sequence need = chain.head.seq - (chain.head.row->advances ? 1 : 0);
    at = Progress::nobody;
    for (std::uint32_t i = 0; i < chains_.size(); ++i) {
      Chain& each = chains_[i];
      const Record& head = each.head;
      const bool needed = each.cursor && each.sequenced && head.object == chain.head.object && head.seq == need &&
                          head.row->advances && each.due > chain.due;
      if (!needed) continue;
      each.due = chain.due;
      each.held ? held_.change(i, each.due) : ready_.set(i, each.due);
      at = each.held ? i : Progress::nobody;
      break;
    }
  }
}

/// Requires: chains are held back, and others are not.
bool Merge::lost_patience() const {
  const Process& process = trace_.process();
  const bool gaps = process.cut || trace_.problems().damaged() || trace_.has_passed_over();
  return after(held_.first_time(), patience(process.frequency, gaps)) < ready_.first_time();
}

}  // namespace unspool
