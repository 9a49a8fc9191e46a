// SPDX-License-Identifier: MIT
#include <spool/trace/json_line.hpp>
#include <spool/trace/utf8.hpp>

#include <cmath>
#include <iterator>
#include <type_traits>
#include <variant>

namespace spool::trace {
namespace {

/// OpenTelemetry's name for a field of a definition, or our own.
std::string_view key_of(const Row& row, std::string_view field) {
  if (row.kind != Kind::definition) return field;
  if (row.verb == Verb::thread && field == "native_id") return "thread.native_id";
  if (row.verb == Verb::process && field == "program") return "process.executable.name";
  if (row.verb == Verb::process && field == "host") return "host.name";
  if (row.verb == Verb::process && field == "parent_pid") return "process.parent_pid";
  if (row.verb == Verb::site && field == "file") return "code.filepath";
  if (row.verb == Verb::site && field == "line") return "code.lineno";
  if (row.verb == Verb::site && field == "function") return "code.function";
  return field;
}

void put_code_point(unsigned code, LineBuffer& out) {
  out.literal("\\u");
  out.hex(code >> 8U);
  out.hex(code & 0xffU);
}

/// A character that is not plain; the length of what was taken.
std::size_t put_escaped(std::string_view text, LineBuffer& out) {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte == '"' || byte == '\\') {
    out.put('\\');
    out.put(text[0]);
    return 1;
  }
  const std::size_t length = utf8_length(text);
  if (length == 0) {
    out.literal("\xef\xbf\xbd");
    return 1;
  }
  const auto second = static_cast<unsigned char>(length > 1 ? text[1] : 0);
  if (byte < 0x20 || byte == 0x7f) {
    put_code_point(byte, out);
  } else if (length == 2 && byte == 0xc2 && second < 0xa0) {
    put_code_point(second, out);
  } else if (length == 3 && text.starts_with("\xe2\x80\xa8")) {
    out.literal("\\u2028");
  } else if (length == 3 && text.starts_with("\xe2\x80\xa9")) {
    out.literal("\\u2029");
  } else {
    out.put(text.substr(0, length));
  }
  return length;
}

/// A key's fragment: comma, quotes and colon.
std::string key_text(std::string_view name, std::string_view suffix = {}) {
  LineBuffer out;
  out.literal(",\"");
  put_json_text(name, out);
  out.put(suffix);
  out.literal("\":");
  return std::string{out.text()};
}

/// The table's own texts are most often at one address.
bool is_same_text(std::string_view left, std::string_view right) {
  return left.size() == right.size() && (left.data() == right.data() || left == right);
}

template <class T>
void put_float(T value, LineBuffer& out) {
  if (std::isnan(value)) return out.literal("\"nan\"");
  if (std::isinf(value)) {
    if (value < 0) return out.literal("\"-inf\"");
    return out.literal("\"inf\"");
  }
  const std::size_t before = out.size();
  out.number(value);
  // It is to be read back as a float.
  if (out.text().substr(before).find_first_of(".e") == std::string_view::npos) out.literal(".0");
}

}  // namespace

