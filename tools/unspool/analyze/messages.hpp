// SPDX-License-Identifier: MIT
//
// What the threads logged last, for whoever asks at the end or while a wait ends. Owns which messages are kept; render
// makes their texts.
//
// Memory: the last `each` messages of every live thread and of the last 256 that ended, of each a KiB at most.
#pragma once

#include <unspool/analyze/filter.hpp>
#include <unspool/replay/observer.hpp>

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

namespace unspool {

/// The text of a message that may be broken in any way.
std::string text_of(const Record& record);

/// A message that was kept: the Record, and what it points to. Movable, as `record()` makes the Record anew.
struct Said {
  trace::ThreadNumber thread = 0;
  trace::Ticks time = 0;
  trace::SiteNumber site = 0;
  const trace::Row* row = nullptr;
  const MessageClass* message = nullptr;  ///< null where `plain` holds all of it
  MessageClass plain;                     ///< a text that was made already
  std::string bytes;                      ///< of the Record
  bool cut = false;                       ///< it was longer than is kept

  /// Valid as long as this.
  Record record() const;
};

/// A wait, and what the two of it logged up to its end.
struct TalkedWait {
  Wait wait;
  trace::ThreadNumber holder = 0;  ///< who had it longest meanwhile; 0: nobody known
  std::vector<Said> said;
};

class Messages : public Observer {
 public:
  static constexpr std::size_t most_bytes = 1024;
  static constexpr std::size_t most_ended = 256;
  static constexpr std::size_t most_waits = 5;

  /// Keeps `each` messages of a thread; 0: nothing. `waits`: also those around the longest waits for locks that the
  /// filter lets pass. The filter outlives it.
  Messages(std::size_t each, bool waits, const Filter& filter) : each_{each}, waits_wanted_{waits}, filter_{filter} {}

  bool hears(const trace::Row& row) const override;
  void record(const Record& record) override;
  void waited(const ObjectState* object, const Wait& wait) override;

  bool any() const { return each_ != 0; }
  /// Of these threads, by time.
  std::vector<Said> of(const std::vector<trace::ThreadNumber>& threads) const;
  /// The longest first, one an object.
  const std::vector<TalkedWait>& waits() const { return waits_; }

 private:
  struct Ring {
    std::vector<Said> said;
    std::size_t next = 0;  ///< in which the next one goes, once it is full
  };

  void keep(const Record& record, Said& said) const;
  void ended(trace::ThreadNumber thread);

  std::size_t each_;
  bool waits_wanted_;
  const Filter& filter_;
  std::unordered_map<trace::ThreadNumber, Ring> rings_;
  std::deque<trace::ThreadNumber> ended_;
  std::vector<TalkedWait> waits_;
};

}  // namespace unspool
