// SPDX-License-Identifier: MIT
//
// Who had one object, as far back as an open wait for it needs. Owns the division of a wait among holders; what a
// Record means for the object is replay's business.
#pragma once

#include <spool/trace/ids.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace unspool {

namespace trace = spool::trace;

/// Who had an object for a while.
struct Holder {
  enum class Tenant {
    unknown,  ///< the Records do not say
    nobody,   ///< released and not yet acquired again: hand-over
    thread,
    others,  ///< several, of whom only the sum was kept
  };
  Tenant tenant = Tenant::unknown;
  trace::ThreadNumber thread = 0;
  trace::SiteNumber site = 0;  ///< where it acquired; of several where all of them did, if that is one place

  bool operator==(const Holder&) const = default;
};

/// These have it at the same time.
template <class Holders>
Holder several(const Holders& holders) {
  const trace::SiteNumber site = holders.begin()->site;
  const bool same = std::ranges::all_of(holders, [&](const auto& each) { return each.site == site; });
  return {Holder::Tenant::others, 0, same ? site : 0};
}

/// From `from` on until the next tenure begins.
struct Tenure {
  Holder holder;
  trace::Ticks from = 0;
  bool from_known = false;  ///< the hold began at `from`; otherwise it was only seen then
};

/// A holder's part of a wait.
struct Share {
  Holder holder;
  trace::Ticks ticks = 0;
};

/// Adds to the share of this holder, or makes one. Past some number of holders the rest go to `others`, so that a
/// wait of hours costs no more than one of a second.
void add_share(std::vector<Share>& shares, const Holder& holder, trace::Ticks ticks);

/// Divides [from, until] among `tenures`, the first of which is the one at `from`; `until` is not before `from`. What
/// is added sums to exactly until - from, also where the tenures' times (of other threads' clocks) contradict.
void divide(std::span<const Tenure> tenures, trace::Ticks from, trace::Ticks until, std::vector<Share>& shares);

/// One object's tenures as far back as the open waits for it need them, and where each of these waits began.
///
///   | block | block | ... | recent tenures | now |
///           ^ edge of what was summed up ┘
///
/// Now and then the recent tenures are summed up as a block. A wait adds the blocks since its begin when it ends, so
/// that neither many waits nor a long one make a tenure dear. Neighbouring blocks are merged unless a wait begins
/// between them: there are never many more of them than open waits.
class History {
 public:
  class Pasts;

  const Tenure& now() const { return now_; }
  Tenure& now() { return now_; }
  void change(const Holder& holder, trace::Ticks from, bool from_known) {
    if (waiting_ != 0) keep_now(from);
    now_.holder = holder;
    now_.from = from;
    now_.from_known = from_known;
  }

  /// The same where several hold it together: one of them comes or goes. `now` is what the order of the Records makes
  /// of it. Whom a writer lets in goes on when there is a processor for it, in any order: `at` may lie before what
  /// others have said already. Where somebody waits, the tenures are put into the order of the times.
  void change_shared(const Holder& who, trace::Ticks at, bool comes, const Tenure& now);

  /// These hold it together now, and nobody has waited until now.
  void hold_together(Pasts& pasts, std::span<const Tenure> readers);
  /// Who has it is not known from here on.
  void forget();

  bool waited_for() const { return waiting_ != 0; }
  std::uint32_t waiters() const { return waiting_; }

  /// An open wait's number here, small, and used again after its end.
  using Ticket = std::uint32_t;
  /// Who had it at `since` may not be kept any more where the present hold began only then, or the last one ended; it
  /// was `before`.
  Ticket begin_wait(Pasts& pasts, trace::Ticks since, const Holder& before);
  void end_wait(Pasts& pasts, Ticket ticket);

  /// The holders during this wait up to `until`, as shares; their sum is exactly the answer minus its begin. The
  /// answer is `until`, or later where that lies before what was summed up already (other threads' clocks). `let_in`:
  /// it ended by being let in with others, who kept it waiting no longer: from then on it was hand-over.
  trace::Ticks divide_wait(Ticket ticket, trace::Ticks until, std::vector<Share>& shares, bool let_in = false) const;

 private:
  /// An open wait. A fresh one began in the recent tenures; any other has its first part in `shares`, and the rest in
  /// the blocks from `block` on.
  struct Open {
    trace::Ticks since = 0;
    std::size_t first = 0;
    std::uint64_t block = 0;
    std::size_t fresh = settled;  ///< its index in Past::fresh
    std::vector<Share> shares;
  };
  static constexpr std::size_t settled = ~std::size_t{0};
  static constexpr std::size_t first_merge = 8;  ///< blocks
  struct Block {
    std::uint64_t number = 0;
    std::uint64_t starts = 0;  ///< open waits that need the blocks from this one on, and not the one before
    std::vector<Share> shares;
  };
  /// The last tenures are of readers who hold it together: those from `first` on, and `now`; the one before is
  /// nobody's.
  struct Together {
    static constexpr std::size_t most_changes = 4096;
    struct Change {
      trace::Ticks at = 0;
      Holder who;
      bool comes = false;
    };
    std::vector<Change> changes;
    std::size_t first = 0;
    std::size_t end = 0;      ///< of `recent`; where it is another by now, this is over
    trace::Ticks latest = 0;  ///< of the changes
  };
  /// What only an object has that is waited for.
  struct Past {
    std::vector<Tenure> recent;  ///< before now
    std::vector<Block> blocks;   ///< by number
    std::vector<Open> waits;     ///< by ticket
    std::vector<Ticket> free;
    std::vector<Ticket> fresh;
    trace::Ticks edge = 0;  ///< blocks reach up to here
    std::uint64_t next_block = 0;
    std::uint64_t next_starts = 0;  ///< of the block to come
    std::size_t merge_at = first_merge;
    Together together;

    bool is_together() const { return together.first != 0 && together.end == recent.size(); }

    std::vector<Block>::iterator block(std::uint64_t number);
    void sum_up(trace::Ticks until, bool needed);
    bool settle(Open& wait, trace::Ticks until);
    void settle_fresh(trace::Ticks until);
    void merge_blocks();
  };

  void keep_now(trace::Ticks until);
  void sort_together();
  std::size_t first_for(trace::Ticks since, const Holder& before);

  Tenure now_;
  std::uint32_t waiting_ = 0;
  std::unique_ptr<Past> past_;
};

/// Where histories leave what they need only while somebody waits, to whichever needs it next: as few objects are
/// waited for at a time, this stays in the cache.
class History::Pasts {
 private:
  friend class History;
  std::unique_ptr<Past> take();
  void put(std::unique_ptr<Past> past);

  std::vector<std::unique_ptr<Past>> spare_;
};

}  // namespace unspool
