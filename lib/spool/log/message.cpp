// SPDX-License-Identifier: MIT
#include <spool/log/message.hpp>
#include <spool/log/message_sites.hpp>
#include <spool/log/recorder.hpp>
#include <spool/trace/message.hpp>

#include <algorithm>
#include <cstdio>
#include <new>
#include <optional>
#include <string>

namespace spool::log {
namespace {

constexpr std::uint16_t text_id = trace::record_id(trace::Kind::message, trace::Verb::text);

/// FNV-1a: tells two long texts apart that were cut at the same length.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325U;
  for (const char each : text)
    hash = (hash ^ static_cast<unsigned char>(each)) * 0x100'0000'01b3U;
  return hash;
}

/// At most `most` bytes, not through the middle of a character; says how much there was.
std::string cut(std::string_view text, std::size_t most) {
  std::size_t length = most;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0U) == 0x80)
    --length;
  return fmt::format("{}... [cut: {} bytes in all, hash {:016x}]", text.substr(0, length), text.size(), hash_of(text));
}

/// Where an argument of this name stands; -1: nowhere.
struct Finder {
  const MessageKey& key;
  int operator()(std::string_view name) const {
    const auto found = std::ranges::find(key.names, name);
    return found == key.names.end() ? -1 : static_cast<int>(found - key.names.begin());
  }
};

struct TextNeed {
  std::string_view text;
  std::size_t size;
};

bool try_write_text(Writer& writer, Level level, const Site& site, std::string_view logger,
                    const TextNeed& need) noexcept {
  Emission emission;
  if (emission.enter(writer, need.size) != Emission::Result::entered) return false;
  const SiteSlot& slot = writer.sites[site_slot(site)];
  if (!slot.is_at(site) || slot.generation != writer.generation) {
    emission.leave(writer);
    return false;
  }
  std::byte* to = detail::pack(emission.bytes, trace::RecordHeader{os::ticks(), trace::id_and_object(text_id, 0)});
  to = detail::pack(to, slot.number);
  to = detail::pack(to, static_cast<std::uint8_t>(level));
  to = detail::pack(to, logger);
  detail::pack(to, need.text);
  emission.mark_mixed();
  emission.commit(writer);
  return true;
}

bool try_write_packed(Writer& writer, std::uint64_t digest, std::span<const std::byte> arguments) noexcept {
  Emission emission;
  const std::size_t size = sizeof(trace::RecordHeader) + sizeof(trace::SiteNumber) + arguments.size();
  if (emission.enter(writer, size) != Emission::Result::entered) return false;
  const MessageSlot& slot = writer.messages[message_slot(digest)];
  if (slot.digest != digest || slot.generation != writer.generation) {
    emission.leave(writer);
    return false;
  }
  std::byte* to = detail::pack(emission.bytes, trace::RecordHeader{os::ticks(), trace::id_and_object(slot.id, 0)});
  to = detail::pack(to, slot.site);
  std::ranges::copy(arguments, to);
  emission.commit(writer);
  return true;
}

enum class Prepared : std::uint8_t { ready, as_text, lost };

/// Defines the message site and makes room.
Prepared prepare_message(Writer& writer, const MessageKey& key, std::size_t size) noexcept {
  if (writer.slow) {
    count_loss(writer, trace::LossReason::reentered);
    return Prepared::lost;
  }
  MessageSite* message = nullptr;
  try {
    message = MessageSites::instance().find_or_add(key);
  } catch (...) {  // no memory: without a class of its own
  }
  if (message == nullptr) return Prepared::as_text;
  if (!prepare(writer, {.size = size, .message = message})) return Prepared::lost;
  writer.messages[message_slot(key.digest)] = {key.digest, writer.generation, message->number, message->declared.id};
  return Prepared::ready;
}

/// nullptr: there is no memory for the thread's writer, and its Record has been counted as lost.
Writer* try_self() noexcept {
  try {
    return &self();
  } catch (const std::bad_alloc&) {
    Recorder::instance().count_loss_without_writer();
    return nullptr;
  }
}

/// A message that there is no memory to make.
void lose(Writer& writer) noexcept {
  Recorder::instance().note_no_memory();
  count_loss(writer, trace::LossReason::no_space);
}

