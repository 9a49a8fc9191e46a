// SPDX-License-Identifier: MIT
#include <spool/trace/metadata.hpp>

#include <fmt/format.h>

#include <iterator>

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
)";

constexpr std::string_view streams =
    R"(struct context { u64 content_size; u64 packet_size; ticks timestamp_begin; u64 events_discarded; u64 closed; u32 thread_id; u32 segment; u64 reserved[3]; };
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
                 row.name, record_id(row.kind, row.verb),
                 row.kind == Kind::definition ? definition_stream : record_stream);
  for (const Field& field : row.fields())
    append_field(out, field, row.packed);
  out += " }; };\n";
}

}  // namespace

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
      "env {{ tracer_name = \"spool\"; spool_format_major = {}; spool_format_minor = {}; hostname = {}; procname = "
      "{}; vpid = {};{} started = {}; segment = {}; clock_source = {}; }};\n",
      format_major, format_minor, tsdl_quoted(process.hostname), tsdl_quoted(process.program), process.pid,
      process.parent_pid == 0 ? "" : fmt::format(" parent_pid = {};", process.parent_pid), tsdl_quoted(process.started),
      segment, tsdl_quoted(process.clock));
  fmt::format_to(to, "clock {{ name = spool_ticks; freq = {}; offset_s = {}; offset = {}; }};\n", process.frequency,
                 process.epoch_seconds, process.epoch_ticks);
  text += "typealias integer { size = 64; align = 64; signed = false; map = clock.spool_ticks.value; } := ticks;\n";
  text += streams;
  for (const Row& row : rows())
    append_row(text, row);
  return text;
}

std::string message_class_text(const MessageClass& message) {
  std::string text;
  const std::string name = message.logger.empty() ? "message" : "message." + message.logger;
  fmt::format_to(
      std::back_inserter(text),
      "event {{ name = {}; id = {}; stream_id = 0; loglevel = {}; model.emf.uri = {}; fields := struct {{ p32 site;",
      tsdl_quoted(name), message.id, ctf_loglevel(message.level), tsdl_quoted(message.format));
  for (const Field& field : message.arguments)
    append_field(text, field, true);
  text += " }; };\n";
  return text;
}

}  // namespace spool::trace
