// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/analyze/redact.hpp>
#include <unspool/model/call_stack.hpp>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <variant>

#include <sodium.h>

namespace unspool {
namespace {

using trace::Kind;
using trace::Type;
using trace::Verb;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

template <class T>
void append(std::string& to, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

/// As read_values reads it: byte by byte.
void append(std::string& to, const trace::Field& field, const trace::Value& value) {
  const auto number = [&]() -> std::uint64_t {
    if (const auto* big = std::get_if<std::uint64_t>(&value)) return *big;
    if (const auto* negative = std::get_if<std::int64_t>(&value)) return static_cast<std::uint64_t>(*negative);
    const auto* truth = std::get_if<bool>(&value);
    return truth != nullptr && *truth ? 1 : 0;
  };
  switch (field.type) {
    case Type::boolean:
    case Type::u8:
    case Type::i8:
      return append(to, static_cast<std::uint8_t>(number()));
    case Type::u16:
    case Type::i16:
      return append(to, static_cast<std::uint16_t>(number()));
    case Type::u32:
    case Type::i32:
      return append(to, static_cast<std::uint32_t>(number()));
    case Type::u64:
    case Type::i64:
      return append(to, number());
    case Type::f32:
      return append(to, std::get<float>(value));
    case Type::f64:
      return append(to, std::get<double>(value));
    case Type::text:
      const auto text = std::get<std::string_view>(value);
      append(to, static_cast<std::uint32_t>(text.size()));
      to += text;
  }
}

/// What a text of a definition names.
std::string_view sort_of(Verb verb, std::string_view field) {
  if (verb == Verb::thread) return "thread";
  if (verb == Verb::object) return "object";
  if (verb == Verb::site) return field;
  if (verb == Verb::frame) return field == "source_file" ? "file" : field == "source_function" ? "function" : field;
  return field == "program" || field == "host" ? field : "";  // the clock's name and the format's version tell nothing
}

/// Level, logger and text of a message, whatever it is made of.
MessageClass plain_of(const Record& record) {
  MessageClass plain;
  plain.has_text = true;
  if (const MessageClass* typed = record.message; typed != nullptr) {
    plain.level = typed->level;
    plain.logger = typed->logger;
    const auto values = trace::read_values(typed->arguments, record.bytes);
    plain.text = typed->has_text ? typed->text
                 : values        ? trace::message_text(typed->format, typed->arguments, *values)
                                 : typed->format;
    return plain;
  }
  const auto values = trace::read_values(record.row->fields().subspan(1), record.bytes);  // level, logger, text
  if (!values || values->size() < 3) return plain;
  if (const auto* level = std::get_if<std::uint64_t>(values->data())) plain.level = static_cast<trace::Level>(*level);
  if (const auto* logger = std::get_if<std::string_view>(&(*values)[1])) plain.logger = *logger;
  if (const auto* text = std::get_if<std::string_view>(&(*values)[2])) plain.text = *text;
  return plain;
}

}  // namespace

Redactor::Redactor(std::string_view key) {
  if (::sodium_init() < 0) throw std::runtime_error{"libsodium does not start"};
  ::crypto_generichash(key_.data(), key_.size(), bytes_of(key), key.size(), nullptr, 0);
}

std::string Redactor::pseudonym(std::string_view sort, std::string_view text) const {
  if (text.empty()) return {};
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest{};
  ::crypto_generichash(digest.data(), digest.size(), bytes_of(text), text.size(), key_.data(), key_.size());
  // In call stacks these are left out, whatever they are called.
  std::string out = fmt::format("{}{}-", sort == "function" && is_of_library(text) ? "std::" : "", sort);
  constexpr std::size_t shown = 6;
  for (std::size_t i = 0; i < shown; ++i)
    out += fmt::format("{:02x}", digest[i]);
  return out;
}

std::string Redactor::replace(std::string_view sort, std::string& text) {
  std::string pseudonym = this->pseudonym(sort, text);
  if (!text.empty()) places_[text] = pseudonym;
  text = pseudonym;
  return pseudonym;
}

Wanted Redactor::rename(const Wanted& wanted, std::span<const Process* const> processes) const {
  // A number means something else in another process, a name does not. And 2 is thread 2 as well as object #2.
  const auto patterns = [&](std::string_view sort, const std::vector<Fitting>& fitting) {
    std::vector<std::string> out;
    for (const Fitting& each : fitting) {
      const bool named = !each.name.empty() && (processes.size() > 1 || (each.is_thread && sort == "object"));
      out.push_back(named ? pseudonym(each.is_thread ? "thread" : sort, each.name) : each.number);
    }
    return out;
  };
  Wanted renamed = wanted;
  renamed.threads = patterns("thread", fitting_threads(wanted, processes));
  renamed.objects = patterns("object", fitting_objects(wanted, processes));
  renamed.processes = patterns("program", fitting_processes(wanted, processes));
  return renamed;
}

void Redactor::rename(Process& process) {
  replace("trace", process.path);
  replace("program", process.program);
  replace("host", process.hostname);
  for (std::string& log : process.logs)
    replace("log", log);
  for (auto& [number, thread] : process.threads)
    thread.name = pseudonym("thread", thread.name);
  for (auto& [number, object] : process.objects)
    object.name = pseudonym("object", object.name);
  for (auto& [number, site] : process.sites) {
    site.file = pseudonym("file", site.file);
    site.function = pseudonym("function", site.function);
  }
  for (auto& [number, frame] : process.frames) {
    frame.module = pseudonym("module", frame.module);
    for (Site& line : frame.lines) {
      line.file = pseudonym("file", line.file);
      line.function = pseudonym("function", line.function);
    }
  }
}

void Redactor::rename_problems(Process& process) const {
  for (Problem& problem : process.problems) {
    // The longest first: a path may hold another, and the program's name.
    for (auto each = places_.rbegin(); each != places_.rend(); ++each) {
      for (std::size_t at = 0; (at = problem.text.find(each->first, at)) != std::string::npos;
           at += each->second.size())
        problem.text.replace(at, each->first.size(), each->second);
    }
  }
}

bool Redacted::next(Record& record) {
  if (!source_.next(record)) {
    redactor_.rename_problems(process_);
    return false;
  }
  if (record.row == nullptr) return true;
  if (record.row->kind == Kind::message) redact_message(record);
  if (record.row->kind == Kind::definition) redact_definition(record);
  return true;
}

void Redacted::redact_message(Record& record) {
  message_ = plain_of(record);
  message_.logger = redactor_.pseudonym("logger", message_.logger);
  message_.text = redactor_.pseudonym("text", message_.text);
  record.message = &message_;
  record.bytes = {};
}

void Redacted::redact_definition(Record& record) {
  auto values = trace::read_values(record.row->fields(), record.bytes);
  bytes_.clear();
  std::vector<std::string> texts;
  texts.reserve(trace::max_fields);
  for (std::size_t i = 0; values && i < values->size(); ++i) {
    const trace::Field& field = record.row->fields()[i];
    const std::string_view sort = sort_of(record.row->verb, field.name);
    if (const auto* const text = std::get_if<std::string_view>(&(*values)[i]); text != nullptr && !sort.empty())
      (*values)[i] = std::string_view{texts.emplace_back(redactor_.pseudonym(sort, *text))};
    append(bytes_, field, (*values)[i]);
  }
  record.bytes = std::as_bytes(std::span{bytes_});
}

}  // namespace unspool