/// With names as numbers, since fmt gets the arguments without names.
std::string formatted(const MessageKey& key, fmt::format_args arguments) {
  std::string numbered{key.format};
  if (trace::has_names(key.format)) {
    numbered.clear();
    const auto fault = trace::put_numbered(key.format, Finder{key}, [&](std::string_view piece) { numbered += piece; });
    if (fault != trace::FormatFault::none) throw fmt::format_error{"a name in the format is no argument"};
  }
  return fmt::vformat(numbered, arguments);
}

}  // namespace

bool write_packed(const MessageKey& key, std::span<const std::byte> arguments) noexcept {
  Writer* const mine = try_self();
  if (mine == nullptr) return true;
  Writer& writer = *mine;
  const std::size_t size = sizeof(trace::RecordHeader) + sizeof(trace::SiteNumber) + arguments.size();
  constexpr int attempts = 64;
  for (int i = 0; i < attempts; ++i) {
    const bool done = try_write_packed(writer, key.digest, arguments);
    finish(writer);
    if (done) return true;
    const Prepared prepared = prepare_message(writer, key, size);
    if (prepared == Prepared::lost) return true;  // and counted
    if (prepared == Prepared::as_text) return false;
  }
  return false;
}

void write_text(Level level, const Site& site, std::string_view text, std::string_view logger) noexcept {
  if (!is_recording()) {
    print_at_once(level, text, logger);
    return;
  }
  Writer* const mine = try_self();
  if (mine == nullptr) return;
  Writer& writer = *mine;
  const std::size_t header = sizeof(trace::RecordHeader) + sizeof(trace::SiteNumber) + 1 + 4 + logger.size() + 4;
  std::string shortened;
  if (text.size() > most_packed) {
    try {
      shortened = cut(text, most_packed);
    } catch (const std::bad_alloc&) {
      lose(writer);
      return;
    }
    text = shortened;
  }
  const TextNeed need{text, header + text.size()};
  constexpr int attempts = 64;
  for (int i = 0; i < attempts; ++i) {
    const bool done = try_write_text(writer, level, site, logger, need);
    finish(writer);
    if (done) return;
    if (!prepare(writer, {.size = need.size, .site = &site})) return;
  }
  count_loss(writer, trace::LossReason::no_space);
}

void write_formatted(const MessageKey& key, fmt::format_args arguments) noexcept {
  try {
    write_text(key.level, key.site, formatted(key, arguments), key.logger);
  } catch (const std::bad_alloc&) {
    if (!is_recording()) return print_at_once(key.level, key.format, key.logger);
    Writer* const mine = try_self();
    if (mine != nullptr) lose(*mine);
  } catch (const std::exception& problem) {  // a formatter of the user's threw
    write_text(key.level, key.site, key.format, key.logger);
    write_text(Level::error, key.site, problem.what(), key.logger);
  } catch (...) {
    write_text(key.level, key.site, key.format, key.logger);
  }
}

bool make_text(std::string& out, const MessageKey& key, std::size_t index, fmt::format_args argument) {
  std::optional<std::string_view> spec;
  bool apart = true;
  const auto fault =
      trace::for_each_argument(key.format, Finder{key}, [&](const trace::Reference& each, std::size_t of) {
        if (of != index) return;
        const std::string_view own = key.format.substr(each.id_end, each.close - each.id_end);
        apart = apart && !each.nested && own.find('{') == std::string_view::npos && spec.value_or(own) == own;
        spec = own;
      });
  if (!apart || fault != trace::FormatFault::none) return false;
  out = fmt::vformat(fmt::format("{{0{}}}", spec.value_or("")), argument);
  return true;
}

void print_at_once(Level level, std::string_view text, std::string_view logger) noexcept {
  if (level < Level::warning) return;
  try {
    const std::string from = logger.empty() ? "" : trace::escaped(logger) + ": ";
    const std::string line = fmt::format("[{}] ({}) {}{}\n", trace::name_of(level),
                                         trace::escaped(current_identity()->name()), from, trace::escaped(text));
    std::fputs(line.c_str(), stderr);
  } catch (...) {  // no memory: as much as can be said without
    std::fputs("spool: a message could not be printed: no memory\n", stderr);
  }
}

}  // namespace spool::log
