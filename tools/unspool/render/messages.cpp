// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/render/fields.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/messages.hpp>

#include <algorithm>

namespace unspool {
namespace {

constexpr std::size_t most_lines = 3;
constexpr std::size_t widest_thread = 24;

std::string line_of(const Names& names, const Times& times, const Said& said, std::size_t thread_width, unsigned width,
                    std::size_t indent) {
  const MessageParts parts{said.record()};
  std::string thread = elided(names.thread(said.thread), widest_thread);
  thread.append(thread_width - std::min(thread_width, columns(thread)), ' ');
  std::string text = trace::escaped(parts.text);
  if (!parts.logger.empty()) text = fmt::format("{}: {}", trace::escaped(parts.logger), text);
  text = said.cut ? text + "…" : text;
  text = cut_at_end(text, most_lines * width);
  const std::string line = fmt::format("{}{}  {}  {:<8}  {}  at {}", std::string(indent, ' '), times.offset(said.time),
                                       thread, trace::name_of(parts.level), text, names.site(said.site));
  return wrapped(line, width, indent + 4);
}

}  // namespace

std::string said_lines(const Names& names, const Times& times, const std::vector<Said>& said, unsigned width,
                       std::size_t indent, const Mark* mark) {
  if (said.empty()) return {};
  std::size_t thread_width = 0;
  for (const Said& each : said)
    thread_width = std::max(thread_width, std::min(columns(names.thread(each.thread)), widest_thread));
  std::string out;
  const auto put_mark = [&] {
    out += fmt::format("{}{}  --- {} ---\n", std::string(indent, ' '), times.offset(mark->time), mark->what);
    mark = nullptr;
  };
  for (const Said& each : said) {
    if (mark != nullptr && each.time > mark->time) put_mark();
    out += line_of(names, times, each, thread_width, width, indent);
  }
  if (mark != nullptr) put_mark();
  return out;
}

Json said_json(const ProcessJson& json, const std::vector<Said>& said) {
  Json out = Json::array();
  for (const Said& each : said) {
    const MessageParts parts{each.record()};
    out.push_back({{"thread", json.thread(each.thread)},
                   {"time", json.offset(each.time)},
                   {"time_clock", json.calendar(each.time)},
                   {"level", trace::name_of(parts.level)},
                   {"logger", parts.logger},
                   {"text", parts.text},
                   {"cut", each.cut},
                   {"site", json.site(each.site)}});
  }
  return out;
}

}  // namespace unspool
