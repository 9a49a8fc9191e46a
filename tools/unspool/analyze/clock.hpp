// SPDX-License-Identifier: MIT
//
// What somebody knows of how far the threads have come, and what is kept of who handed it over. Owns the arithmetic;
// which Record hands over what is clocks.hpp's.
#pragma once

#include <unspool/model/model.hpp>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace unspool {

/// How far each marked thread had come, as somebody knows it; nullptr: knows nothing.
using Clock = std::shared_ptr<const std::vector<std::uint32_t>>;

/// What either knows.
Clock joined(const Clock& a, const Clock& b);
/// What both know.
Clock common_of(const Clock& a, const Clock& b);

/// What was put since nothing was left: who takes knows only what all who put knew.
class Stock {
 public:
  void put(const Clock& clock) {
    common_ = is_empty_ ? clock : common_of(common_, clock);
    is_empty_ = false;
  }
  const Clock& common() const { return common_; }

 private:
  Clock common_;
  bool is_empty_ = true;
};

/// A Record that let waits go on.
struct Release {
  trace::Sequence seq = 0;
  trace::ThreadNumber by = 0;
  std::uint32_t generation = 0;  ///< Barrier
  Clock clock;
};

/// The last few of one object. What a wait was ended by is found by what its Records quote: until it runs, others may
/// follow.
class Releases {
 public:
  void add(Release release);
  /// Null where there is none.
  Release* newest() { return last_.empty() ? nullptr : &last_.back(); }
  /// The first one after a block that quotes `seq`; of this thread, if one is given. Null where it may be forgotten.
  const Release* first_after(trace::Sequence seq, trace::ThreadNumber by = 0) const;
  /// The one that a call which had not to wait saw.
  const Release* last_until(trace::Sequence seq) const;
  const Release* at(trace::Sequence seq) const;

 private:
  std::vector<Release> last_;
  bool forgot_ = false;
};

/// What one thread knew when it gave its n-th. For one that is not kept an earlier one stands, which knows less.
class Gifts {
 public:
  void add(std::uint64_t count, const Clock& clock);
  Clock nth(std::uint64_t n) const;

 private:
  struct Gift {
    std::uint64_t first = 0;
    Clock clock;
  };
  std::vector<Gift> gifts_;
  std::uint64_t given_ = 0;
};

/// What is counted: permits of a semaphore, room of a queue. However the threads run, the n-th take of a thread comes
/// after n gives, less those that it gave itself and what there was at first. If but one other thread gives, these are
/// its first ones.
class Account {
 public:
  /// `in_order`: what the thread does follows each other in every run; a pool's worker has its tasks by chance.
  void give(trace::ThreadNumber thread, std::uint64_t count, const Clock& clock, bool in_order);

  struct Taken {
    bool from_one = false;  ///< no other thread has given but one, and that in order
    Clock clock;            ///< what it knew then
  };
  Taken take(trace::ThreadNumber thread, std::int64_t at_first, bool in_order);

  /// Gives of this thread less its takes.
  std::int64_t balance(trace::ThreadNumber thread) const;
  std::uint64_t given() const { return given_; }
  /// More threads than are kept apart: nothing is known.
  bool is_crowded() const { return crowded_; }

 private:
  struct Giver {
    trace::ThreadNumber thread = 0;
    bool in_order = true;
    Gifts gifts;
  };
  bool count(trace::ThreadNumber thread, std::int64_t by);

  std::unordered_map<trace::ThreadNumber, std::int64_t> balances_;
  std::vector<Giver> givers_;  ///< the taker may be one of two
  std::uint64_t given_ = 0;
  bool crowded_ = false;
};

}  // namespace unspool
