// SPDX-License-Identifier: MIT
//
// Records that come in the order of their times, put right by the objects' sequence numbers. Owns which Records are
// held back; `Merge` does the same for a trace, whose threads can be read each on its own.
//
// A Record that has to wait for another one on its object is kept, and all that its thread did after it, until the
// other one has come. What is missing must not stall it: it waits no longer than `patience` says (sequences.hpp), and
// never for more than `most_held` Records.
#pragma once

#include <unspool/order/heap.hpp>
#include <unspool/order/sequences.hpp>
#include <unspool/read/line_record.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

namespace unspool {

class Straighten {
 public:
  explicit Straighten(trace::Ticks patience) : patience_{patience} {}

  /// The next Record of the log. true: it goes on at once. false: it was taken and comes out of `take`.
  bool offer(const HeldRecord& record);
  /// A Record that was taken and may go on before one of time `until`; nullptr: there is none. Valid until the next
  /// call.
  const HeldRecord* take(trace::Ticks until);

 private:
  static constexpr std::size_t most_held = 100'000;

  /// What one thread has done since its first Record that is held back.
  using Chain = std::deque<std::unique_ptr<HeldRecord>>;

  void keep(const HeldRecord& record, std::uint32_t index);
  std::uint32_t chain_of(trace::ThreadNumber thread);
  bool must_wait(const Record& record);
  void hold(std::uint32_t chain);
  void given(const Record& record);
  auto waker();
  bool lost_patience(trace::Ticks now) const;

  trace::Ticks patience_;
  std::deque<Chain> chains_;
  std::unordered_map<trace::ThreadNumber, std::uint32_t> by_thread_;
  Heap::Places places_;
  Heap ready_{places_};
  Heap held_{places_};
  Sequences objects_;
  std::size_t kept_ = 0;  ///< Records in all chains
  std::unique_ptr<HeldRecord> given_;
};

}  // namespace unspool