void put_json_text(std::string_view text, LineBuffer& out) {
  for (;;) {
    const std::size_t plain = plain_length(text);
    out.put(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    text.remove_prefix(put_escaped(text, out));
  }
}

struct JsonLines::FieldPlan {
  enum class Kind : std::uint8_t { plain, thread, point };
  std::string_view name;  ///< in the table
  Kind kind = Kind::plain;
  std::string key;       ///< `,"waker":`
  std::string name_key;  ///< `,"waker.name":`
};

struct JsonLines::RowPlan {
  std::string head;  ///< from behind the level to the process's number
  std::vector<FieldPlan> fields;
  bool has_sequence = false;
  bool has_site = false;
};

struct JsonLines::KnownThread : Made {
  std::string raw;
  std::string escaped;
  std::string fragment;
};

struct JsonLines::Caches {
  struct Object : Made {
    Kind kind = Kind::trace;
    std::string raw;
    std::string fragment;
  };
  struct Site : Made {
    std::uint32_t line = 0;
    std::string file;
    std::string function;
    std::string fragment;         ///< with the function last
    std::size_t to_function = 0;  ///< its length without

    bool has_texts_of(const NamedRecord& record) const {
      return line == record.line && file == record.file && function == record.function && !fragment.empty();
    }
  };
  struct Format : Made {
    const char* at = nullptr;
    std::string raw;
    std::string fragment;
  };
  FragmentCache<KnownThread> threads;
  FragmentCache<Object> objects;
  FragmentCache<Site> sites;
  FragmentCache<Format> formats;
  std::uint32_t pid = 0;
  std::string pid_text = "0";

  std::string_view text_of_pid(std::uint32_t wanted) {
    if (wanted != pid) pid_text = std::to_string(wanted);
    pid = wanted;
    return pid_text;
  }
};

JsonLines::JsonLines() : caches_{std::make_unique<Caches>()} {
  for (const Row& row : rows()) {
    RowPlan& plan = plans_.emplace_back();
    plan.head = "\",\"record\":\"" + std::string{row.name} + "\",\"process.pid\":";
    for (const Field& field : row.fields()) {
      plan.has_sequence |= field.means == Means::sequence;
      plan.has_site |= field.name == "site";
      if (field.name == "site" || field.means == Means::sequence || field.name.starts_with("reserved")) continue;
      const bool is_point = field.means == Means::ticks && field.type == Type::u64;
      const auto kind = is_point                       ? FieldPlan::Kind::point
                        : field.means == Means::thread ? FieldPlan::Kind::thread
                                                       : FieldPlan::Kind::plain;
      const std::string_view key = key_of(row, field.name);
      plan.fields.push_back({field.name, kind, key_text(key), key_text(key, ".name")});
    }
  }
}

JsonLines::~JsonLines() = default;

const JsonLines::RowPlan& JsonLines::plan_of(const Row& row) const {
  return plans_[static_cast<std::size_t>(&row - rows().data())];
}

const JsonLines::KnownThread& JsonLines::known_thread(ThreadNumber thread, std::string_view name, std::uint64_t names) {
  KnownThread& known = caches_->threads.place(thread);
  const auto is_same = [&] { return known.raw == name && !known.fragment.empty(); };
  if (!known.is_of(thread, names, is_same)) {
    LineBuffer made;
    put_json_text(name, made);
    known = {{thread, names}, std::string{name}, std::string{made.text()}, {}};
    known.fragment = ",\"thread.id\":" + std::to_string(thread) + ",\"thread.name\":\"" + known.escaped + '"';
  }
  return known;
}

void JsonLines::put_object(const NamedRecord& record, LineBuffer& out) {
  if (record.object == 0) return;
  const bool is_definition = record.row->kind == Kind::definition;
  if (is_definition) {
    out.literal(",\"object.id\":");
    out.number(std::uint64_t{record.object});
    return;
  }
  Caches::Object& known = caches_->objects.place(record.object);
  const bool is_known = known.is_of(record.object, record.names, [&] { return known.raw == record.object_name; }) &&
                        known.kind == record.object_kind;
  if (!is_known) {
    LineBuffer made;
    made.literal(",\"object.id\":");
    made.number(std::uint64_t{record.object});
    if (record.object_kind != Kind::trace) {
      made.literal(",\"object.kind\":\"");
      made.put(name_of(record.object_kind));
      made.put('"');
    }
    made.literal(",\"object.name\":\"");
    put_json_text(record.object_name, made);
    made.put('"');
    known = {
        {record.object, record.names}, record.object_kind, std::string{record.object_name}, std::string{made.text()}};
  }
  out.put(known.fragment);
}

void JsonLines::put_site(const NamedRecord& record, bool with_function, LineBuffer& out) {
  Caches::Site& known = caches_->sites.place(record.site);
  if (!known.is_of(record.site, record.names, [&] { return known.has_texts_of(record); })) {
    LineBuffer made;
    made.literal(",\"site\":");
    made.number(std::uint64_t{record.site});
    const bool is_known = record.site != 0 && !record.file.empty();
    if (is_known) {
      made.literal(",\"code.filepath\":\"");
      put_json_text(record.file, made);
      made.literal("\",\"code.lineno\":");
      made.number(std::uint64_t{record.line});
    }
    const std::size_t to_function = made.size();
    if (is_known) {
      made.literal(",\"code.function\":\"");
      put_json_text(record.function, made);
      made.put('"');
    }
    known = {{record.site, record.names}, record.line, std::string{record.file}, std::string{record.function},
             std::string{made.text()},    to_function};
  }
  const std::string_view fragment = known.fragment;
  out.put(with_function ? fragment : fragment.substr(0, known.to_function));
}

void JsonLines::put_value(const Value& value, LineBuffer& out) {
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return out.number(*number);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return out.number(*number);
  std::visit(
      [&](const auto& each) {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, bool>) {
          out.put(each ? std::string_view{"true"} : std::string_view{"false"});
        } else if constexpr (std::is_same_v<T, std::string_view>) {
          out.put('"');
          put_json_text(each, out);
          out.put('"');
        } else if constexpr (std::is_floating_point_v<T>) {
          put_float(each, out);
        }
      },
      value);
}

