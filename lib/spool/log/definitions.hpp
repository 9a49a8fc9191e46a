// SPDX-License-Identifier: MIT
//
// What the numbers in a segment mean: sites, objects, threads, clock and mode, written to the segment's definition
// stream before the first Record that uses them (I5). All of it under the recorder's mutex m.
#pragma once

#include <spool/log/call_stacks.hpp>
#include <spool/log/cost.hpp>
#include <spool/log/identity.hpp>
#include <spool/log/object.hpp>
#include <spool/log/segment.hpp>
#include <spool/os/clock.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace spool::log {

/// A message site's event class, immortal.
struct MessageSite {
  trace::MessageClass declared;
  std::vector<std::string> names;  ///< what those of `declared.arguments` point to
  Site site;
  trace::SiteNumber number = 0;  ///< the site's, once defined
  std::uint32_t defined = 0;     ///< number of the segment whose metadata has it
};

/// What is recorded, said anew in each segment: whoever reads one alone has to know what is not in it.
struct Modes {
  trace::Mode general = trace::Mode::off;
  std::chrono::nanoseconds long_wait = std::chrono::milliseconds{1};  ///< for mode long
  /// Of the objects that have one of their own: of the newest most_own, as one already tells that not all is as
  /// `general`.
  std::map<trace::ObjectNumber, trace::Mode> own = {};
  static constexpr std::size_t most_own = 256;

  bool has_long() const;
};

class Definitions {
 public:
  /// Begins the definition stream of a segment: clock and mode first. Its first chunk is chunk 0.
  bool enter(Segment& segment, const Modes& modes, std::uint64_t frequency);

  // Each is true when the definition stands in the segment, now or before; false when the segment is full.
  bool define(Segment& segment, Object& object);
  bool define(Segment& segment, const Site& site, trace::SiteNumber& number);
  bool define_site(Segment& segment, trace::SiteNumber number);
  bool define_thread(Segment& segment, Identity& identity);
  bool define_message(Segment& segment, MessageSite& message);
  /// A call stack and all its frames; 0 is none.
  bool define_stack(Segment& segment, trace::StackNumber number);
  /// What these frames are called is known now; where they are defined already, it is said.
  void name_frames(Segment* segment, std::vector<NamedFrame> named);
  CallStacks& stacks() { return stacks_; }
  /// From a thread's status alone, without touching the object.
  bool define_remembered(Segment& segment, trace::ObjectNumber number, const ObjectClass& shared,
                         trace::ObjectNumber parent);
  /// What was numbered so; {} where nothing was.
  Site site(trace::SiteNumber number) const;
  bool clock(Segment& segment, const os::ClockReading& now, std::uint64_t frequency);
  bool mode(Segment& segment, trace::Mode mode, trace::ObjectNumber object = 0);  ///< 0: of all
  bool long_wait(Segment& segment, std::chrono::nanoseconds span);
  bool cost(Segment& segment, const Cost& cost);

 private:
  struct KnownSite {
    Site site;
    std::uint32_t defined = 0;
  };

  const ObjectClass* shared(const ObjectClass& wanted);
  trace::SiteNumber number_of(const Site& site);
  bool put_frame(Segment& segment, trace::FrameNumber number);
  bool put_object(Segment& segment, trace::ObjectNumber number, const ObjectClass& described,
                  trace::ObjectNumber parent);
  bool put(Segment& segment, trace::Verb verb, trace::ObjectNumber object, std::span<const std::byte> fields);
  bool put_at(Segment& segment, trace::Ticks time, trace::Verb verb, trace::ObjectNumber object,
              std::span<const std::byte> fields);
  bool take_chunk(Segment& segment);

  std::deque<KnownSite> sites_;                                 ///< number - 1
  std::unordered_map<std::string, trace::SiteNumber> numbers_;  ///< "file:line:function"
  std::deque<ObjectClass> classes_;
  std::unordered_map<std::string, const ObjectClass*> class_of_;

  CallStacks stacks_;

  std::uint32_t segment_ = 0;  ///< where the stream stands now
  std::byte* packet_ = nullptr;
  std::uint64_t position_ = 0;
  std::uint64_t limit_ = 0;
  trace::Ticks last_ = 0;  ///< times in the stream never go back (I6)
};

}  // namespace spool::log
