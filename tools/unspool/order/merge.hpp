// SPDX-License-Identifier: MIT
//
// All Records of a trace in one order: by time, corrected by the objects' sequence numbers.
//
// Each thread's packets are a chain. The chain whose next Record is earliest gives it out, unless the Record has to wait
// for another one on the same object: a Record that advances it to n waits for n-1, one that quotes n for n. Such a chain
// is held back until a Record of another thread brings the object that far. So the order on one object is exact however
// far the threads' clocks are apart, and chains that are held back cost no memory.
//
// What is missing must not stall it. In a trace that is whole, every number comes, so that a chain may be held back for
// long; where segments were dropped or bytes could not be read, only as long as clocks differ in practice. When all
// chains are held back (a kill leaves the last number of a thread unwritten), the earliest goes on.
#pragma once

#include <unspool/model/source.hpp>
#include <unspool/order/heap.hpp>
#include <unspool/order/sequences.hpp>
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
    bool sequenced = false;
    trace::Sequence need = 0;                      ///< what it is held back for
    std::uint32_t next_waiter = Progress::nobody;  ///< the next one that waits for the same object
  };

  void make_chains(bool definitions);
  void advance(std::uint32_t chain);
  bool must_wait(Chain& chain, std::uint32_t index);
  void give_out(Chain& chain, Record& record);
  void give_up_on(std::uint32_t chain);
  void wake(Progress& object);
  trace::Ticks patience() const;

  Trace& trace_;
  std::vector<Chain> chains_;
  Heap::Places places_;
  Heap ready_{places_};
  Heap held_{places_};
  Sequences objects_;
  std::uint32_t given_ = Progress::nobody;  ///< the chain whose head was given out last
};

}  // namespace unspool
