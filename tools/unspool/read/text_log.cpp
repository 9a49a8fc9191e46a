// SPDX-License-Identifier: MIT
#include <unspool/read/text_log.hpp>

#include <algorithm>
#include <charconv>
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
  if (want == Want::record && out.has_pairs) return;
  out.thread_name = plain(matched.thread_name);
  if (out.file.empty()) out.file = plain(matched.file);
  if (out.function.empty()) out.function = plain(matched.function);
  if (out.lineno == 0) out.lineno = static_cast<std::uint32_t>(matched.lineno);
  if (out.row->kind != trace::Kind::message || want != Want::texts) return;
  out.text = plain(matched.words);
  if (out.logger.empty()) out.logger = plain(matched.logger);
}

/// Takes the pair at the front; false: it is none.
bool TextLog::take_pair(std::string_view& pairs, Pair& pair) {
  std::size_t equals = 0;
  while (equals < pairs.size() && pairs[equals] != '=' && pairs[equals] != ' ' && pairs[equals] != '"')
    ++equals;
  if (equals == 0 || equals == pairs.size() || pairs[equals] != '=') return false;
  pair.key = pairs.substr(0, equals);
  pairs.remove_prefix(equals + 1);
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

bool TextLog::read_pairs(std::string_view pairs, Want want, Line& out) {
  Pair pair;
  while (!pairs.empty()) {
    if (pairs.starts_with("| ")) {
      if (want == Want::texts) read_arguments(pairs.substr(2), out);
      return true;
    }
    if (!take_pair(pairs, pair) || !read_pair(pair, want, out)) return false;
  }
  return true;
}

/// Arguments in excess of a broken line are not worth the message.
void TextLog::read_arguments(std::string_view pairs, Line& out) {
  Pair pair;
  while (!pairs.empty() && take_pair(pairs, pair)) {
    const std::string_view value = pair.quoted ? plain(pair.value) : pair.value;
    out.arguments.push_back({pair.key, pair.quoted ? trace::Value{value} : value_of(value)});
  }
}

bool TextLog::read_pair(const Pair& pair, Want want, Line& out) {
  // In the order of the page, so that few comparisons are made; each begins with the sizes.
  if (pair.key == "record") {
    out.row = rows_.find(pair.value);
    newer_ = out.row == nullptr;
    return true;
  }
  if (pair.key == "object") return whole_number(pair.value, out.object);
  if (pair.key == "seq") return small_number(pair.value, out.seq);
  if (pair.key == "site") return small_number(pair.value, out.site);
  if (pair.key == "thread") return has_thread_ = small_number(pair.value, out.thread);
  if (pair.key == "pid") return has_pid_ = small_number(pair.value, out.pid);
  if (pair.key == "at") {
    const std::size_t colon = pair.value.rfind(':');
    if (colon == std::string_view::npos || !small_number(pair.value.substr(colon + 1), out.lineno)) return false;
    if (want != Want::record) out.file = plain(pair.value.substr(0, colon));
    return true;
  }
  if (pair.key == "object_name") {
    if (want == Want::names) out.object_name = plain(pair.value);
    return true;
  }
  if (pair.key == "logger") {
    if (want == Want::texts) out.logger = plain(pair.value);
    return true;
  }
  return read_field(pair, out);
}

/// A field of the row; what it does not know it passes over.
bool TextLog::read_field(const Pair& pair, Line& out) {
  const std::size_t at = out.row != nullptr ? own_field(*out.row, pair.key) : no_field;
  if (at == no_field) return true;
  const trace::Field& field = out.row->fields()[at];
  if (field.type == Type::text) {
    out.words[at] = plain(pair.value);
    return true;
  }
  if (field.means == Means::ticks && field.type == Type::u64) return times_.parse(pair.value, out.numbers[at]);
  return whole_number(pair.value, out.numbers[at]);
}

}  // namespace unspool
