// SPDX-License-Identifier: MIT
//
// What a reader of the streams has learnt from the definitions: the names of threads, sites and objects. Owns the
// texts.
#pragma once

#include <spool/log/drain.hpp>
#include <spool/log/known.hpp>
#include <spool/trace/ids.hpp>
#include <spool/trace/named_record.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <string>

namespace spool::log {

struct KnownThread {
  std::string name;
  std::uint32_t native_id = 0;
  bool daemon = false;
};

struct KnownSite {
  std::string file;
  std::string function;
  std::uint32_t line = 0;
};

struct KnownObject {
  std::string name;
  trace::Kind kind = trace::Kind::trace;
};

/// Thread-bound.
class KnownNames {
 public:
  /// `objects`: are they wanted?
  explicit KnownNames(bool objects) : wants_objects_{objects} {}

  /// Another process: nothing is known.
  void clear();

  /// Would learn() change anything that is wanted? A segment repeats the definitions of what it uses. Requires a
  /// definition.
  bool is_news(const DrainedRecord& definition) const;
  void learn(const DrainedRecord& definition);
  /// Of anything else: the thread that ends with it, or the object that it destroys, need not be known for long.
  void forget_ended(const DrainedRecord& record);

  /// Gives the Record the names of its thread, site and object. Requires its numbers and its row.
  void put_names(trace::NamedRecord& record) const;

  const KnownThread* thread(trace::ThreadNumber number) const { return threads_.find(number); }
  const KnownSite* site(trace::SiteNumber number) const { return sites_.find(number); }
  const KnownObject* object(trace::ObjectNumber number) const { return objects_.find(number); }

 private:
  void change();
  int mode_of(trace::ObjectNumber object) const;  ///< -1: not known
  void learn_mode(const DrainedRecord& definition);

  const bool wants_objects_;
  std::uint64_t version_ = 0;                 ///< NamedRecord::names
  std::map<trace::ObjectNumber, int> modes_;  ///< of objects, and under 0 the general one
  std::uint64_t long_wait_ = 0;               ///< nanoseconds; 0: not known
  mutable Known<trace::ThreadNumber, KnownThread> threads_;
  mutable Known<trace::SiteNumber, KnownSite> sites_;
  mutable Known<trace::ObjectNumber, KnownObject> objects_;
  std::deque<trace::ThreadNumber> ended_;
};

}  // namespace spool::log
