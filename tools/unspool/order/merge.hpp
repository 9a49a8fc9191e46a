// SPDX-License-Identifier: MIT
//
// All Records of a trace in one order: by time, corrected by the objects' sequence numbers.
//
// Each thread's packets are a chain. The chain whose next Record is earliest gives it out, unless the Record has to wait
// for another one on the same object: a Record that advances it to n waits for n-1, one that quotes n for n. Such a chain
// is held back until a Record of another thread brings the object that far. So the order on one object is exact however
// far the threads' clocks are apart, and chains that are held back cost no memory.
//
// What is missing must not stall it: a chain is held back no longer than `patience` says (sequences.hpp). When all are
// (a kill leaves the last number of a thread unwritten), the earliest goes on.
#pragma once

#include <unspool/model/source.hpp>
#include <unspool/order/heap.hpp>
#include <unspool/order/sequences.hpp>
#include <unspool/order/tournament.hpp>
#include <unspool/read/cursor.hpp>
#include <unspool/read/trace.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace unspool {

class Merge final : public RecordSource {
 public:
  /// With `definitions`, these are given out too, by time.
  explicit Merge(Trace& trace, bool definitions = false);

  bool next(Record& record) override;

 private:
  /// One thread's packets, or the definitions.
  struct Chain {
    std::size_t packet = 0;          ///< index of the next one
    std::size_t end = 0;             ///< index behind the last one
    std::unique_ptr<Cursor> cursor;  ///< none: the next packet is not opened yet
    Record head;                     ///< valid with a cursor
    trace::Ticks due = 0;            ///< when its head comes: its time, or earlier where others have seen it
    bool sequenced = false;
    bool held = false;
  };

  void make_chains(bool definitions);
  void advance(std::uint32_t chain);
  bool pass(Chain& chain, std::uint32_t index);
  void hold(Chain& chain, std::uint32_t index);
  void bring_forward(std::uint32_t waiting);
  bool lost_patience() const;
  auto waker();

  Trace& trace_;
  std::vector<Chain> chains_;
  Heap::Places places_;
  Tournament ready_;
  Heap held_{places_};
  Sequences objects_;
  std::uint32_t given_ = Progress::nobody;  ///< the chain whose head was given out last
};

}  // namespace unspool
