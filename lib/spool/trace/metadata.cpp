// SPDX-License-Identifier: MIT
#include <spool/trace/metadata.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <set>

namespace spool::trace {
namespace {

// Transitions use the naturally aligned integers, everything else the byte-aligned ones (p...).
constexpr std::string_view types = R"(typealias integer { size = 8; align = 8; signed = false; } := u8;
typealias integer { size = 16; align = 16; signed = false; } := u16;
typealias integer { size = 32; align = 32; signed = false; } := u32;
typealias integer { size = 48; align = 16; signed = false; } := u48;
typealias integer { size = 64; align = 64; signed = false; } := u64;
typealias integer { size = 16; align = 8; signed = false; } := p16;
typealias integer { size = 32; align = 8; signed = false; } := p32;
typealias integer { size = 64; align = 8; signed = false; } := p64;
typealias integer { size = 8; align = 8; signed = true; } := i8;
typealias integer { size = 16; align = 8; signed = true; } := i16;
typealias integer { size = 32; align = 8; signed = true; } := i32;
typealias integer { size = 64; align = 8; signed = true; } := i64;
typealias floating_point { exp_dig = 8; mant_dig = 24; byte_order = le; align = 8; } := f32;
typealias floating_point { exp_dig = 11; mant_dig = 53; byte_order = le; align = 8; } := f64;
enum boolean : u8 { false = 0, true = 1 };
typealias enum boolean := boolean;
typealias integer { size = 8; align = 8; signed = false; encoding = UTF8; } := utf8;
typealias integer { size = 64; align = 8; signed = false; base = 16; } := pointer;
)";

constexpr std::string_view streams =
    R"(struct context { u64 content_size; u64 packet_size; ticks timestamp_begin; u64 events_discarded; u64 closed; u32 thread_id; u32 segment; u64 mixed; u64 reserved[2]; };
stream { id = 0; packet.context := struct context; event.header := struct { ticks timestamp; u16 id; } align(64); event.context := struct { u48 object; }; };
stream { id = 1; packet.context := struct context; event.header := struct { ticks timestamp; u16 id; } align(64); event.context := struct { u48 object; }; };
)";

std::string_view type_name(Type type, bool packed) {
  switch (type) {
    case Type::u8:
      return "u8";
    case Type::u16:
      return packed ? "p16" : "u16";
    case Type::u32:
      return packed ? "p32" : "u32";
    case Type::u64:
      return packed ? "p64" : "u64";
    case Type::i8:
      return "i8";
    case Type::i16:
      return "i16";
    case Type::i32:
      return "i32";
    case Type::i64:
      return "i64";
    case Type::f32:
      return "f32";
    case Type::f64:
      return "f64";
    case Type::boolean:
      return "boolean";
    case Type::text:
      return "utf8";
  }
  return "u8";
}

void append_field(std::string& out, const Field& field, bool packed) {
  auto to = std::back_inserter(out);
  if (field.type == Type::text) {
    fmt::format_to(to, " p32 _{0}_length; utf8 {0}[_{0}_length];", field.name);
  } else {
    fmt::format_to(to, " {} {};", type_name(field.type, packed), field.name);
  }
}

void append_row(std::string& out, const Row& row) {
  fmt::format_to(std::back_inserter(out), "event {{ name = \"{}\"; id = {}; stream_id = {}; fields := struct {{",
                 row.name, record_id(row), row.kind == Kind::definition ? definition_stream : record_stream);
  for (const Field& field : row.fields())
    append_field(out, field, row.packed);
  out += " }; };\n";
}

constexpr std::string_view duration_prefix = "duration_";

std::string duration_name(const Field& field) {
  return fmt::format("{}{}_{}_{}", duration_prefix, field.period.numerator, field.period.denominator,
                     type_name(field.type, true));
}

/// The types that an argument needs beyond the common ones are declared inside its class: a typealias may not be
/// repeated outside.
void append_argument_types(std::string& out, std::span<const Field> arguments) {
  std::set<std::string> declared;
  for (const Field& field : arguments) {
    if (field.means != Means::duration) continue;
    const std::string name = duration_name(field);
    if (!declared.insert(name).second) continue;
    const std::string_view description =
        field.type == Type::f32   ? "floating_point { exp_dig = 8; mant_dig = 24; byte_order = le; align = 8; }"
        : field.type == Type::f64 ? "floating_point { exp_dig = 11; mant_dig = 53; byte_order = le; align = 8; }"
                                  : "integer { size = 64; align = 8; signed = true; }";
    fmt::format_to(std::back_inserter(out), " typealias {} := {};", description, name);
  }
}

/// `length` is what counts a text.
void append_argument(std::string& out, const Field& field, const std::string& length) {
  auto to = std::back_inserter(out);
  const std::string name = declared_name(field.name);
  if (field.type == Type::text) {
    fmt::format_to(to, " p32 {1}; utf8 {0}[{1}];", name, length);
  } else if (field.means == Means::character) {
    fmt::format_to(to, " utf8 {}[1];", name);
  } else if (field.means == Means::pointer) {
    fmt::format_to(to, " pointer {};", name);
  } else if (field.means == Means::duration) {
    fmt::format_to(to, " {} {};", duration_name(field), name);
  } else {
    fmt::format_to(to, " {} {};", type_name(field.type, true), name);
  }
}

/// Behind the `_` that readers take away no two names may be equal.
std::string length_name(std::string_view argument, std::set<std::string, std::less<>>& taken) {
  std::string shown = fmt::format("{}_length", argument);
  while (!taken.insert(shown).second)
    shown += '_';
  return '_' + shown;
}

