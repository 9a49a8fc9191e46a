// SPDX-License-Identifier: MIT
#include <unspool/order/merge.hpp>

#include <algorithm>
#include <limits>

namespace unspool {
namespace {

// A hostile trace may let every chain wait for one object, and each Record wakes by going through the list.
constexpr std::size_t most_waiters = 1024;

/// The Record that has to come before this one on its object, by number.
trace::Sequence needed_by(const Record& record) {
  return record.row->advances ? record.seq - 1 : record.seq;
}

trace::Ticks after(trace::Ticks time, trace::Ticks span) {
  return time + std::min(span, std::numeric_limits<trace::Ticks>::max() - time);
}

}  // namespace

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
  for (std::uint32_t i = 0; i < chains_.size(); ++i)
    ready_.push(i, packets[chains_[i].packet].begin);
}

/// Reads the chain's next Record into its head, or takes it out of `ready_` after the last.
void Merge::advance(std::uint32_t index) {
  Chain& chain = chains_[index];
  if (!chain.cursor) chain.cursor = std::make_unique<Cursor>(trace_, trace_.packets()[chain.packet++]);
  if (chain.cursor->next(chain.head)) {
    chain.sequenced = chain.cursor->sequenced() && chain.head.object != 0;
    ready_.change(index, chain.head.time);
    return;
  }
  chain.cursor.reset();
  if (chain.packet < chain.end) {
    ready_.change(index, trace_.packets()[chain.packet].begin);
  } else {
    ready_.erase(index);
  }
}

bool Merge::next(Record& record) {
  if (given_ != Progress::nobody) advance(std::exchange(given_, Progress::nobody));
  for (;;) {
    if (!held_.empty() && (ready_.empty() || after(held_.first_time(), patience()) < ready_.first_time())) {
      give_up_on(held_.first());
      continue;
    }
    if (ready_.empty()) break;
    const std::uint32_t first = ready_.first();
    Chain& chain = chains_[first];
    if (!chain.cursor) {
      advance(first);
    } else if (!must_wait(chain, first)) {
      give_out(chain, record);
      given_ = first;
      return true;
    }
  }
  trace_.finish();
  return false;
}

/// Moves the chain to `held_` if its head has to wait.
bool Merge::must_wait(Chain& chain, std::uint32_t index) {
  if (!chain.sequenced) return false;
  Progress& object = objects_.of(chain.head.object);
  chain.need = needed_by(chain.head);
  if (object.has(chain.need)) return false;
  std::size_t waiters = 0;
  for (std::uint32_t each = object.waiter; each != Progress::nobody; each = chains_[each].next_waiter)
    ++waiters;
  if (waiters >= most_waiters) return false;
  chain.next_waiter = std::exchange(object.waiter, index);
  ready_.erase(index);
  held_.push(index, chain.head.time);
  return true;
}

void Merge::give_out(Chain& chain, Record& record) {
  record = chain.head;
  if (chain.sequenced && record.row->advances) {
    Progress& object = objects_.of(record.object);
    object.advance(record.seq);
    if (object.waiter != Progress::nobody) wake(object);
  }
  if (record.row->kind == trace::Kind::trace && record.row->verb == trace::Verb::end)
    trace_.process().orderly_end = true;
}

/// What the chain waits for is taken to be lost, and all before it.
void Merge::give_up_on(std::uint32_t index) {
  Progress& object = objects_.of(chains_[index].head.object);
  object.advance(chains_[index].need);
  wake(object);
}

/// Chains whose Record has become possible go back to `ready_`.
void Merge::wake(Progress& object) {
  std::uint32_t* link = &object.waiter;
  while (*link != Progress::nobody) {
    const std::uint32_t index = *link;
    Chain& chain = chains_[index];
    if (!object.has(chain.need)) {
      link = &chain.next_waiter;
      continue;
    }
    *link = chain.next_waiter;
    held_.erase(index);
    ready_.push(index, chain.head.time);
  }
}

trace::Ticks Merge::patience() const {
  const Process& process = trace_.process();
  const bool gaps = process.cut || trace_.problems().damaged() || trace_.has_passed_over();
  return gaps ? process.frequency / 1000 : process.frequency * 10;
}

}  // namespace unspool
