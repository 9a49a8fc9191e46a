// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/model/call_stack.hpp>
#include <unspool/render/clock_changes.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/json.hpp>
#include <unspool/render/style.hpp>

#include <iterator>

#ifndef SPOOL_VERSION
#define SPOOL_VERSION "0.1.0"
#endif

namespace unspool {
namespace {

constexpr std::uint64_t billion = 1'000'000'000;

Json problems_json(const Process& process) {
  Json problems = Json::array();
  for (const Problem& problem : process.problems) {
    const bool note = problem.severity == Problem::Severity::note;
    problems.push_back({{"severity", note ? "note" : "damage"}, {"text", problem.text}});
  }
  return problems;
}

Json doubts_json(const Doubts& doubts) {
  return {{"gaps", doubts.gaps},
          {"missing", doubts.missing},
          {"disordered", doubts.disordered},
          {"lost_ends", doubts.lost_ends},
          {"unmatched", doubts.unmatched},
          {"unnamed", doubts.unnamed},
          {"untracked", doubts.untracked},
          {"backward_times", doubts.backward_times}};
}

}  // namespace

Json ProcessJson::process() const {
  const Replay& replay = analysis_.replay;
  const trace::Ticks quiet = quiet_at_end(process_, replay);
  return {{"path", process_.path},
          {"program", process_.program},
          {"pid", process_.pid},
          {"parent_pid", process_.parent_pid == 0 ? Json{} : Json(process_.parent_pid)},
          {"host", process_.hostname},
          {"started", process_.started},
          {"clock",
           {{"source", process_.clock_source},
            {"frequency", process_.frequency},
            {"changes", clock_changes_json(process_, [this](trace::Ticks time) { return offset(time); })}}},
          {"mode", trace::name_of(process_.mode)},
          {"mode_changed", process_.mode_changed || process_.own_modes},
          {"long_wait", process_.long_wait == 0 ? Json{} : Json(process_.long_wait)},
          {"records", replay.records()},
          {"duration", span(replay.last_time() - replay.first_time())},
          {"ended", replay.ended_orderly() ? "orderly" : "cut off"},
          {"quiet", quiet == 0 ? Json{} : Json(span(quiet))},
          {"lost", std::max(process_.lost, replay.lost_records())},
          {"doubts", doubts_json(replay.doubts())},
          {"problems", problems_json(process_)},
          {"filter", filter()},
          {"known",
           {{"deadlocks", analysis_.known.deadlocks},
            {"inversions", analysis_.known.inversions},
            {"misuses", analysis_.known.misuses}}}};
}

Json ProcessJson::filter() const {
  const Filter& filter = analysis_.filter;
  if (!filter.is_on()) return nullptr;
  const Wanted& wanted = filter.wanted();
  const auto share = [](Filter::Count count) { return Json{{"passing", count.passing}, {"all", count.all}}; };
  return {{"thread", wanted.threads},
          {"object", wanted.objects},
          {"kind", wanted.kinds},
          {"process", wanted.processes},
          {"from", wanted.from ? offset(filter.from()) : Json{}},
          {"to", wanted.to ? offset(filter.to()) : Json{}},
          {"min_wait", wanted.min_wait},
          {"threads", wanted.threads.empty() ? Json{} : share(filter.threads())},
          {"objects", wanted.objects.empty() ? Json{} : share(filter.objects())},
          {"waits", share(analysis_.summary.waits())}};
}

Json ProcessJson::thread(trace::ThreadNumber thread) const {
  if (thread == 0) return nullptr;
  if (thread == other_threads) return {{"number", nullptr}, {"name", "other threads"}};
  const auto found = process_.threads.find(thread);
  Json name = found == process_.threads.end() ? Json{} : Json(found->second.name);
  return {{"number", thread}, {"name", std::move(name)}};
}

Json ProcessJson::object(trace::ObjectNumber object, trace::Kind kind) const {
  const auto found = process_.objects.find(object);
  const bool known = found != process_.objects.end();
  const bool is_thread = trace::is_thread(object);
  Json name = known ? Json(found->second.name) : Json{};
  if (is_thread) name = thread(static_cast<trace::ThreadNumber>(object))["name"];
  return {{"number", object},
          {"kind", trace::name_of(known ? found->second.kind : kind)},
          {"name", std::move(name)},
          {"created", known ? site(found->second.site) : Json{}}};
}

Json ProcessJson::stack(trace::StackNumber stack) const {
  if (stack == 0) return nullptr;
  Json out = Json::array();
  for (const Call& call : calls_of(process_, stack)) {
    const bool named = call.line != nullptr;
    out.push_back({{"function", named ? Json(call.line->function) : Json{}},
                   {"file", named ? Json(call.line->file) : Json{}},
                   {"line", named ? Json(call.line->line) : Json{}},
                   {"module", call.frame->module},
                   {"offset", call.frame->offset}});
  }
  return out;
}

Json ProcessJson::site(trace::SiteNumber site) const {
  const auto found = process_.sites.find(site);
  if (found == process_.sites.end()) return nullptr;
  return {{"file", found->second.file}, {"line", found->second.line}, {"function", found->second.function}};
}

/// Whole numbers where the clock counts nanoseconds.
Json ProcessJson::span(trace::Ticks ticks) const {
  if (process_.frequency == billion) return ticks;
  return Times{process_, 0}.nanoseconds(ticks);
}

Json ProcessJson::offset(trace::Ticks time) const {
  const trace::Ticks start = analysis_.replay.first_time();
  if (time >= start) return span(time - start);
  return Times{process_, start}.offset_nanoseconds(time);
}

Json ProcessJson::calendar(trace::Ticks time) const {
  const std::string text = Times{process_, 0}.calendar(time);
  return text.empty() ? Json{} : Json(text);
}

namespace {

/// In JSON they stand in texts only. Terminals heed DEL and the C1 characters, which JSON allows as they are.
std::string without_controls(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (byte == 0x7f) {
      out += "\\u007f";
    } else if (byte == 0xc2 && next < 0xa0) {
      fmt::format_to(std::back_inserter(out), "\\u00{:02x}", next);
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::string json_text(const Json& json, int indent) {
  return without_controls(json.dump(indent, ' ', false, Json::error_handler_t::replace));
}

void print_document(std::string_view command, Json processes, Json together, std::FILE* out) {
  const Json document{{"unspool", SPOOL_VERSION},
                      {"command", command},
                      {"processes", std::move(processes)},
                      {"together", std::move(together)}};
  const std::string text = json_text(document, 1) + "\n";
  std::fwrite(text.data(), 1, text.size(), out);
}

}  // namespace unspool
