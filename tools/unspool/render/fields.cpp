// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/fields.hpp>

#include <algorithm>

namespace unspool {
namespace {

using trace::Kind;

std::string_view record_named_by(std::uint64_t id) {
  for (const trace::Row& row : trace::rows()) {
    if (trace::record_id(row.kind, row.verb) == id) return row.name;
  }
  return {};
}

template <class E>
std::string_view enumerator(std::uint64_t number) {
  const std::string_view name = number < 256 ? trace::name_of(static_cast<E>(number)) : std::string_view{};
  return name == "unknown" ? std::string_view{} : name;
}

std::string_view text_of(const Values& values, std::size_t index) {
  const auto* text = index < values.size() ? std::get_if<std::string_view>(&values[index]) : nullptr;
  return text ? *text : std::string_view{};
}

}  // namespace

RecordFields::RecordFields(const Record& record) {
  fields = record.row->fields();
  if (record.row->kind == Kind::message)
    fields = record.message ? std::span{record.message->arguments} : fields.subspan(1);
  if (auto read = trace::read_values(fields, record.bytes)) {
    values = *std::move(read);
  } else {
    fields = {};
  }
}

MessageParts::MessageParts(const Record& record) {
  const RecordFields read{record};
  if (record.message) {
    level = record.message->level;
    logger = record.message->logger;
    text = record.message->has_text ? record.message->text
                                    : trace::message_text(record.message->format, read.fields, read.values);
    return;
  }
  const auto* number = read.values.empty() ? nullptr : std::get_if<std::uint64_t>(&read.values[0]);
  if (number) level = static_cast<trace::Level>(std::min<std::uint64_t>(*number, 6));
  logger = text_of(read.values, 1);
  text = text_of(read.values, 2);
}

std::string_view word_of(const trace::Row& row, const trace::Field& field, std::uint64_t number) {
  if (field.name == "kind") return enumerator<Kind>(number);
  if (field.name == "origin") return enumerator<trace::Origin>(number);
  if (field.name == "reason") return enumerator<trace::LossReason>(number);
  if (field.name == "begun_by") return record_named_by(number);
  if (field.name == "daemon") return number != 0 ? "yes" : "no";
  if (field.name == "outcome") return number == 0 ? "returned" : number == 1 ? "exception" : "";
  if (field.name == "mode" && row.kind == Kind::definition) return enumerator<trace::Mode>(number);
  if (field.name == "mode") return number == 0 ? "exclusive" : number == 1 ? "shared" : "";
  return {};
}

std::string Labels::thread(trace::ThreadNumber thread) const {
  if (thread == 0) return "-";
  const auto found = process_.threads.find(thread);
  const bool named = found != process_.threads.end() && !found->second.name.empty();
  return named ? fmt::format("{}({})", trace::escaped(found->second.name), thread) : fmt::format("thread({})", thread);
}

std::string Labels::object(trace::ObjectNumber object, Kind kind) const {
  if (object == 0) return "-";
  if (trace::is_thread(object)) return thread(static_cast<trace::ThreadNumber>(object));
  const auto found = process_.objects.find(object);
  const bool known = found != process_.objects.end();
  const auto what = fmt::format("{} {}", trace::name_of(known ? found->second.kind : kind), object_number(object));
  return known && !found->second.name.empty() ? fmt::format("{}({})", trace::escaped(found->second.name), what) : what;
}

const std::string& Labels::site(trace::SiteNumber site) {
  static const std::string unknown = "-";
  if (process_.sites.find(site) == process_.sites.end()) return unknown;
  std::string& label = sites_[site];
  if (label.empty()) label = names_.site(site);
  return label;
}

}  // namespace unspool
