// SPDX-License-Identifier: MIT
#include <unspool/read/text_log.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

namespace unspool {
namespace {

using trace::Means;
using trace::Type;

std::string_view tail_of_number(std::string_view text, std::uint64_t& number) {
  take_number(text, number);
  return text;
}

bool whole_number(std::string_view text, std::uint64_t& number) {
  return !text.empty() && tail_of_number(text, number).empty();
}

template <class T>
bool small_number(std::string_view text, T& number) {
  std::uint64_t wide = 0;
  if (!whole_number(text, wide)) return false;
  number = static_cast<T>(wide);
  return number == wide;
}

int hex(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/// Takes the escapes of trace::escaped, and \", back. What is none of them stays.
void unescape(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    const bool coded = next == 'x' && i + 3 < text.size() && hex(text[i + 2]) >= 0 && hex(text[i + 3]) >= 0;
    if (coded) {
      out += static_cast<char>(hex(text[i + 2]) * 16 + hex(text[i + 3]));
      i += 3;
    } else if (next == 'n' || next == 't' || next == 'r' || next == '\\' || next == '"') {
      out += next == 'n' ? '\n' : next == 't' ? '\t' : next == 'r' ? '\r' : next;
      ++i;
    } else {
      out += text[i];
    }
  }
}

/// A bare value: a number, true or false, else its letters.
trace::Value value_of(std::string_view text) {
  const char* const end = text.data() + text.size();
  std::uint64_t number = 0;
  std::int64_t negative = 0;
  double real = 0;
  if (whole_number(text, number)) return number;
  if (auto [rest, error] = std::from_chars(text.data(), end, negative); error == std::errc{} && rest == end)
    return negative;
  if (auto [rest, error] = std::from_chars(text.data(), end, real); error == std::errc{} && rest == end) return real;
  if (text == "true" || text == "false") return text == "true";
  return text;
}

}  // namespace

std::string_view TextLog::plain(std::string_view text) {
  if (text.find('\\') == std::string_view::npos) return text;
  if (used_ == texts_.size()) texts_.push_back(std::make_unique<std::string>());
  std::string& own = *texts_[used_++];
  unescape(text, own);
  return own;
}

Fault TextLog::parse(std::string_view text, Want want, Line& out) {
  out.clear();
  used_ = 0;
  newer_ = has_pid_ = has_thread_ = false;
  Matched matched;
  if (!pattern_.match(text, times_, matched)) return Fault::foreign;
  out.has_pairs = matched.has_pairs;
  out.time = matched.time;
  out.level = matched.level;
  if (matched.has_pairs) {
    if (matched.pairs.find('\t') != std::string_view::npos) return Fault::interleaved;
    if (!read_pairs(matched.pairs, want, out)) return Fault::broken;
    if (newer_) return Fault::newer;
    const bool definition = out.row != nullptr && out.row->kind == trace::Kind::definition;
    if (!has_pid_ || (!has_thread_ && !definition)) return Fault::incomplete;
    // Of all but a message the words begin with the Record's name: another writer's would stand before it.
    if (out.row != nullptr && !matched.words.starts_with(out.row->name)) return Fault::interleaved;
  } else {
    out.pid = static_cast<std::uint32_t>(matched.pid);
    out.thread = matched.thread <= trace::max_thread_number ? static_cast<trace::ThreadNumber>(matched.thread) : 0;
  }
  if (out.row == nullptr) {
    static const trace::Row* const message = trace::row_named("message");
    out.row = message;
  }
  if (!in_range(out)) return Fault::incomplete;
  read_names(matched, want, out);
  return Fault::none;
}

namespace {

/// Takes " thread=2 pid=4711" from the end.
bool take_last(std::string_view text, Glance& out) {
  constexpr std::size_t longest = 40;
  const std::size_t begin = text.size() > longest ? text.size() - longest : 0;
  std::string_view last = text.substr(begin);
  const std::size_t thread = last.rfind(" thread=");
  if (thread == std::string_view::npos) return false;
  last.remove_prefix(thread);
  return take_key(last, " thread=", out.thread) && take_key(last, " pid=", out.pid) && last.empty();
}

}  // namespace

bool TextLog::glance(std::string_view text, Glance& out) {
  out = {};
  const std::size_t tab = text.find('\t');
  if (tab == std::string_view::npos) return false;
  text.remove_prefix(tab + 1);
  if (text.starts_with("thread=")) {
    return take_key(text, "thread=", out.thread) && take_key(text, " pid=", out.pid) &&
           take_key(text, " site=", out.site);
  }
  if (!take(text, "record=") || text.starts_with("definition.") || !take_last(text, out)) return false;
  text.remove_prefix(std::min(text.find(' '), text.size()));
  if (text.starts_with(" object=") && !take_key(text, " object=", out.object)) return false;
  if (take(text, " object_name=\"") && !take_text(text)) return false;
  if (std::uint32_t seq = 0; text.starts_with(" seq=") && !take_key(text, " seq=", seq)) return false;
  return !text.starts_with(" site=") || take_key(text, " site=", out.site);
}

void TextLog::read_names(const Matched& matched, Want want, Line& out) {
  if (want == Want::record && out.has_pairs && !wants_texts(want, out)) return;
  out.thread_name = plain(matched.thread_name);
  if (out.file.empty()) out.file = plain(matched.file);
  if (out.function.empty()) out.function = plain(matched.function);
  if (out.lineno == 0) out.lineno = static_cast<std::uint32_t>(matched.lineno);
  if (out.row->kind != trace::Kind::message || !wants_texts(want, out)) return;
  out.text = plain(matched.words);
  if (out.logger.empty()) out.logger = plain(matched.logger);
}

TextLog::Key TextLog::key_of(std::string_view name) {
  if (name == "record") return Key::record;
  if (name == "object") return Key::object;
  if (name == "seq") return Key::seq;
  if (name == "site") return Key::site;
  if (name == "thread") return Key::thread;
  if (name == "pid") return Key::pid;
  if (name == "at") return Key::at;
  if (name == "object_name") return Key::object_name;
  return name == "logger" ? Key::logger : Key::other;
}

/// Takes the key at the front and its equals sign; false: there is none.
bool TextLog::take_name(std::string_view& pairs, Pair& pair) {
  std::size_t equals = 0;
  while (equals < pairs.size() && pairs[equals] != '=' && pairs[equals] != ' ' && pairs[equals] != '"')
    ++equals;
  if (equals == 0 || equals == pairs.size() || pairs[equals] != '=') return false;
  pair.key = pairs.substr(0, equals);
  pairs.remove_prefix(equals + 1);
  return true;
}

/// The same of a key that is expected.
bool TextLog::take_known(std::string_view& pairs, Pair& pair, const Place& place) {
  constexpr std::size_t longest = ExpectedKey<Key>::longest;
  std::array<char, longest> last{};  // there may be nothing to be read behind the line
  const bool near_end = pairs.size() < longest;
  if (near_end) std::memcpy(last.data(), pairs.data(), pairs.size());
  if (!place.key.is(near_end ? last.data() : pairs.data())) return false;
  pair.key = pairs.substr(0, place.key.size());
  pairs.remove_prefix(place.key.size() + 1);
  return true;
}

/// Takes the value at the front, and the blank before the next pair; false: it is none.
bool TextLog::take_value(std::string_view& pairs, Pair& pair) {
  pair.quoted = pairs.starts_with('"');
  std::size_t end = pair.quoted ? 1 : 0;
  while (!pair.quoted && end < pairs.size() && pairs[end] != ' ')
    ++end;
  if (pair.quoted) {
    while (end < pairs.size() && pairs[end] != '"')
      end += pairs[end] == '\\' ? 2 : 1;
    if (end >= pairs.size()) return false;
    pair.value = pairs.substr(1, end - 1);
    ++end;
  } else {
    pair.value = pairs.substr(0, end);
  }
  pairs.remove_prefix(end);
  if (pairs.empty()) return true;
  if (!pairs.starts_with(' ')) return false;
  pairs.remove_prefix(1);
  return !pairs.empty();
}

/// Takes the pair at the front, and has `place` expect its key.
bool TextLog::take_placed(std::string_view& pairs, Pair& pair, Place& place, const Line& line) {
  if (take_known(pairs, pair, place)) return take_value(pairs, pair);
  if (!take_name(pairs, pair)) return false;
  place.key.set(pair.key, key_of(pair.key));
  const bool own = line.row != nullptr && place.key.key() == Key::other;
  place.field = static_cast<std::uint8_t>(own ? own_field(*line.row, pair.key) : no_field);
  return take_value(pairs, pair);
}

bool TextLog::read_pairs(std::string_view pairs, Want want, Line& out) {
  Pair pair;
  now_ = &head_;
  for (std::size_t index = 0; !pairs.empty(); ++index) {
    if (pairs.starts_with("| ")) {
      if (wants_texts(want, out)) read_arguments(pairs.substr(2), out);
      return true;
    }
    Place& place = (*now_)[std::min(index, now_->size() - 1)];
    if (!take_placed(pairs, pair, place, out) || !read_pair(pair, place, want, out)) return false;
  }
  return true;
}

/// Arguments in excess of a broken line are not worth the message.
void TextLog::read_arguments(std::string_view pairs, Line& out) {
  Pair pair;
  while (!pairs.empty() && take_name(pairs, pair) && take_value(pairs, pair)) {
    const std::string_view value = pair.quoted ? plain(pair.value) : pair.value;
    out.arguments.push_back({pair.key, pair.quoted ? trace::Value{value} : value_of(value)});
  }
}

bool TextLog::read_pair(const Pair& pair, const Place& place, Want want, Line& out) {
  switch (place.key.key()) {
    case Key::record:
      return read_row(pair.value, out);
    case Key::object:
      return whole_number(pair.value, out.object);
    case Key::seq:
      return small_number(pair.value, out.seq);
    case Key::site:
      return small_number(pair.value, out.site);
    case Key::thread:
      return has_thread_ = small_number(pair.value, out.thread);
    case Key::pid:
      return has_pid_ = small_number(pair.value, out.pid);
    case Key::at: {
      const std::size_t colon = pair.value.rfind(':');
      if (colon == std::string_view::npos || !small_number(pair.value.substr(colon + 1), out.lineno)) return false;
      if (want != Want::record) out.file = plain(pair.value.substr(0, colon));
      return true;
    }
    case Key::object_name:
      if (want == Want::names) out.object_name = plain(pair.value);
      return true;
    case Key::logger:
      if (wants_texts(want, out)) out.logger = plain(pair.value);
      return true;
    case Key::other:
      break;
  }
  return place.field == no_field || read_field(pair, place.field, out);
}

bool TextLog::read_row(std::string_view name, Line& out) {
  out.row = rows_.find(name);
  newer_ = out.row == nullptr;
  now_ = &head_;
  if (newer_) return true;
  auto& places = places_[static_cast<std::size_t>(out.row - trace::rows().data())];
  if (!places) places = std::make_unique<Places>();
  now_ = places.get();
  return true;
}

/// A field of the row.
bool TextLog::read_field(const Pair& pair, std::size_t at, Line& out) {
  const trace::Field& field = out.row->fields()[at];
  if (field.type == Type::text) {
    out.words[at] = plain(pair.value);
    return true;
  }
  if (field.means == Means::ticks && field.type == Type::u64) return times_.parse(pair.value, out.numbers[at]);
  return whole_number(pair.value, out.numbers[at]);
}

}  // namespace unspool
