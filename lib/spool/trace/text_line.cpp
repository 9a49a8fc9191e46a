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

struct TextLines::FieldPlan {
  std::string_view name;  ///< in the table
  std::string key;        ///< " waker="
  bool is_point = false;
};

struct TextLines::RowPlan {
  std::string head;  ///< "record=lock.acquire"
  std::vector<FieldPlan> fields;
  bool has_sequence = false;
  bool has_site = false;
};

struct TextLines::Caches {
  struct Thread : Made {
    std::string raw;
    std::string escaped;
  };
  struct Object : Made {
    std::string raw;
    std::string words;  ///< " cache"
    std::string pairs;  ///< " object=4294967297 object_name=\"cache\""
  };
  struct Site : Made {
    std::uint32_t line = 0;
    std::string file;
    std::string pairs;  ///< " site=4 at=server.cpp:31"

    bool has_texts_of(const NamedRecord& record) const {
      return line == record.line && file == record.file && !pairs.empty();
    }
  };
  FragmentCache<Thread> threads;
  FragmentCache<Object> objects;
  FragmentCache<Site> sites;

  const Object& object(const NamedRecord& record);
};

const TextLines::Caches::Object& TextLines::Caches::object(const NamedRecord& record) {
  Object& known = objects.place(record.object);
  if (known.is_of(record.object, record.names, [&] { return known.raw == record.object_name; })) return known;
  known = {
      {record.object, record.names}, std::string{record.object_name}, {}, " object=" + std::to_string(record.object)};
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

TextLines::TextLines() : caches_{std::make_unique<Caches>()} {
  for (const Row& row : rows()) {
    RowPlan& plan = plans_.emplace_back();
    plan.head = "record=" + std::string{row.name};
    for (const Field& field : row.fields()) {
      plan.has_sequence |= field.means == Means::sequence;
      plan.has_site |= field.name == "site";
      if (field.name == "site" || field.means == Means::sequence || field.name.starts_with("reserved")) continue;
      const bool is_point = field.means == Means::ticks && is_point_in_time(row, field.name);
      plan.fields.push_back({field.name, ' ' + std::string{field.name} + '=', is_point});
    }
  }
}

TextLines::~TextLines() = default;

const TextLines::RowPlan& TextLines::plan_of(const Row& row) const {
  return plans_[static_cast<std::size_t>(&row - rows().data())];
}

namespace {

/// A key of ours is plain; an argument's name may be anything, and must not feign another pair.
void put_key(std::string_view key, LineBuffer& out) {
  out.put(' ');
  const auto is_safe = [](char each) {
    return each > ' ' && each < 0x7f && each != '=' && each != '"' && each != '\\';
  };
  if (std::ranges::all_of(key, is_safe)) {
    out.put(key);
  } else {
    for (const char each : key) {
      if (is_safe(each)) {
        out.put(each);
      } else {
        out.literal("\\x");
        out.hex(static_cast<unsigned char>(each));
      }
    }
  }
  out.put('=');
}

void put_value(const Value& value, LineBuffer& out) {
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return out.number(*number);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return out.number(*number);
  std::visit(
      [&](const auto& each) {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, bool>) {
          out.put(each ? std::string_view{"true"} : std::string_view{"false"});
        } else if constexpr (std::is_same_v<T, std::string_view>) {
          put_quoted(each, out);
        } else {
          out.number(each);
        }
      },
      value);
}

}  // namespace

void TextLines::put_thread_name(const NamedRecord& record, LineBuffer& out) {
  Caches::Thread& known = caches_->threads.place(record.thread);
  if (!known.is_of(record.thread, record.names, [&] { return known.raw == record.thread_name; })) {
    known = {{record.thread, record.names}, std::string{record.thread_name}, thread_text(record.thread_name)};
  }
  out.put(known.escaped);
}

void TextLines::put_site(const NamedRecord& record, LineBuffer& out) {
  Caches::Site& known = caches_->sites.place(record.site);
  if (!known.is_of(record.site, record.names, [&] { return known.has_texts_of(record); })) {
    LineBuffer made;
    made.literal(" site=");
    made.number(std::uint64_t{record.site});
    if (record.site != 0 && !record.file.empty()) {
      made.literal(" at=");
      put_place(record.file, record.line, made);
    }
    known = {{record.site, record.names}, record.line, std::string{record.file}, std::string{made.text()}};
  }
  out.put(known.pairs);
}

void TextLines::put_words(const NamedRecord& record, LineBuffer& out) {
  if (record.row->kind == Kind::message) return put_escaped_text(record.text, out);
  out.put(record.row->name);
  if (record.object != 0 && !record.object_name.empty()) out.put(caches_->object(record).words);
}

void TextLines::put_message_pairs(const NamedRecord& record, LineBuffer& out) {
  out.literal("thread=");
  out.number(std::uint64_t{record.thread});
  out.literal(" pid=");
  out.number(std::uint64_t{record.pid});
  put_site(record, out);
  if (!record.logger.empty()) {
    out.literal(" logger=");
    put_quoted(record.logger, out);
  }
  if (record.fields.empty()) return;
  out.literal(" |");
  for (const NamedField& argument : record.fields) {
    put_key(argument.name, out);
    put_value(argument.value, out);
  }
}

void TextLines::put_fields(const NamedRecord& record, const RowPlan& plan, LineBuffer& out) {
  for (std::size_t i = 0; i < record.fields.size(); ++i) {
    const NamedField& field = record.fields[i];
    const bool is_planned = i < plan.fields.size() && plan.fields[i].name == field.name;
    if (is_planned) {
      out.put(plan.fields[i].key);
    } else {  // of a newer program than this
      put_key(field.name, out);
    }
    const auto* number = std::get_if<std::uint64_t>(&field.value);
    const bool is_point = is_planned && plan.fields[i].is_point && field.means == Means::ticks;
    if (is_point && number != nullptr) {
      times_.put(*number, out);
      out.put('Z');
    } else {
      put_value(field.value, out);
    }
  }
}

void TextLines::put_pairs(const NamedRecord& record, LineBuffer& out) {
  if (record.row->kind == Kind::message) return put_message_pairs(record, out);
  const RowPlan& plan = plan_of(*record.row);
  out.put(plan.head);
  if (record.object != 0) out.put(caches_->object(record).pairs);
  if (plan.has_sequence) {
    out.literal(" seq=");
    out.number(std::uint64_t{record.seq});
  }
  if (plan.has_site) put_site(record, out);
  put_fields(record, plan, out);
  if (record.row->kind != Kind::definition) {
    out.literal(" thread=");
    out.number(std::uint64_t{record.thread});
  }
  out.literal(" pid=");
  out.number(std::uint64_t{record.pid});
}

void TextLines::words(const NamedRecord& record, std::string& out) {
  if (record.row == nullptr) return;
  line_.clear();
  put_words(record, line_);
  out += line_.text();
}

void TextLines::pairs(const NamedRecord& record, std::string& out) {
  if (record.row == nullptr) return;
  line_.clear();
  put_pairs(record, line_);
  out += line_.text();
}

void TextLines::append(const NamedRecord& record, std::string& out) {
  line_.clear();
  append(record, line_);
  out += line_.text();
}

void TextLines::append(const NamedRecord& record, LineBuffer& out) {
  if (record.row == nullptr) return;
  times_.put(record.time, out);
  out.literal("+00:00 [");
  out.put(name_of(record.level));
  out.literal("] (");
  put_thread_name(record, out);
  out.literal(") ");
  put_words(record, out);
  out.put('\t');
  put_pairs(record, out);
  out.put('\n');
}

}  // namespace spool::trace
