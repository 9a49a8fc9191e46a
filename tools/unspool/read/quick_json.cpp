// SPDX-License-Identifier: MIT
#include <unspool/read/quick_json.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

#include <simdjson.h>

namespace unspool {
namespace {

using trace::Means;
using trace::Type;
using Word = std::uint64_t;

// Eight bytes at a time, the first of them the lowest.
static_assert(std::endian::native == std::endian::little);
constexpr Word ones = 0x0101'0101'0101'0101;
constexpr Word tops = 0x8080'8080'8080'8080;

Word word_at(const char* at) {
  Word word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// The top bit of the first byte that is `byte`; bits above that may be wrong.
constexpr Word equal(Word word, char byte) {
  const Word different = word ^ (ones * static_cast<unsigned char>(byte));
  return (different - ones) & ~different & tops;
}

/// A control character or a backslash is among the bytes.
constexpr Word unusual(Word word) {
  return ((word - ones * ' ') & ~word & tops) | equal(word, '\\');
}

/// No control characters, no escapes, and UTF-8.
bool is_plain(std::string_view text) {
  if (text.size() < sizeof(Word)) return false;
  const char* const last = text.data() + text.size() - sizeof(Word);
  Word bad = unusual(word_at(last));
  Word high = word_at(last);
  for (const char* at = text.data(); at < last; at += sizeof(Word)) {
    const Word word = word_at(at);
    bad |= unusual(word);
    high |= word;
  }
  return bad == 0 && ((high & tops) == 0 || simdjson::validate_utf8(text.data(), text.size()));
}

/// The next quote; at or behind `end` where there is none.
const char* quote(const char* at, const char* end) {
  for (; at < end; at += sizeof(Word)) {
    const Word found = equal(word_at(at), '"');
    if (found != 0) return at + std::countr_zero(found) / 8;
  }
  return end;
}

/// Up to 19 digits, without a zero in front.
const char* take_number(const char* at, std::uint64_t& number) {
  const char* const begin = at;
  std::uint64_t sum = 0;
  for (unsigned digit = 0; (digit = static_cast<unsigned char>(*at - '0')) <= 9 && at - begin < 20; ++at)
    sum = sum * 10 + digit;
  number = sum;
  const auto count = at - begin;
  return count > 0 && count < 20 && (count == 1 || *begin != '0') ? at : nullptr;
}

template <class T>
const char* take_small(const char* at, T& number) {
  std::uint64_t wide = 0;
  at = take_number(at, wide);
  number = static_cast<T>(wide);
  return number == wide ? at : nullptr;
}

}  // namespace

QuickJson::QuickJson() : places_(trace::rows().size()) {}

bool QuickJson::parse(std::string_view text, Want want, Line& out) {
  if (!is_plain(text)) return false;
  end_ = text.data() + text.size();
  want_ = want;
  has_time_ = has_pid_ = has_thread_ = false;
  now_ = &head_;
  out.clear();
  return read_object(text.data(), out) == end_ && is_complete(out);
}

const char* QuickJson::read_object(At at, Line& out) {
  if (*at != '{') return nullptr;
  for (std::size_t index = 0;; ++index) {
    // A key, its colon and a number or a time are shorter than the padding: `at` may pass end_ by that much, and no
    // more.
    if (++at >= end_) return nullptr;
    Place& place = (*now_)[std::min(index, now_->size() - 1)];
    at = read_key(at, place, out);
    if (at == nullptr) return nullptr;
    at = read_value(at, place, out);
    if (at == nullptr) return nullptr;
    if (*at != ',') return *at == '}' ? at + 1 : nullptr;
  }
}

/// Takes `"key":`.
const char* QuickJson::read_key(At at, Place& place, const Line& line) const {
  if (*at++ != '"') return nullptr;
  if (place.key.is(at)) {
    at += place.key.size() + 1;
  } else {
    const At end = quote(at, end_);
    if (end >= end_) return nullptr;
    const std::string_view name{at, static_cast<std::size_t>(end - at)};
    place.key.set(name, json_key(name));
    const bool own = line.row != nullptr && place.key.key() == JsonKey::other;
    place.field = static_cast<std::uint8_t>(own ? own_field(*line.row, schema_name(*line.row, name)) : no_field);
    at = end + 1;
  }
  return at + 1 < end_ && *at == ':' ? at + 1 : nullptr;
}

const char* QuickJson::read_value(At at, const Place& place, Line& line) {
  switch (place.key.key()) {
    case JsonKey::time:
      has_time_ = true;
      return take_time(at, line.time);
    case JsonKey::level:
      return read_level(at, line);
    case JsonKey::record:
      return read_row(at, line);
    case JsonKey::pid:
      has_pid_ = true;
      return take_small(at, line.pid);
    case JsonKey::thread:
      has_thread_ = true;
      return take_small(at, line.thread);
    case JsonKey::object:
      return take_number(at, line.object);
    case JsonKey::seq:
      return take_small(at, line.seq);
    case JsonKey::site:
      return take_small(at, line.site);
    case JsonKey::lineno:
      return take_small(at, line.lineno);
    case JsonKey::other:
      if (line.row == nullptr) return nullptr;  // nobody can tell yet whether this is a field of it
      return place.field == no_field ? skip(at) : read_field(at, place.field, line);
    default:
      return read_text(at, place.key.key(), line);
  }
}

const char* QuickJson::read_level(At at, Line& line) const {
  std::string_view word;
  at = take_text(at, word);
  return at != nullptr && parse_level(word, line.level) ? at : nullptr;
}

/// A second name could be of a row with other fields.
const char* QuickJson::read_row(At at, Line& line) {
  std::string_view name;
  at = take_text(at, name);
  if (at == nullptr || line.row != nullptr) return nullptr;
  line.row = rows_.find(name);
  if (line.row == nullptr) return nullptr;
  auto& places = places_[static_cast<std::size_t>(line.row - trace::rows().data())];
  if (!places) places = std::make_unique<Places>();
  now_ = places.get();
  return at;
}

const char* QuickJson::read_text(At at, JsonKey key, Line& line) const {
  const bool names = want_ == Want::names;
  const bool texts = wants_texts(want_, line);
  const bool place = names || (line.row != nullptr && line.row->kind == trace::Kind::definition);
  if (key == JsonKey::thread_name && names) return take_text(at, line.thread_name);
  if (key == JsonKey::object_kind && names) return take_text(at, line.object_kind);
  if (key == JsonKey::object_name && names) return take_text(at, line.object_name);
  if (key == JsonKey::file && place) return take_text(at, line.file);
  if (key == JsonKey::function && place) return take_text(at, line.function);
  if (key == JsonKey::logger && texts) return take_text(at, line.logger);
  if (key == JsonKey::body && texts) return take_text(at, line.text);
  if (key == JsonKey::format && texts) return take_text(at, line.format);
  return key == JsonKey::arguments && texts ? nullptr : skip(at);
}

const char* QuickJson::read_field(At at, std::size_t index, Line& line) {
  const trace::Field& field = line.row->fields()[index];
  if (field.type == Type::text) return take_text(at, line.words[index]);
  const bool point = field.means == Means::ticks && field.type == Type::u64;
  return point ? take_time(at, line.numbers[index]) : take_number(at, line.numbers[index]);
}

const char* QuickJson::take_text(At at, std::string_view& text) const {
  if (*at++ != '"') return nullptr;
  const At end = quote(at, end_);
  if (end >= end_) return nullptr;
  text = {at, static_cast<std::size_t>(end - at)};
  return end + 1;
}

const char* QuickJson::take_time(At at, std::uint64_t& time) {
  constexpr std::size_t whole = 30;
  std::string_view text;
  if (end_ - at > static_cast<std::ptrdiff_t>(whole) + 1 && *at == '"' && at[whole] == 'Z' && at[whole + 1] == '"') {
    text = {at + 1, whole};
    at += whole + 2;
  } else {
    at = take_text(at, text);
  }
  return at != nullptr && times_.parse(text, time) ? at : nullptr;
}

/// A value that nobody wants.
const char* QuickJson::skip(At at) const {
  std::string_view text;
  std::uint64_t number = 0;
  if (*at == '"') return take_text(at, text);
  return *at == '{' ? skip_object(at) : take_number(at, number);
}

/// A flat one, as arguments are.
const char* QuickJson::skip_object(At at) const {
  std::string_view text;
  std::uint64_t number = 0;
  do {
    at = at + 1 < end_ ? take_text(at + 1, text) : nullptr;
    if (at == nullptr || *at != ':' || ++at >= end_) return nullptr;
    at = *at == '"' ? take_text(at, text) : take_number(at, number);
  } while (at != nullptr && at < end_ && *at == ',');
  return at != nullptr && at < end_ && *at == '}' ? at + 1 : nullptr;
}

bool QuickJson::is_complete(const Line& line) const {
  if (line.row == nullptr || !has_time_ || !has_pid_) return false;
  return (has_thread_ || line.row->kind == trace::Kind::definition) && in_range(line);
}

}  // namespace unspool
