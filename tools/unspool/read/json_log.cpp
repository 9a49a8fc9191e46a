// SPDX-License-Identifier: MIT
#include <unspool/read/expected_key.hpp>
#include <unspool/read/json_keys.hpp>
#include <unspool/read/json_log.hpp>
#include <unspool/read/line_reader.hpp>
#include <unspool/read/quick_json.hpp>

#include <algorithm>
#include <array>

#include <simdjson.h>

namespace unspool {
namespace {

namespace od = simdjson::ondemand;
using trace::Means;
using trace::Type;

static_assert(LineReader::padding >= simdjson::SIMDJSON_PADDING && LineReader::padding >= QuickJson::padding);

trace::Value value_of(od::value& value) {
  switch (value.type()) {
    case od::json_type::boolean:
      return bool{value.get_bool()};
    case od::json_type::string:
      return std::string_view{value.get_string()};
    case od::json_type::number: {
      od::number number = value.get_number();
      if (number.is_uint64()) return std::uint64_t{number.get_uint64()};
      if (number.is_int64() && number.get_int64() >= 0) return static_cast<std::uint64_t>(number.get_int64());
      if (number.is_int64()) return std::int64_t{number.get_int64()};
      return double{number.get_double()};
    }
    default:
      return std::string_view{value.raw_json_token()};
  }
}

/// What stands between the quotes, as it stands there.
std::string_view raw(od::raw_json_string text) {
  const char* const begin = text.raw();
  const char* end = begin;
  while (*end != '"')
    end += *end == '\\' ? 2 : 1;
  return {begin, static_cast<std::size_t>(end - begin)};
}

/// The same of a time, whose end is mostly known. The padding makes it legal to look.
std::string_view raw_time(od::raw_json_string text) {
  constexpr std::size_t whole = 30;
  const char* const begin = text.raw();
  return begin[whole] == '"' && begin[whole - 1] == 'Z' ? std::string_view{begin, whole} : raw(text);
}

template <class T>
bool fits(std::uint64_t number, T& into) {
  into = static_cast<T>(number);
  return into == number;
}

}  // namespace

struct JsonLog::Parser {
  od::parser parser;
  TimeParser times;
  Want want = Want::record;
  Line* line = nullptr;
  bool has_time = false;
  bool has_pid = false;
  bool has_thread = false;
  bool whole = true;     ///< everything is in its range
  bool skipped = false;  ///< a field came before the row was known

