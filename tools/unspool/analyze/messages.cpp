// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <unspool/analyze/messages.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <span>
#include <string_view>
#include <variant>

namespace unspool {
namespace {

/// No piece of a character stays at the end.
std::string cut_text(std::string_view text) {
  std::size_t size = std::min(text.size(), Messages::most_bytes);
  while (size != 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U)
    --size;
  return std::string{text.substr(0, size)};
}

/// Level, logger and text of a message whose bytes are too many to keep.
MessageClass made(const Record& record) {
  MessageClass plain;
  plain.has_text = true;
  if (record.message != nullptr) {
    plain.level = record.message->level;
    plain.logger = cut_text(record.message->logger);
    const auto values = trace::read_values(record.message->arguments, record.bytes);
    plain.text = cut_text(values ? trace::message_text(record.message->format, record.message->arguments, *values)
                                 : record.message->format);
    return plain;
  }
  const auto values = trace::read_values(record.row->fields().subspan(1), record.bytes);  // level, logger, text
  if (!values || values->size() < 3) return plain;
  if (const auto* level = std::get_if<std::uint64_t>(values->data()))
    plain.level = static_cast<trace::Level>(std::min<std::uint64_t>(*level, 6));
  if (const auto* logger = std::get_if<std::string_view>(&(*values)[1])) plain.logger = cut_text(*logger);
  if (const auto* text = std::get_if<std::string_view>(&(*values)[2])) plain.text = cut_text(*text);
  return plain;
}

/// Who had the object for the greatest part of the wait.
trace::ThreadNumber holder_of(const Wait& wait) {
  const Share* most = nullptr;
  for (const Share& each : wait.shares) {
    const bool known = each.holder.tenant == Holder::Tenant::thread;
    if (known && (most == nullptr || each.ticks > most->ticks)) most = &each;
  }
  return most == nullptr ? wait.owner : most->holder.thread;
}

}  // namespace

std::string text_of(const Record& record) {
  if (record.message != nullptr) {
    if (record.message->has_text) return record.message->text;
    const auto values = trace::read_values(record.message->arguments, record.bytes);
    if (!values) return record.message->format;
    return trace::message_text(record.message->format, record.message->arguments, *values);
  }
  const auto values = trace::read_values(record.row->fields().subspan(1), record.bytes);
  if (!values || values->empty()) return {};
  const auto* const text = std::get_if<std::string_view>(&values->back());
  return text == nullptr ? std::string{} : std::string{*text};
}

Record Said::record() const {
  Record made;
  made.row = row;
  made.thread = thread;
  made.time = time;
  made.site = site;
  made.message = message != nullptr ? message : plain.has_text ? &plain : nullptr;
  made.bytes = std::as_bytes(std::span{bytes});
  return made;
}

bool Messages::hears(const trace::Row& row) const {
  const bool ends = row.kind == trace::Kind::thread && row.verb == trace::Verb::end;
  return each_ != 0 && (row.kind == trace::Kind::message || ends);
}

void Messages::record(const Record& record) {
  if (record.row == nullptr || record.thread == 0) return;
  if (record.row->kind != trace::Kind::message) return ended(record.thread);
  Ring& ring = rings_[record.thread];
  if (ring.said.size() < each_) {
    keep(record, ring.said.emplace_back());
    return;
  }
  keep(record, ring.said[ring.next]);
  ring.next = (ring.next + 1) % each_;
}

void Messages::keep(const Record& record, Said& said) const {
  said.thread = record.thread;
  said.time = record.time;
  said.site = record.site;
  said.row = record.row;
  said.message = nullptr;
  said.plain = {};
  said.bytes.clear();
  said.cut = false;
  if (record.message != nullptr && record.message->has_text) {
    said.plain.has_text = true;
    said.plain.level = record.message->level;
    said.plain.logger = cut_text(record.message->logger);
    said.plain.text = cut_text(record.message->text);
    said.cut = record.message->text.size() > most_bytes;
  } else if (record.bytes.size() > most_bytes) {
    said.plain = made(record);
    said.cut = true;
  } else {
    said.message = record.message;
    said.bytes.assign(reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size());
  }
}

/// What it said stays for a while: others may wait for it.
void Messages::ended(trace::ThreadNumber thread) {
  if (!rings_.contains(thread)) return;
  ended_.push_back(thread);
  if (ended_.size() <= most_ended) return;
  rings_.erase(ended_.front());
  ended_.pop_front();
}

void Messages::waited(const ObjectState* object, const Wait& wait) {
  if (!waits_wanted_ || each_ == 0 || object == nullptr || !can_be_held(object->kind)) return;
  if (wait.ending == Ending::lost || wait.ending == Ending::unended) return;
  const auto same = std::ranges::find(waits_, wait.object, [](const TalkedWait& each) { return each.wait.object; });
  const bool full = same == waits_.end() && waits_.size() == most_waits;
  const auto least = same != waits_.end() ? same->wait.ticks() : full ? waits_.back().wait.ticks() : trace::Ticks{0};
  if ((same != waits_.end() || full) && wait.ticks() <= least) return;
  if (!filter_.passes(wait)) return;
  if (same != waits_.end()) {
    waits_.erase(same);
  } else if (full) {
    waits_.pop_back();
  }
  TalkedWait talked{wait, holder_of(wait), {}};
  talked.said = of({wait.thread, talked.holder});
  const auto longer = [&](const TalkedWait& each) { return each.wait.ticks() >= wait.ticks(); };
  waits_.insert(std::ranges::find_if_not(waits_, longer), std::move(talked));
}

std::vector<Said> Messages::of(const std::vector<trace::ThreadNumber>& threads) const {
  std::vector<trace::ThreadNumber> chosen = threads;
  std::ranges::sort(chosen);
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  std::vector<Said> out;
  for (const trace::ThreadNumber thread : chosen) {
    const auto ring = rings_.find(thread);
    if (ring == rings_.end()) continue;
    const std::vector<Said>& said = ring->second.said;
    for (std::size_t i = 0; i < said.size(); ++i)
      out.push_back(said[(ring->second.next + i) % said.size()]);
  }
  std::ranges::stable_sort(out, {}, &Said::time);
  return out;
}

}  // namespace unspool
