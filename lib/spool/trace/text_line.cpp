// SPDX-License-Identifier: MIT
#include <spool/trace/text_line.hpp>
#include <spool/trace/utf8.hpp>
#include <spool/trace/words.hpp>

#include <algorithm>
#include <type_traits>
#include <variant>

namespace spool::trace {
namespace {

void put_byte(unsigned byte, LineBuffer& out) {
  out.put('\\');
  switch (byte) {
    case '\n':
      return out.put('n');
    case '\t':
      return out.put('t');
    case '\r':
      return out.put('r');
    case '\\':
      return out.put('\\');
    default:
      out.put('x');
      out.hex(byte);
  }
}

/// A character that is not plain; the length of what was taken.
std::size_t put_character(std::string_view text, LineBuffer& out) {
  const auto byte = static_cast<unsigned char>(text[0]);
  const std::size_t length = utf8_length(text);
  if (length == 0 || byte < 0x20 || byte == 0x7f || byte == '\\') {
    put_byte(byte, out);
    return 1;
  }
  if (length == 2 && byte == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0) {
    put_byte(static_cast<unsigned char>(text[1]), out);
  } else {
    out.put(text.substr(0, length));
  }
  return length;
}

void put_quoted(std::string_view text, LineBuffer& out) {
  out.put('"');
  for (;;) {
    const std::size_t plain = plain_length(text);
    out.put(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (text[0] == '"') {
      out.literal("\\\"");
      text.remove_prefix(1);
    } else {
      text.remove_prefix(put_character(text, out));
    }
  }
  out.put('"');
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// FILE:LINE; in quotes where the file's name needs them.
void put_place(std::string_view file, std::uint32_t line, LineBuffer& out) {
  const std::string_view base = base_name(file);
  const bool bare = plain_length(base) == base.size() && base.find(' ') == std::string_view::npos;
  if (bare) {
    out.put(base);
    out.put(':');
    out.number(std::uint64_t{line});
  } else {
    put_quoted(std::string{base} + ':' + std::to_string(line), out);
  }
}

}  // namespace

std::string thread_text(std::string_view name) {
  LineBuffer made;
  put_escaped_text(name, made);
  std::string text{made.text()};
  constexpr std::string_view end = ") ";
  for (std::size_t at = text.find(end); at != std::string::npos; at = text.find(end, at))
    text.replace(at, 1, "\\x29");
  return text;
}

void put_escaped_text(std::string_view text, LineBuffer& out) {
  while (!text.empty()) {
    const std::size_t plain = plain_length(text);
    out.put(text.substr(0, plain));
    text.remove_prefix(plain);
    if (!text.empty()) text.remove_prefix(put_character(text, out));
  }
}

struct TextLines::Caches {
  struct Thread {
    ThreadNumber number = 0;
    std::string raw;
    std::string escaped;
  };
  struct Object {
    ObjectNumber number = 0;
    std::string raw;
    std::string words;  ///< " cache"
    std::string pairs;  ///< " object=4294967297 object_name=\"cache\""
  };
  struct Site {
    SiteNumber number = 0;
    std::uint32_t line = 0;
    std::string file;
    std::string pairs;  ///< " site=4 at=server.cpp:31"

    bool is_of(const NamedRecord& record) const {
      return number == record.site && line == record.line && file == record.file && !pairs.empty();
    }
  };
  FragmentCache<Thread> threads;
  FragmentCache<Object> objects;
  FragmentCache<Site> sites;

  const Object& object(const NamedRecord& record);
};

const TextLines::Caches::Object& TextLines::Caches::object(const NamedRecord& record) {
  Object& known = objects.place(record.object);
  if (known.number == record.object && known.raw == record.object_name) return known;
  known = {record.object, std::string{record.object_name}, {}, " object=" + std::to_string(record.object)};
  if (!record.object_name.empty()) {
    LineBuffer made;
    made.put(' ');
    put_escaped_text(record.object_name, made);
    known.words = made.text();
    made.clear();
    made.literal(" object_name=");
    put_quoted(record.object_name, made);
    known.pairs += made.text();
  }
  return known;
}

TextLines::TextLines() : caches_{std::make_unique<Caches>()} {}
TextLines::~TextLines() = default;

/// A key of ours is plain; an argument's name may be anything, and must not feign another pair.
void TextLines::put_key(std::string_view key) {
  line_.put(' ');
  const auto is_safe = [](char each) {
    return each > ' ' && each < 0x7f && each != '=' && each != '"' && each != '\\';
  };
  if (std::ranges::all_of(key, is_safe)) {
    line_.put(key);
  } else {
    for (const char each : key) {
      if (is_safe(each)) {
        line_.put(each);
      } else {
        line_.literal("\\x");
        line_.hex(static_cast<unsigned char>(each));
      }
    }
  }
  line_.put('=');
}

void TextLines::put_value(const Value& value) {
  std::visit(
      [&](const auto& each) {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, bool>) {
          line_.put(each ? std::string_view{"true"} : std::string_view{"false"});
        } else if constexpr (std::is_same_v<T, std::string_view>) {
          put_quoted(each, line_);
        } else {
          line_.number(each);
        }
      },
      value);
}

void TextLines::put_field(const NamedField& field, bool is_point) {
  put_key(field.name);
  const auto* number = std::get_if<std::uint64_t>(&field.value);
  if (is_point && number != nullptr) {
    times_.put(*number, line_);
    line_.put('Z');
  } else {
    put_value(field.value);
  }
}

void TextLines::put_thread_name(const NamedRecord& record) {
  Caches::Thread& known = caches_->threads.place(record.thread);
  if (known.number != record.thread || known.raw != record.thread_name) {
    known = {record.thread, std::string{record.thread_name}, thread_text(record.thread_name)};
  }
  line_.put(known.escaped);
}

void TextLines::put_site(const NamedRecord& record) {
  Caches::Site& known = caches_->sites.place(record.site);
  if (!known.is_of(record)) {
    LineBuffer made;
    made.literal(" site=");
    made.number(std::uint64_t{record.site});
    if (record.site != 0 && !record.file.empty()) {
      made.literal(" at=");
      put_place(record.file, record.line, made);
    }
    known = {record.site, record.line, std::string{record.file}, std::string{made.text()}};
  }
  line_.put(known.pairs);
}

void TextLines::put_words(const NamedRecord& record) {
  if (record.row->kind == Kind::message) return put_escaped_text(record.text, line_);
  line_.put(record.row->name);
  if (record.object != 0 && !record.object_name.empty()) line_.put(caches_->object(record).words);
}

void TextLines::put_message_pairs(const NamedRecord& record) {
  line_.literal("thread=");
  line_.number(std::uint64_t{record.thread});
  line_.literal(" pid=");
  line_.number(std::uint64_t{record.pid});
  put_site(record);
  if (!record.logger.empty()) {
    line_.literal(" logger=");
    put_quoted(record.logger, line_);
  }
  if (record.fields.empty()) return;
  line_.literal(" |");
  for (const NamedField& argument : record.fields)
    put_field(argument, false);
}

void TextLines::put_pairs(const NamedRecord& record) {
  if (record.row->kind == Kind::message) return put_message_pairs(record);
  line_.literal("record=");
  line_.put(record.row->name);
  if (record.object != 0) line_.put(caches_->object(record).pairs);
  bool has_sequence = false;
  bool has_site = false;
  for (const Field& field : record.row->fields()) {
    has_sequence |= field.means == Means::sequence;
    has_site |= field.name == "site";
  }
  if (has_sequence) {
    line_.literal(" seq=");
    line_.number(std::uint64_t{record.seq});
  }
  if (has_site) put_site(record);
  for (const NamedField& field : record.fields) {
    const bool is_point = field.means == Means::ticks && is_point_in_time(*record.row, field.name);
    put_field(field, is_point);
  }
  if (record.row->kind != Kind::definition) {
    line_.literal(" thread=");
    line_.number(std::uint64_t{record.thread});
  }
  line_.literal(" pid=");
  line_.number(std::uint64_t{record.pid});
}

void TextLines::words(const NamedRecord& record, std::string& out) {
  if (record.row == nullptr) return;
  line_.clear();
  put_words(record);
  out += line_.text();
}

void TextLines::pairs(const NamedRecord& record, std::string& out) {
  if (record.row == nullptr) return;
  line_.clear();
  put_pairs(record);
  out += line_.text();
}

void TextLines::append(const NamedRecord& record, std::string& out) {
  if (record.row == nullptr) return;
  line_.clear();
  times_.put(record.time, line_);
  line_.literal("+00:00 [");
  line_.put(name_of(record.level));
  line_.literal("] (");
  put_thread_name(record);
  line_.literal(") ");
  put_words(record);
  line_.put('\t');
  put_pairs(record);
  line_.put('\n');
  out += line_.text();
}

}  // namespace spool::trace