/// Words that no field may be called by: TSDL's, and the names of our types.
bool is_taken_word(std::string_view word) {
  static constexpr auto words = std::to_array<std::string_view>(
      {"align",   "boolean",   "callsite", "char",    "clock",  "const",   "context",
       "double",  "enum",      "env",      "event",   "f32",    "f64",     "float",
       "header",  "i16",       "i32",      "i64",     "i8",     "id",      "int",
       "integer", "long",      "p16",      "p32",     "p64",    "pointer", "floating_point",
       "short",   "signed",    "site",     "stream",  "string", "struct",  "ticks",
       "trace",   "typealias", "typedef",  "u16",     "u32",    "u48",     "u64",
       "u8",      "utf8",      "unsigned", "variant", "void"});
  return std::ranges::find(words, word) != words.end();
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// An identifier that looks like `wanted` as far as it can.
std::string identifier(std::string_view wanted) {
  constexpr std::size_t longest = 60;
  const bool begins_well = !wanted.empty() && (is_letter(wanted[0]) || static_cast<unsigned char>(wanted[0]) >= 0x80);
  std::string name{begins_well ? "" : "_"};
  for (const char each : wanted.substr(0, longest))
    name += is_letter(each) || (each >= '0' && each <= '9') ? each : '_';
  return name;
}

}  // namespace

std::vector<std::string> argument_names(std::span<const std::string_view> wanted) {
  std::set<std::string> taken{"site"};
  std::vector<std::string> names;
  for (const std::string_view each : wanted) {
    const std::string plain = identifier(each);
    std::string name = plain;
    for (int n = 2; !taken.insert(name).second; ++n)
      name = fmt::format("{}_{}", plain, n);
    names.push_back(std::move(name));
  }
  return names;
}

std::string declared_name(std::string_view argument) {
  const bool in_need = argument.starts_with('_') || argument.starts_with(duration_prefix) || is_taken_word(argument);
  return fmt::format("{}{}", in_need ? "_" : "", argument);
}

std::string_view name_of_declared(std::string_view declared) {
  if (declared.starts_with('_')) declared.remove_prefix(1);
  return declared;
}

Meaning meaning_of_type(std::string_view type_name) {
  if (type_name == "pointer") return {Means::pointer, {}};
  if (!type_name.starts_with(duration_prefix)) return {};
  Period period{0, 0};
  const char* const end = type_name.data() + type_name.size();
  const auto first = std::from_chars(type_name.data() + duration_prefix.size(), end, period.numerator);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '_') return {};
  const auto second = std::from_chars(first.ptr + 1, end, period.denominator);
  return second.ec == std::errc{} ? Meaning{Means::duration, period} : Meaning{};
}

std::string uuid_text(const Uuid& uuid) {
  std::string text;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    fmt::format_to(std::back_inserter(text), "{:02x}", uuid[i]);
  }
  return text;
}

std::string tsdl_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    if (each == '"' || each == '\\') {
      quoted += '\\';
      quoted += each;
    } else if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(quoted), "\\{:03o}", byte);
    } else {
      quoted += each;
    }
  }
  return quoted + '"';
}

std::string metadata_text(const Process& process, const Uuid& uuid, std::uint32_t segment) {
  std::string text = "/* CTF 1.8 */\n";
  text += types;
  auto to = std::back_inserter(text);
  fmt::format_to(
      to,
      "trace {{ major = 1; minor = 8; uuid = \"{}\"; byte_order = le; packet.header := struct {{ u32 magic; u8 "
      "uuid[16]; u32 stream_id; }}; }};\n",
      uuid_text(uuid));
  fmt::format_to(
      to,
      "env {{ tracer_name = \"spool\"; spool_format_major = {}; spool_format_minor = {}; hostname = {};{} procname = "
      "{}; vpid = {};{} started = {}; segment = {}; clock_source = {};{} }};\n",
      format_major, format_minor, tsdl_quoted(process.hostname),
      process.boot.empty() ? "" : fmt::format(" boot = {};", tsdl_quoted(process.boot)), tsdl_quoted(process.program),
      process.pid, process.parent_pid == 0 ? "" : fmt::format(" parent_pid = {};", process.parent_pid),
      tsdl_quoted(process.started), segment, tsdl_quoted(process.clock),
      process.monotonic_zero == 0 ? "" : fmt::format(" monotonic_zero = {};", process.monotonic_zero));
  fmt::format_to(to, "clock {{ name = spool_ticks; freq = {}; offset_s = {}; offset = {}; }};\n", process.frequency,
                 process.epoch_seconds, process.epoch_ticks);
  text += "typealias integer { size = 64; align = 64; signed = false; map = clock.spool_ticks.value; } := ticks;\n";
  text += streams;
  for (const Row& row : rows()) {
    // A trace says it in `env`; and `clock` is a word of TSDL, which babeltrace2 takes for no field's name.
    const bool is_of_lines = row.kind == Kind::definition && row.verb == Verb::process;
    if (!is_of_lines) append_row(text, row);
  }
  return text;
}

std::string message_class_text(const MessageClass& message) {
  std::string text;
  const std::string name = message.logger.empty() ? "message" : "message." + message.logger;
  fmt::format_to(std::back_inserter(text),
                 "event {{ name = {}; id = {}; stream_id = 0; loglevel = {}; model.emf.uri = {}; fields := struct {{",
                 tsdl_quoted(name), message.id, ctf_loglevel(message.level), tsdl_quoted(message.format));
  append_argument_types(text, message.arguments);
  text += " p32 site;";
  std::set<std::string, std::less<>> taken{"site"};
  for (const Field& field : message.arguments)
    taken.emplace(field.name);
  for (const Field& field : message.arguments)
    append_argument(text, field, field.type == Type::text ? length_name(field.name, taken) : "");
  text += " }; };\n";
  return text;
}

}  // namespace spool::trace
