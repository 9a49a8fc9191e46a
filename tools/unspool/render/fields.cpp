// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/fields.hpp>

#include <algorithm>

namespace unspool {
namespace {

using trace::Kind;

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
