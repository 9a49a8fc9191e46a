// SPDX-License-Identifier: MIT
#include <spool/log/message.hpp>
#include <spool/log/message_sites.hpp>
#include <spool/log/recorder.hpp>
#include <spool/trace/message.hpp>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <map>
#include <mutex>
#include <tuple>

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

struct TextNeed {
  std::string_view text;
  std::size_t size;
};

bool try_write_text(Writer& writer, Level level, const Site& site, const TextNeed& need) noexcept {
  Emission emission;
  if (emission.enter(writer, need.size) != Emission::Result::entered) return false;
  const SiteSlot& slot = writer.sites[site_slot(site.file, site.line)];
  if (slot.file != site.file || slot.line != site.line || slot.generation != writer.generation) {
    emission.leave(writer);
    return false;
  }
  std::byte* to = detail::pack(emission.bytes, trace::RecordHeader{os::ticks(), trace::id_and_object(text_id, 0)});
  to = detail::pack(to, slot.number);
  to = detail::pack(to, static_cast<std::uint8_t>(level));
  to = detail::pack(to, std::string_view{});
  detail::pack(to, need.text);
  emission.commit(writer);
  return true;
}

}  // namespace

MessageSites& MessageSites::instance() {
  static auto* sites = new MessageSites;  // leaked: messages are legal in static destructors
  return *sites;
}

MessageSite* MessageSites::find_or_add(const MessageKey& key) {
  const std::lock_guard guard{mutex_};
  const auto [found, is_new] =
      by_key_.try_emplace({key.format.data(), key.site.file, key.site.line, key.fields.data(), key.level}, nullptr);
  if (!is_new) return found->second;
  if (sites_.size() >= most_sites || key.format.size() > longest_format) return nullptr;
  MessageSite& added = sites_.emplace_back();
  added.declared.id = static_cast<std::uint16_t>(trace::first_message_class + sites_.size() - 1);
  added.declared.level = key.level;
  added.declared.format = key.format;
  added.declared.arguments.assign(key.fields.begin(), key.fields.end());
  added.site = key.site;
  found->second = &added;
  return &added;
}

const MessageSite* MessageSites::find(std::uint16_t id) {
  const std::lock_guard guard{mutex_};
  const auto index = static_cast<std::size_t>(id) - trace::first_message_class;
  return id >= trace::first_message_class && index < sites_.size() ? &sites_[index] : nullptr;
}

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
  writer.messages[message_slot(key)] = {key.fields.data(), key.format.data(),    key.site.line, writer.generation,
                                        message->number,   message->declared.id, key.level};
  return Prepared::ready;
}

void write_text(Level level, const Site& site, std::string_view text) noexcept {
  if (!is_recording()) {
    print_at_once(level, text);
    return;
  }
  Writer& writer = self();
  constexpr std::size_t header = sizeof(trace::RecordHeader) + sizeof(trace::SiteNumber) + 1 + 4 + 4;
  std::string shortened;
  if (text.size() > most_packed) {
    shortened = cut(text, most_packed);
    text = shortened;
  }
  const TextNeed need{text, header + text.size()};
  constexpr int attempts = 64;
  for (int i = 0; i < attempts; ++i) {
    const bool done = try_write_text(writer, level, site, need);
    finish(writer);
    if (done) return;
    if (!prepare(writer, {.size = need.size, .site = &site})) return;
  }
  count_loss(writer, trace::LossReason::no_space);
}

void write_formatted(Level level, const Site& site, fmt::string_view format, fmt::format_args arguments) noexcept {
  try {
    write_text(level, site, fmt::vformat(format, arguments));
  } catch (const std::exception& problem) {  // a formatter of the user's threw, or no memory
    write_text(level, site, {format.data(), format.size()});
    write_text(Level::error, site, problem.what());
  } catch (...) {
    write_text(level, site, {format.data(), format.size()});
  }
}

void print_at_once(Level level, std::string_view text) noexcept {
  if (level < Level::warning) return;
  try {
    const std::string line = fmt::format("[{}] ({}) {}\n", trace::name_of(level),
                                         trace::escaped(current_identity()->name()), trace::escaped(text));
    std::fputs(line.c_str(), stderr);
  } catch (...) {  // no memory: as much as can be said without
    std::fputs("spool: a message could not be printed: no memory\n", stderr);
  }
}

}  // namespace spool::log
