// SPDX-License-Identifier: MIT
//
// Lets a test read the log of its own process, and wait for it: no sleep has to mean "surely blocked by now". Owns what
// was read since the program started; a program has one tap, which starts recording in memory.
//
//   spool::Thread waiter{[&] { const std::lock_guard guard{lock}; }};  // @guard
//   waiter.start();
//   tap().await(Kind::lock, Verb::block, number_of(lock));
//   ...
//   CHECK(tap().story(number_of(lock)) == Story{"MainThread lock.acquire @hold seq=1", ...});
#pragma once

#include <spool/log/drain.hpp>
#include <spool/log/object.hpp>

#include "support/tapped_record.hpp"

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace spool::test {

/// The number of a primitive, which it gets with its first Record; 0 before.
template <class Primitive>
trace::ObjectNumber number_of(Primitive& primitive) {
  return primitive.log_object().known_number();
}

/// Thread-safe.
class RecordTap {
 public:
  /// Waits until at least `count` such Records of the object have been read. Without them after 20 s it prints what
  /// there was and aborts: the threads that were waited for may hang.
  void await(trace::Kind kind, trace::Verb verb, trace::ObjectNumber object, std::size_t count = 1);
  /// The same for a Record that this thread has made, of any object.
  void await_by(trace::ThreadNumber thread, trace::Kind kind, trace::Verb verb, std::size_t count = 1);

  /// What an object's Records were so far, by time.
  std::vector<TappedRecord> records_of(trace::ObjectNumber object);
  std::vector<TappedRecord> records_by(trace::ThreadNumber thread);
  /// All messages so far that this thread made.
  std::vector<TappedRecord> messages_by(trace::ThreadNumber thread);
  std::vector<TappedRecord> all();

  /// The same in words: "worker lock.block @site seq=1 owner=MainThread owner_site=@hold". Fields that are 0 are left
  /// out, and `spun`, `native_id` and reserved ones always.
  Story story(trace::ObjectNumber object);
  Story story_by(trace::ThreadNumber thread);

  /// The sequence numbers that an object's advancing Records bear, in rising order.
  std::vector<trace::Sequence> sequence(trace::ObjectNumber object);

  TappedSite site(trace::SiteNumber number);
  std::string thread_name(trace::ThreadNumber number);
  /// The names that `definition.object` Records gave, and their parents.
  std::string object_name(trace::ObjectNumber number);
  trace::ObjectNumber parent_of(trace::ObjectNumber number);
  /// How many segments were recycled unread: has to stay 0.
  std::uint64_t lapped();

 private:
  friend RecordTap& tap();
  struct KnownObject {
    std::string name;
    trace::ObjectNumber parent = 0;
  };

  RecordTap();
  template <class Wanted>
  void await_if(const std::string& what, std::size_t count, Wanted wanted);
  template <class Wanted>
  std::vector<TappedRecord> select(Wanted wanted);
  void poll();
  void define(const log::DrainedRecord& record);
  void add(const log::DrainedRecord& record);
  std::string label(trace::SiteNumber number) const;
  std::string words(const TappedRecord& record) const;
  std::string name_of_thread(trace::ThreadNumber number) const;

  std::mutex mutex_;
  log::Drain drain_;
  std::vector<TappedRecord> records_;
  std::map<trace::SiteNumber, TappedSite> sites_;
  std::map<trace::ThreadNumber, std::string> threads_;
  std::map<trace::ObjectNumber, KnownObject> objects_;
};

/// The program's tap; the first call starts recording, with all transitions and every level.
RecordTap& tap();

}  // namespace spool::test
