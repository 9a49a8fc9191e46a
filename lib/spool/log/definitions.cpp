// SPDX-License-Identifier: MIT
#include <spool/log/definitions.hpp>
#include <spool/os/clock.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

namespace spool::log {
namespace {

/// The byte-packed fields of one definition.
class Fields {
 public:
  template <class T>
  Fields& number(T value) {
    const auto at = bytes_.size();
    bytes_.resize(at + sizeof value);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
    return *this;
  }

  /// Longer ones are cut, marked as such: a definition must fit into a packet.
  Fields& text(std::string_view value) {
    constexpr std::size_t most = 1024;
    constexpr std::string_view cut = "...";
    const bool fits = value.size() <= most;
    number(static_cast<std::uint32_t>(fits ? value.size() : most + cut.size()));
    append(value.substr(0, most));
    if (!fits) append(cut);
    return *this;
  }

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  void append(std::string_view value) {
    const auto bytes = std::as_bytes(std::span{value});
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  std::vector<std::byte> bytes_;
};

std::string_view text_or_empty(const char* text) {
  return text == nullptr ? "" : text;  // not a null view: memcpy takes no null, however short
}

/// By the texts: two files of a program have them at different addresses. The function tells the instances of a
/// template apart, whichever of them comes first.
std::string key_of(const Site& site) {
  return fmt::format("{}:{}:{}", text_or_empty(site.file), site.line, text_or_empty(site.function));
}

}  // namespace

bool Definitions::take_chunk(Segment& segment) {
  if (segment.next_chunk >= segment.geometry.chunks) return false;
  const std::size_t chunk = segment.next_chunk++;
  trace::PacketHeader& header = segment.header(chunk);
  header.stream_id = trace::definition_stream;
  // Clamped: the counter can be read ahead of taking the mutex, so that two threads' times cross (I6).
  last_ = std::max(last_, os::ticks_in_order());
  header.timestamp_begin = last_;
  segment_ = segment.number;
  packet_ = segment.chunks[chunk].data();
  position_ = sizeof header;
  limit_ = segment.geometry.chunk_bytes;
  return true;
}

bool Definitions::put(Segment& segment, trace::Verb verb, trace::ObjectNumber object,
                      std::span<const std::byte> fields) {
  return put_at(segment, os::ticks(), verb, object, fields);
}

/// `time` is clamped to what the stream has already (I6).
bool Definitions::put_at(Segment& segment, trace::Ticks time, trace::Verb verb, trace::ObjectNumber object,
                         std::span<const std::byte> fields) {
  const std::size_t size = sizeof(trace::RecordHeader) + fields.size();
  if (segment_ != segment.number) return false;
  if (trace::align_record(position_) + size > limit_ && !take_chunk(segment)) return false;
  const std::uint64_t at = trace::align_record(position_);
  last_ = std::max(last_, time);
  const trace::RecordHeader header{last_,
                                   trace::id_and_object(trace::record_id(trace::Kind::definition, verb), object)};
  std::memcpy(packet_ + at, &header, sizeof header);
  std::memcpy(packet_ + at + sizeof header, fields.data(), fields.size());
  position_ = at + size;
  // release: partner is the acquire of a reader of content_size
  std::atomic_ref{Segment::header_at(packet_).content_size}.store(position_ * 8, std::memory_order_release);
  return true;
}

bool Modes::has_long() const {
  constexpr auto is_long = [](trace::Mode mode) { return mode == trace::Mode::long_waits; };
  return is_long(general) || std::ranges::any_of(own, [=](const auto& each) { return is_long(each.second); });
}

bool Definitions::enter(Segment& segment, const Modes& modes, std::uint64_t frequency) {
  if (!take_chunk(segment) || !clock(segment, os::read_clocks(), frequency) || !mode(segment, modes.general))
    return false;
  if (modes.has_long() && !long_wait(segment, modes.long_wait)) return false;
  return std::ranges::all_of(modes.own, [&](const auto& each) { return mode(segment, each.second, each.first); });
}

/// The Record's time is the reading's: what comes between reading and writing must not make the frequency wrong.
bool Definitions::clock(Segment& segment, const os::ClockReading& now, std::uint64_t frequency) {
  return put_at(segment, now.ticks, trace::Verb::clock, 0,
                Fields{}.number(now.monotonic).number(now.realtime).number(now.boottime).number(frequency).bytes());
}

bool Definitions::mode(Segment& segment, trace::Mode mode_now, trace::ObjectNumber object) {
  return put(segment, trace::Verb::mode, object, Fields{}.number(static_cast<std::uint8_t>(mode_now)).bytes());
}

bool Definitions::long_wait(Segment& segment, std::chrono::nanoseconds span) {
  return put(segment, trace::Verb::wait, 0, Fields{}.number(static_cast<std::uint64_t>(span.count())).bytes());
}

bool Definitions::cost(Segment& segment, const Cost& cost) {
  const auto ns = [](std::chrono::nanoseconds span) { return static_cast<std::uint64_t>(span.count()); };
  return put(segment, trace::Verb::cost, 0,
             Fields{}
                 .number(cost.since)
                 .number(cost.written.records)
                 .number(cost.written.bytes)
                 .number(cost.lost)
                 .number(cost.helped)
                 .number(ns(cost.cpu.keeper))
                 .number(ns(cost.cpu.dispatcher))
                 .number(ns(cost.cpu.archiver))
                 .bytes());
}

trace::SiteNumber Definitions::number_of(const Site& site) {
  if (site.file == nullptr) return 0;
  std::string key = key_of(site);
  const auto known = numbers_.find(key);
  if (known != numbers_.end()) return known->second;
  sites_.push_back({site, 0});
  const auto number = static_cast<trace::SiteNumber>(sites_.size());
  try {
    numbers_.emplace(std::move(key), number);
  } catch (...) {  // no memory: the number must not be another site's later
    sites_.pop_back();
    throw;
  }
  return number;
}

bool Definitions::define(Segment& segment, const Site& site, trace::SiteNumber& number) {
  number = number_of(site);
  return define_site(segment, number);
}

bool Definitions::define_site(Segment& segment, trace::SiteNumber number) {
  if (number == 0 || number > sites_.size()) return true;
  KnownSite& known = sites_[number - 1];
  if (known.defined == segment.number) return true;
  const Site& site = known.site;
  const bool done = put(segment, trace::Verb::site, 0,
                        Fields{}
                            .number(number)
                            .number(site.line)
                            .text(text_or_empty(site.file))
                            .text(text_or_empty(site.function))
                            .bytes());
  if (done) known.defined = segment.number;
  return done;
}

Site Definitions::site(trace::SiteNumber number) const {
  return number == 0 || number > sites_.size() ? Site{} : sites_[number - 1].site;
}

bool Definitions::define_thread(Segment& segment, Identity& identity) {
  // relaxed, both: `defined_` is written under m
  if (identity.defined_.load(std::memory_order_relaxed) == segment.number) return true;
  const bool done = put(segment, trace::Verb::thread, identity.known_number(),
                        Fields{}
                            .number(identity.native_id())
                            .number(identity.creator())
                            .number(static_cast<std::uint8_t>(identity.daemon()))
                            .number(static_cast<std::uint8_t>(identity.origin()))
                            .text(identity.name())
                            .bytes());
  // relaxed: `defined_` is written under m
  if (done) identity.defined_.store(segment.number, std::memory_order_relaxed);
  return done;
}

const ObjectClass* Definitions::shared(const ObjectClass& wanted) {
  const std::string key =
      fmt::format("{}|{}|{}", static_cast<int>(wanted.kind), key_of(wanted.site), text_or_empty(wanted.name));
  const auto found = class_of_.try_emplace(key, nullptr).first;
  if (found->second == nullptr) found->second = &classes_.emplace_back(wanted);  // new, or there was no memory for it
  return found->second;
}

bool Definitions::put_object(Segment& segment, trace::ObjectNumber number, const ObjectClass& described,
                             trace::ObjectNumber parent) {
  trace::SiteNumber site = 0;
  return define(segment, described.site, site) && put(segment, trace::Verb::object, number,
                                                      Fields{}
                                                          .number(site)
                                                          .number(static_cast<std::uint8_t>(described.kind))
                                                          .number(parent)
                                                          .text(text_or_empty(described.name))
                                                          .bytes());
}

bool Definitions::define(Segment& segment, Object& object) {
  if (object.kind() == trace::Kind::thread) return define_thread(segment, static_cast<Identity&>(object));
  if (object.is_defined(segment.number)) return true;
  if (object.shared_class() == nullptr) {
    // release: partner is the acquire in shared_class()
    object.shared_class_.store(shared(object.class_), std::memory_order_release);
  }
  Object* parent = object.parent();
  if (parent != nullptr && !define(segment, *parent)) return false;
  if (!put_object(segment, object.number(), object.class_, parent == nullptr ? 0 : parent->number())) return false;
  object.defined_.store(segment.number, std::memory_order_relaxed);  // relaxed: see is_defined
  return true;
}

bool Definitions::define_remembered(Segment& segment, trace::ObjectNumber number, const ObjectClass& described,
                                    trace::ObjectNumber parent) {
  return put_object(segment, number, described, parent);
}

bool Definitions::put_frame(Segment& segment, trace::FrameNumber number) {
  const CallStacks::Frame& frame = stacks_.frame(number);
  const std::vector<os::SourceLine> unnamed(1);
  std::uint32_t inlined = 0;
  for (const os::SourceLine& each : frame.lines.empty() ? unnamed : frame.lines) {
    const bool done = put(segment, trace::Verb::frame, 0,
                          Fields{}
                              .number(number)
                              .number(inlined++)
                              .number(each.line)
                              .number(frame.offset)
                              .text(frame.module)
                              .text(each.file)
                              .text(each.function)
                              .bytes());
    if (!done) return false;
  }
  return true;
}

bool Definitions::define_stack(Segment& segment, trace::StackNumber number) {
  for (CallStacks::Stack* each = stacks_.stack(number); each != nullptr && each->defined != segment.number;
       number = each->caller, each = stacks_.stack(number)) {
    CallStacks::Frame& frame = stacks_.frame(each->frame);
    if (frame.defined != segment.number && !put_frame(segment, each->frame)) return false;
    frame.defined = segment.number;
    if (!put(segment, trace::Verb::stack, 0, Fields{}.number(number).number(each->frame).number(each->caller).bytes()))
      return false;
    each->defined = segment.number;
  }
  return true;
}

void Definitions::name_frames(Segment* segment, std::vector<NamedFrame> named) {
  for (NamedFrame& each : named) {
    if (each.second.empty()) continue;
    CallStacks::Frame& frame = stacks_.frame(each.first);
    frame.lines = std::move(each.second);
    const bool is_defined = segment != nullptr && frame.defined == segment->number;
    if (is_defined && !put_frame(*segment, each.first)) frame.defined = 0;  // no room: in the next segment then
  }
}

bool Definitions::define_message(Segment& segment, MessageSite& message) {
  trace::SiteNumber number = 0;
  if (!define(segment, message.site, number)) return false;
  // Written once: whoever has defined the message reads it afterwards without m.
  if (message.number == 0) message.number = number;
  if (message.defined == segment.number) return true;
  if (!segment.append_metadata(trace::message_class_text(message.declared))) return false;
  message.defined = segment.number;
  return true;
}

}  // namespace spool::log
