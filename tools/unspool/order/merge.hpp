// SPDX-License-Identifier: MIT
//
// All Records of a trace in one order: by time, corrected by the objects' sequence numbers.
//
// Each thread's packets are a chain. The chain whose next Record is earliest gives it out, unless the Record has to
// wait for another one on the same object: a Record that advances it to n waits for n-1, one that quotes n for n. Such
// a chain is held back until a Record of another thread brings the object that far. So the order on one object is exact
// however far the threads' clocks are apart, and chains that are held back cost no memory.
//
// Who counts and does not print may have plain holds joined (model.hpp). Their order against other Records is told by
// their thread and their object alone, so a chain gives out a few of them in a row, before it asks again which chain is
// earliest. Not within another hold: another thread may end that one at any time.
//
// Where the threads' clocks are seen to disagree (align.hpp), the Records have times that are put right: a thread's own
// spans are as recorded, and a problem of the Process says how far times of two threads can be off.
//
// What is missing must not stall it: a chain is held back no longer than `patience` says (sequences.hpp). When all are
// (a kill leaves the last number of a thread unwritten), the earliest goes on.
#pragma once

#include <unspool/model/source.hpp>
#include <unspool/order/heap.hpp>
#include <unspool/order/sequences.hpp>
#include <unspool/order/tournament.hpp>
#include <unspool/read/cursor.hpp>
#include <unspool/read/progress.hpp>
#include <unspool/read/trace.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace unspool {

class Merge final : public RecordSource {
 public:
  /// With `definitions`, these are given out too, by time.
  explicit Merge(Trace& trace, bool definitions = false);

  /// `progress` outlives it, and is told of the bytes to be read from now on, and when they are.
  void tell(ReadProgress& progress);

  bool next(Record& record) override;
  bool shows_damage() const override;
  /// What next() would give is appended to `holds` as long as it is plain holds, up to `most` of them; then a Record.
  /// Without a Record: `most` are there, or there is nothing more.
  enum class Given : std::uint8_t { record, holds, end };
  /// A chain gives so many holds before others have their turn, also beyond `most`.
  static constexpr std::size_t most_in_a_row = 16;
  Given next(Record& record, std::vector<PlainHold>& holds, std::size_t most);

 private:
  /// One thread's packets, or the definitions.
  struct Chain {
    std::size_t packet = 0;          ///< index of the next one
    std::size_t end = 0;             ///< index behind the last one
    std::unique_ptr<Cursor> cursor;  ///< none: the next packet is not opened yet
    Record head;                     ///< valid with a cursor, unless `is_hold`
    PlainHold hold;
    std::int64_t offset = 0;  ///< added to its times
    trace::Ticks due = 0;     ///< when its head comes: its time, or earlier where others have seen it
    bool is_hold = false;
    bool sequenced = false;
    bool held = false;
    bool waits = false;       ///< its last Record began a wait: what it acquires next is no plain hold
    std::uint32_t depth = 0;  ///< so many locks may be held by it

    trace::ObjectNumber object() const { return is_hold ? hold.object() : head.object; }
    /// Which number its head waits for.
    trace::Sequence need() const { return is_hold ? hold.seq - 1 : head.seq - (head.row->advances ? 1 : 0); }
    /// Its head brings this object to this number.
    bool brings(trace::ObjectNumber number, trace::Sequence seq) const {
      if (is_hold) return hold.object() == number && (hold.seq == seq || hold.seq + 1 == seq);
      return sequenced && head.object == number && head.seq == seq && head.row->advances;
    }
  };

  void make_chains(bool definitions);
  void begin_packet(Chain& chain);
  void end_packet(Chain& chain);
  void put_right();
  template <bool joined>
  void advance(std::uint32_t chain);
  void advance_by_record(std::uint32_t index);
  static void note(Chain& chain);
  template <bool joined>
  Given give(Record& record, std::vector<PlainHold>* holds, std::size_t most);
  void give_holds(std::uint32_t index, std::vector<PlainHold>& holds);
  bool pass(Chain& chain, std::uint32_t index);
  void hold(Chain& chain, std::uint32_t index);
  bool bring_forward(std::uint32_t waiting);
  bool lost_patience() const;
  auto waker();

  Trace& trace_;
  std::vector<Chain> chains_;
  Heap::Places places_;
  Tournament ready_;
  Heap held_{places_};
  Sequences objects_;
  ReadProgress* progress_ = nullptr;
  std::uint32_t given_ = Progress::nobody;  ///< the chain whose head was given out last
};

}  // namespace unspool
