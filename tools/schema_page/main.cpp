// SPDX-License-Identifier: MIT
//
// Prints docs/records.md from the schema table, so that the page cannot say something else than the code.
#include <spool/trace/schema.hpp>

#include <fmt/format.h>

#include <string>

namespace {

namespace trace = spool::trace;

std::string type_name(trace::Type type) {
  using enum trace::Type;
  switch (type) {
    case u8:
      return "u8";
    case u16:
      return "u16";
    case u32:
      return "u32";
    case u64:
      return "u64";
    case i8:
      return "i8";
    case i16:
      return "i16";
    case i32:
      return "i32";
    case i64:
      return "i64";
    case f32:
      return "f32";
    case f64:
      return "f64";
    case boolean:
      return "boolean";
    case text:
      return "text";
  }
  return "?";
}

std::string meaning(trace::Means means) {
  using enum trace::Means;
  switch (means) {
    case value:
    case character:  // these three are of messages' arguments, which are in no row
    case pointer:
    case duration:
      return "";
    case site:
      return " (site)";
    case sequence:
      return " (sequence)";
    case thread:
      return " (thread)";
    case object:
      return " (object)";
    case ticks:
      return " (ticks)";
  }
  return "";
}

std::string effect(const trace::Row& row) {
  using enum trace::Effect;
  switch (row.effect) {
    case none:
      return "";
    case wait:
      return "a wait begins or goes on";
    case acquire:
      return "a hold begins";
    case release:
      return "a hold ends";
    case resume:
      return "a wait ends, nothing is held";
    case fail:
      return "a wait or a try ends without success";
    case share:
      return "a shared hold begins";
    case unshare:
      return "a shared hold ends";
    case take:
      return "a permit is taken";
    case give:
      return "permits are given";
  }
  return "";
}

std::string fields(const trace::Row& row) {
  std::string text;
  for (const trace::Field& field : row.fields()) {
    if (field.name.starts_with("reserved")) continue;
    text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", field.name, type_name(field.type), meaning(field.means));
  }
  return text;
}

std::string next(const trace::Row& row) {
  if (row.next.bits == trace::verbs(trace::Verb::destroy).bits) return "nothing";
  std::string text;
  for (const trace::Row& other : trace::rows()) {
    if (other.kind == row.kind && other.limit == trace::WaitLimit::none && row.next.has(other.verb))
      text += fmt::format("{}{}", text.empty() ? "" : ", ", other.name);
  }
  return text.empty() ? "any" : text;
}

}  // namespace

int main() {
  fmt::print(
      "# The kinds of Records\n\n"
      "Made from the schema table (`lib/spool/trace/schema.cpp`) by `schema_page`; a test compares them. Trace format "
      "{}.{}.\n\n"
      "Every Record begins with `timestamp` (u64, ticks), `id` (u16) and `object` (48 bits; 0 where there is none). "
      "\"Advances\": the Record has a sequence number of its own on its object; others quote the last one seen. "
      "\"Next\": what the same thread may do next to the same object.\n\n"
      "| id | name | fields | what it does | advances | next |\n|---|---|---|---|---|---|\n",
      trace::format_major, trace::format_minor);
  for (const trace::Row& row : trace::rows()) {
    fmt::print("| {} | `{}` | {} | {} | {} | {} |\n", trace::record_id(row), row.name, fields(row), effect(row),
               row.advances ? "yes" : "", next(row));
  }
  fmt::print(
      "\nA message site is an event class of its own, with an id from {} up: `site` u32, then the arguments as typed "
      "fields, byte by byte. It is called `message`, or `message.LOGGER`; its format string and level stand in the "
      "metadata (`model.emf.uri`, `loglevel`). `definition.*` and `trace.cost` Records stand in CTF stream class 1, "
      "all others in class 0.\n\n"
      "An argument's field has the argument's name, or is `arg0`, `arg1`, ... by its place. In the metadata a `_` "
      "stands "
      "before a name that is a word of CTF or of ours, or begins with `_`; readers take one away. A character is "
      "`utf8 NAME[1]`, a text a `p32` count and `utf8 NAME[count]`, an address a `pointer` (64 bits, shown in "
      "hexadecimal). A duration is a count in a type of the class's own that says the unit: `duration_1_1000_i64` "
      "counts 1/1000 s.\n",
      trace::first_message_class);
}