void JsonLines::put_field(const FieldPlan& plan, const NamedField& field, std::uint64_t names, LineBuffer& out) {
  out.put(plan.key);
  const auto* number = std::get_if<std::uint64_t>(&field.value);
  if (number == nullptr) return put_value(field.value, out);
  if (plan.kind == FieldPlan::Kind::point) {
    out.put('"');
    times_.put(*number, out);
    return out.literal("Z\"");
  }
  out.number(*number);
  if (plan.kind == FieldPlan::Kind::thread) {
    if (*number == 0 || field.stands_for.empty()) return;
    out.put(plan.name_key);
    out.put('"');
    out.put(known_thread(static_cast<ThreadNumber>(*number), field.stands_for, names).escaped);
    out.put('"');
  } else if (field.means == Means::value && !field.stands_for.empty()) {
    out.put(plan.name_key);
    out.put('"');
    put_json_text(field.stands_for, out);
    out.put('"');
  }
}

const std::string& JsonLines::known_format(const NamedRecord& record) {
  Caches::Format& known = caches_->formats.place(record.site);
  const char* const at = record.format.data();
  const bool is_known = known.is_of(record.site, record.names, [&] {
    return known.raw == record.format;
  }) && (known.at == at && record.names != 0 ? known.raw.size() == record.format.size() : known.raw == record.format);
  if (!is_known) {
    LineBuffer made;
    made.literal(",\"format\":\"");
    put_json_text(record.format, made);
    made.literal("\",\"arguments\":{");
    known = {{record.site, record.names}, at, std::string{record.format}, std::string{made.text()}};
  }
  known.at = at;
  return known.fragment;
}

void JsonLines::put_message(const NamedRecord& record, LineBuffer& out) {
  put_site(record, true, out);
  if (!record.logger.empty()) {
    out.literal(",\"logger\":\"");
    put_json_text(record.logger, out);
    out.put('"');
  }
  out.literal(",\"body\":\"");
  put_json_text(record.text, out);
  out.put('"');
  if (record.format.empty()) return;
  out.put(known_format(record));
  bool first = true;
  for (const NamedField& argument : record.fields) {
    if (!first) out.put(',');
    first = false;
    out.put('"');
    put_json_text(argument.name, out);
    out.literal("\":");
    put_value(argument.value, out);
  }
  out.put('}');
}

void JsonLines::put_row(const NamedRecord& record, const RowPlan& plan, LineBuffer& out) {
  put_object(record, out);
  if (plan.has_sequence) {
    out.literal(",\"seq\":");
    out.number(std::uint64_t{record.seq});
  }
  if (plan.has_site) put_site(record, false, out);
  for (std::size_t i = 0; i < record.fields.size(); ++i) {
    const NamedField& field = record.fields[i];
    if (i < plan.fields.size() && is_same_text(plan.fields[i].name, field.name)) {
      put_field(plan.fields[i], field, record.names, out);
    } else {  // of a newer program than this
      const FieldPlan unknown{field.name, FieldPlan::Kind::plain, key_text(field.name), key_text(field.name, ".name")};
      put_field(unknown, field, record.names, out);
    }
  }
}

void JsonLines::append(const NamedRecord& record, std::string& out) {
  line_.clear();
  append(record, line_);
  out += line_.text();
}

void JsonLines::append(const NamedRecord& record, LineBuffer& out) {
  if (record.row == nullptr) return;
  const RowPlan& plan = plan_of(*record.row);
  out.literal("{\"time\":\"");
  times_.put(record.time, out);
  out.literal("Z\",\"level\":\"");
  out.put(name_of(record.level));
  out.put(plan.head);
  out.put(caches_->text_of_pid(record.pid));
  if (record.row->kind != Kind::definition)
    out.put(known_thread(record.thread, record.thread_name, record.names).fragment);
  if (record.row->kind == Kind::message) {
    put_message(record, out);
  } else {
    put_row(record, plan, out);
  }
  out.literal("}\n");
}

}  // namespace spool::trace
