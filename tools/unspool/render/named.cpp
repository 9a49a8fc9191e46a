// SPDX-License-Identifier: MIT
#include <spool/trace/words.hpp>

#include <unspool/render/fields.hpp>
#include <unspool/render/named.hpp>

#include <algorithm>
#include <ctime>
#include <utility>
#include <variant>

namespace unspool {
namespace {

using trace::Kind;
using trace::Means;

constexpr std::uint64_t billion = 1'000'000'000;

/// RFC 3339, UTC, in ns since 1970; 0 where it is none.
std::uint64_t time_of(const std::string& text) {
  std::tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return 0;
  const std::time_t seconds = timegm(&parts);
  if (seconds < 0) return 0;
  std::uint64_t fraction = 0;
  std::uint64_t unit = billion;
  if (*rest == '.') {
    for (++rest; *rest >= '0' && *rest <= '9' && unit > 1; ++rest) {
      unit /= 10;
      fraction += unit * static_cast<std::uint64_t>(*rest - '0');
    }
  }
  return static_cast<std::uint64_t>(seconds) * billion + fraction;
}

}  // namespace

Naming::Naming(const Process& process) : process_{process}, calendar_{process} {}

void Naming::begin(const trace::Row& row, trace::Ticks time) {
  named_ = {};
  fields_.clear();
  named_.row = &row;
  named_.level = trace::Level::trace;
  named_.time = calendar_.realtime(time);
  named_.pid = process_.pid;
}

const trace::NamedRecord& Naming::process() {
  static const trace::Row& row = *trace::row_of(Kind::definition, trace::Verb::process);
  begin(row, 0);
  const std::uint64_t started = time_of(process_.started);
  named_.time = started;
  fields_.push_back({"parent_pid", Means::value, std::uint64_t{process_.parent_pid}, {}, 0});
  fields_.push_back({"started", Means::ticks, started, {}, 0});
  fields_.push_back({"program", Means::value, std::string_view{process_.program}, {}, 0});
  fields_.push_back({"host", Means::value, std::string_view{process_.hostname}, {}, 0});
  fields_.push_back({"clock", Means::value, std::string_view{process_.clock_source}, {}, 0});
  fields_.push_back({"version", Means::value, trace::lines_version, {}, 0});
  named_.fields = fields_;
  return named_;
}

const trace::NamedRecord& Naming::name(const Record& record) {
  begin(*record.row, record.time);
  named_.thread = record.row->kind == Kind::definition ? 0 : record.thread;
  named_.object = record.object;
  named_.seq = record.seq;
  named_.site = record.site;
  name_thread(record);
  name_object(record);
  name_site();
  if (record.row->kind == Kind::message) {
    add_message(record);
  } else {
    add_row(record);
  }
  named_.fields = fields_;
  return named_;
}

void Naming::name_thread(const Record& record) {
  const auto thread = process_.threads.find(record.thread);
  if (thread == process_.threads.end()) return;
  named_.thread_name = thread->second.name;
  named_.native_id = thread->second.native_id;
  named_.daemon = thread->second.daemon;
}

void Naming::name_object(const Record& record) {
  if (record.object == 0 || record.row->kind == Kind::definition) return;
  if (trace::is_thread(record.object)) {
    named_.object_kind = Kind::thread;
    const auto thread = process_.threads.find(static_cast<trace::ThreadNumber>(record.object));
    if (thread != process_.threads.end()) named_.object_name = thread->second.name;
    return;
  }
  const auto object = process_.objects.find(record.object);
  if (object != process_.objects.end()) {
    named_.object_kind = object->second.kind;
    named_.object_name = object->second.name;
  } else if (record.row->kind != Kind::status) {
    named_.object_kind = record.row->kind;
  }
}

void Naming::name_site() {
  const auto site = process_.sites.find(named_.site);
  if (site == process_.sites.end()) return;
  named_.file = site->second.file;
  named_.function = site->second.function;
  named_.line = site->second.line;
}

void Naming::add_message(const Record& record) {
  MessageParts parts{record};
  named_.level = parts.level;
  text_ = std::move(parts.text);
  named_.text = text_;
  if (!record.message) {
    const RecordFields read{record};
    if (read.values.size() > 1) {
      if (const auto* logger = std::get_if<std::string_view>(&read.values[1])) named_.logger = *logger;
    }
    return;
  }
  named_.logger = record.message->logger;
  named_.format = record.message->format;
  const RecordFields read{record};
  values_ = read.values;
  arguments_.append(read.fields, values_, fields_);
}

void Naming::add_row(const Record& record) {
  const RecordFields read{record};
  for (std::size_t i = 0; i < read.values.size(); ++i) {
    const trace::Field& field = read.fields[i];
    const bool apart = field.name == "site" || field.means == Means::sequence || field.name.starts_with("reserved");
    if (apart) continue;
    if (const auto* number = std::get_if<std::uint64_t>(&read.values[i])) {
      add_number(*record.row, field, *number);
    } else {
      fields_.push_back({field.name, field.means, read.values[i], {}, 0});
    }
  }
}

void Naming::add_number(const trace::Row& row, const trace::Field& field, std::uint64_t value) {
  trace::NamedField added{field.name, field.means, value, {}, 0};
  const auto narrow = static_cast<std::uint32_t>(value);
  if (field.means == Means::ticks) {
    added.value = field.type == trace::Type::u64 ? calendar_.realtime(value) : calendar_.line().span(value);
  } else if (const auto thread = process_.threads.find(narrow);
             field.means == Means::thread && value != 0 && thread != process_.threads.end()) {
    added.stands_for = thread->second.name;
  } else if (const auto object = process_.objects.find(value);
             field.means == Means::object && object != process_.objects.end()) {
    added.stands_for = object->second.name;
  } else if (const auto site = process_.sites.find(narrow);
             field.means == Means::site && site != process_.sites.end()) {
    added.stands_for = site->second.file;
    added.line = site->second.line;
  } else if (field.means == Means::value) {
    added.stands_for = trace::word_of(row, field, value);
  }
  fields_.push_back(added);
}

}  // namespace unspool
