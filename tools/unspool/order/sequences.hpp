// SPDX-License-Identifier: MIT
//
// How far each object has got: the sequence number of its last Record that was given out, and which chains wait for
// more. Compared serially, as the numbers may wrap.
#pragma once

#include <spool/trace/ids.hpp>

#include <unspool/model/model.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace unspool {

/// One object. 16 bytes, for there may be millions.
struct Progress {
  static constexpr std::uint32_t nobody = ~std::uint32_t{0};

  std::uint64_t object : 48;  ///< 0: an empty place of the table
  std::uint64_t seen : 1;     ///< `last` means something
  std::uint64_t : 15;
  spool::trace::Sequence last;
  std::uint32_t waiter;  ///< the chain that began to wait last, or nobody

  /// All up to `need` has been given out. What nobody has seen yet is at 0.
  bool has(spool::trace::Sequence need) const { return seen ? static_cast<std::int32_t>(need - last) <= 0 : need == 0; }
  /// Never back: a late Record changes nothing.
  void advance(spool::trace::Sequence to) {
    if (seen && static_cast<std::int32_t>(to - last) <= 0) return;
    seen = 1;
    last = to;
  }
};
static_assert(sizeof(Progress) == 16);

/// How much longer a Record that waits for a missing one is held back. Where Records are known to be missing, only as
/// long as a thread may have been off its processor between what it did and the Record of it; in what is whole each
/// number comes, however far the clocks are apart.
inline spool::trace::Ticks patience(std::uint64_t frequency, bool gaps) {
  return gaps ? frequency / 100 : frequency * 10;
}

/// Objects by number: open addressing, never shrinks. Objects stay after their end, because a Record of one may
/// come late.
class Sequences {
 public:
  Sequences() : table_(std::size_t{1} << 10U, empty()) {}

  /// Valid until the next call. Requires: object is not 0.
  Progress& of(spool::trace::ObjectNumber object) {
    std::size_t at = place(object);
    while (table_[at].object != object) {
      if (table_[at].object == 0) return insert(at, object);
      at = (at + 1) & (table_.size() - 1);
    }
    return table_[at];
  }

  /// Whether the Record has to come after one that has not been given out. Requires: it has a sequence number.
  bool must_wait(const Record& record) {
    const Progress& object = of(record.object);
    return !object.has(needed_by(record)) && !is_crowded(object);
  }

  /// Whether the Record may be given out now; then it is as with `given`. Requires: it has a sequence number.
  template <typename Woken>
  bool pass(const Record& record, Woken woken) {
    Progress& object = of(record.object);
    const bool advances = record.row->advances;
    if (!object.has(record.seq - (advances ? 1 : 0)) && !is_crowded(object)) return false;
    if (advances) advance(object, record.seq, woken);
    return true;
  }

  /// The same for both Records of a hold.
  template <typename Woken>
  bool pass(const PlainHold& hold, Woken woken) {
    Progress& object = of(hold.object());
    if (object.seen && object.last == hold.seq - 1 && object.waiter == Progress::nobody) {
      object.last = hold.seq + 1;
      return true;
    }
    if (!object.has(hold.seq - 1) && !is_crowded(object)) return false;
    advance(object, hold.seq + 1, woken);
    return true;
  }

  /// The chain waits for what its first Record has to come after. Requires: it waits for nothing yet.
  void wait(std::uint32_t chain, const Record& record) { wait(chain, record.object, needed_by(record)); }
  void wait(std::uint32_t chain, const PlainHold& hold) { wait(chain, hold.object(), hold.seq - 1); }

  /// The Record is given out. `woken(chain)` is called for each chain that waited for it.
  /// Requires: the Record has a sequence number.
  template <typename Woken>
  void given(const Record& record, Woken woken) {
    if (record.row->advances) advance(of(record.object), record.seq, woken);
  }

  /// What the chain waits for is taken to be lost, and all before it.
  template <typename Woken>
  void give_up_on(std::uint32_t chain, Woken woken) {
    const Waiter waiter = waiters_[chain];
    advance(of(waiter.object), waiter.need, woken);
  }

 private:
  struct Waiter {
    spool::trace::ObjectNumber object = 0;
    spool::trace::Sequence need = 0;
    std::uint32_t next = Progress::nobody;  ///< that waits for the same object
  };

  static spool::trace::Sequence needed_by(const Record& record) {
    return record.row->advances ? record.seq - 1 : record.seq;
  }

  /// A hostile trace may let every chain wait for one object, and each Record wakes by going through the list.
  bool is_crowded(const Progress& object) const {
    constexpr std::size_t most_waiters = 1024;
    std::size_t waiters = 0;
    for (std::uint32_t each = object.waiter; each != Progress::nobody; each = waiters_[each].next)
      ++waiters;
    return waiters >= most_waiters;
  }

  void wait(std::uint32_t chain, spool::trace::ObjectNumber number, spool::trace::Sequence need) {
    Progress& object = of(number);
    if (chain >= waiters_.size()) waiters_.resize(chain + std::size_t{1});
    waiters_[chain] = {number, need, std::exchange(object.waiter, chain)};
  }

  template <typename Woken>
  void advance(Progress& object, spool::trace::Sequence to, Woken& woken) {
    object.advance(to);
    std::uint32_t* link = &object.waiter;
    while (*link != Progress::nobody) {
      const std::uint32_t chain = *link;
      Waiter& waiter = waiters_[chain];
      if (!object.has(waiter.need)) {
        link = &waiter.next;
        continue;
      }
      *link = waiter.next;
      woken(chain);
    }
  }

  static Progress empty() { return {0, 0, 0, Progress::nobody}; }
  std::size_t place(spool::trace::ObjectNumber object) const {
    // Fibonacci hashing by the top bits: object numbers are dense, and hardly two have the same place; hostile ones are
    // not.
    return static_cast<std::size_t>((object * 0x9e37'79b9'7f4a'7c15) >> shift_);
  }
  Progress& insert(std::size_t at, spool::trace::ObjectNumber object);

  std::vector<Progress> table_;
  unsigned shift_ = 64 - 10;  ///< 64 less the bits of an index into it
  std::size_t used_ = 0;
  std::vector<Waiter> waiters_;  ///< by chain
};

}  // namespace unspool