  Fault parse(std::string_view text, Want wanted, Line& out) {
    want = wanted;
    line = &out;
    out.clear();
    has_time = has_pid = has_thread = skipped = newer = false;
    whole = true;
    od::document document = parser.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING);
    od::object object = document.get_object();
    read(object);
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) return Fault::broken;  // something follows
    if (skipped && line->row != nullptr) {
      document.rewind();
      od::object again = document.get_object();
      read(again);
    }
    return judge();
  }

  void read(od::object& object) {
    std::size_t index = 0;
    // By reference: a field that was just put together and is then copied stalls the processor for some ten cycles.
    for (auto&& each : object) {
      if (each.error() != simdjson::SUCCESS) throw simdjson::simdjson_error{each.error()};
      od::field& field = each.value_unsafe();
      const char* const at = field.key().raw();
      ExpectedKey<JsonKey>& guess = expected[std::min(index++, expected.size() - 1)];
      if (!guess.is(at)) {
        const std::string_view name = raw(field.key());
        guess.set(name, json_key(name));
        read(guess.key(), name, field.value());
      } else {
        read(guess.key(), {at, guess.size()}, field.value());
      }
    }
  }

  Fault judge() const {
    if (line->row == nullptr) return newer ? Fault::newer : Fault::foreign;
    const bool needs_thread = line->row->kind != trace::Kind::definition;
    if (!has_time || !has_pid || (needs_thread && !has_thread) || !whole || !in_range(*line)) return Fault::incomplete;
    return Fault::none;
  }

  void read(JsonKey found, std::string_view key, od::value& value) {
    switch (found) {
      case JsonKey::time:
        has_time = times.parse(raw_time(value.get_raw_json_string()), line->time);
        break;
      case JsonKey::record:
        read_row(raw(value.get_raw_json_string()));
        break;
      case JsonKey::pid:
        has_pid = fits(value.get_uint64(), line->pid);
        break;
      case JsonKey::thread:
        has_thread = fits(value.get_uint64(), line->thread);
        break;
      case JsonKey::object:
        line->object = value.get_uint64();
        break;
      case JsonKey::seq:
        whole &= fits(value.get_uint64(), line->seq);
        break;
      case JsonKey::site:
        whole &= fits(value.get_uint64(), line->site);
        break;
      case JsonKey::level:
        whole &= parse_level(raw(value.get_raw_json_string()), line->level);
        break;
      case JsonKey::other:
        read_field(key, value);
        break;
      default:
        read_text(found, value);
    }
  }

  /// What only some are asked for: texts are unescaped, which costs.
  void read_text(JsonKey key, od::value& value) {
    const bool names = want == Want::names;
    const bool definition = line->row != nullptr && line->row->kind == trace::Kind::definition;
    if (key == JsonKey::thread_name && names) line->thread_name = value.get_string();
    if (key == JsonKey::object_kind && names) line->object_kind = value.get_string();
    if (key == JsonKey::object_name && names) line->object_name = value.get_string();
    if (key == JsonKey::file && (names || definition)) line->file = value.get_string();
    if (key == JsonKey::lineno) whole &= fits(value.get_uint64(), line->lineno);
    if (key == JsonKey::function && (names || definition)) line->function = value.get_string();
    if (!wants_texts(want, *line)) return;
    if (key == JsonKey::logger) line->logger = value.get_string();
    if (key == JsonKey::body) line->text = value.get_string();
    if (key == JsonKey::format) line->format = value.get_string();
    if (key == JsonKey::arguments) read_arguments(value);
  }

  void read_arguments(od::value& value) const {
    line->typed = true;
    od::object object = value.get_object();
    for (od::field field : object) {
      const std::string_view name = field.unescaped_key();
      od::value argument = field.value();
      line->arguments.push_back({name, value_of(argument)});
    }
  }

  void read_row(std::string_view name) {
    line->row = rows.find(name);
    newer = line->row == nullptr;
  }

  void read_field(std::string_view key, od::value& value) {
    if (line->row == nullptr) {
      skipped = true;
      return;
    }
    const std::size_t at = own_field(*line->row, schema_name(*line->row, key));
    if (at == no_field) return;
    const trace::Field& field = line->row->fields()[at];
    if (field.type == Type::text) {
      line->words[at] = value.get_string();
    } else if (field.means == Means::ticks && field.type == Type::u64) {
      whole &= times.parse(raw_time(value.get_raw_json_string()), line->numbers[at]);
    } else {
      line->numbers[at] = value.get_uint64();
    }
  }

  QuickJson quick;
  std::array<ExpectedKey<JsonKey>, 24> expected;
  RowNames rows;
  bool newer = false;
};

JsonLog::JsonLog() : parser_{std::make_unique<Parser>()} {}
JsonLog::~JsonLog() = default;

Fault JsonLog::parse(std::string_view text, Want want, Line& out) {
  return parser_->quick.parse(text, want, out) ? Fault::none : parse_any(text, want, out);
}

Fault JsonLog::parse_any(std::string_view text, Want want, Line& out) {
  try {
    const Fault fault = parser_->parse(text, want, out);
    if (fault != Fault::broken) return fault;
  } catch (const simdjson::simdjson_error&) {
    // Below: any fault of JSON is the same to whoever reads logs.
  }
  constexpr std::string_view head = "{\"time\":\"";
  if (text.find(head, 1) != std::string_view::npos) return Fault::interleaved;
  return text.starts_with(head) ? Fault::broken : Fault::foreign;
}

bool JsonLog::glance(std::string_view text, Glance& out) {
  out = {};
  if (!text.ends_with('}') || !take(text, "{\"time\":\"") || !take_text(text, 30)) return false;
  if (!take(text, ",\"level\":\"") || !take_text(text) || !take(text, ",\"record\":\"")) return false;
  out.definition = text.starts_with("definition.");
  if (!take_text(text) || !take_key(text, ",\"process.pid\":", out.pid)) return false;
  if (out.definition) return true;
  if (!take_key(text, ",\"thread.id\":", out.thread)) return false;
  if (!take(text, ",\"thread.name\":\"") || !take_text(text)) return false;
  if (text.starts_with(",\"object.id\":") && !take_key(text, ",\"object.id\":", out.object)) return false;
  if (take(text, ",\"object.kind\":\"") && !take_text(text)) return false;
  if (take(text, ",\"object.name\":\"") && !take_text(text)) return false;
  if (std::uint32_t seq = 0; text.starts_with(",\"seq\":") && !take_key(text, ",\"seq\":", seq)) return false;
  return !text.starts_with(",\"site\":") || take_key(text, ",\"site\":", out.site);
}

}  // namespace unspool
