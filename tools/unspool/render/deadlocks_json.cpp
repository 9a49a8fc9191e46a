// SPDX-License-Identifier: MIT
//
// Who is stuck, as JSON. docs/json.md describes it.
#include <unspool/render/deadlocks.hpp>
#include <unspool/render/messages.hpp>
#include <unspool/render/remedies.hpp>
#include <unspool/render/style.hpp>
#include <unspool/render/wait_words.hpp>
#include <unspool/replay/kinds.hpp>

namespace unspool {
namespace {

constexpr std::size_t most_threads_of_messages = 100;

Json suspect_json(const ProcessJson& json, const Waiting& waiting, const Suspect& suspect, bool in_part) {
  const bool did = suspect.deed.count != 0 && !waiting.is_owned();
  return {{"thread", json.thread(suspect.thread)},
          {"did", did ? Json(deed_name(waiting.wait.kind, suspect.role)) : Json{}},
          {"times", did ? Json(suspect.deed.count) : Json{}},
          {"times_known", did ? Json(!in_part) : Json{}},
          {"last", did ? json.offset(suspect.deed.last) : Json{}},
          {"last_site", did ? json.site(suspect.deed.site) : Json{}},
          {"ended", suspect.ended},
          {"exception", suspect.exception}};
}

std::string_view limit_name(trace::WaitLimit limit) {
  switch (limit) {
    case trace::WaitLimit::none:
      return "none";
    case trace::WaitLimit::deadline:
      return "deadline";
    case trace::WaitLimit::stop:
      return "stop";
    default:
      return "unknown";
  }
}

Json waiting_json(const ProcessJson& json, const Deadlocks& deadlocks, const Waiting& waiting) {
  const bool held = waiting.edge != Edge::none && can_be_held(waiting.wait.kind);
  Json out{{"thread", json.thread(waiting.wait.thread)},
           {"waits_for", json.object(waiting.wait.object, waiting.wait.kind)},
           {"since", json.offset(waiting.wait.since)},
           {"since_clock", json.calendar(waiting.wait.since)},
           {"site", json.site(waiting.wait.site)},
           {"stack", json.stack(waiting.wait.stack)},
           {"edge", name_of(waiting.edge)},
           {"owner", waiting.edge == Edge::none ? Json{} : json.thread(waiting.owner)}};
  out["owner_site"] = held ? json.site(waiting.owner_site) : Json{};
  out["owner_since"] = held && waiting.owner_since_known ? json.offset(waiting.owner_since) : Json{};
  out["owner_waits"] = waiting.behind;
  out["owner_ended"] = waiting.owner_ended;
  out["holds"] = waiting.holds;
  out["limit"] = limit_name(waiting.wait.limit);
  out["stuck"] = waiting.stuck;
  out["lost_wake_up"] = waiting.lost_wake_up == Lost::perhaps ? Json{} : Json(waiting.lost_wake_up == Lost::yes);
  out["missing_parties"] =
      waiting.wait.kind == trace::Kind::barrier && waiting.edge != Edge::none ? Json(waiting.needs) : Json{};
  out["by_class"] = waiting.by_class;
  const std::uint32_t task = task_number(waiting);
  out["task"] = task == 0 ? Json{} : Json(task);
  out["hopes_for"] = Json::array();
  for (const Suspect& each : waiting.suspects)
    out["hopes_for"].push_back(suspect_json(json, waiting, each, deadlocks.incomplete()));
  return out;
}

Json cycle_json(const Process& process, const Names& names, const ProcessJson& json, const Analysis& analysis,
                const Cycle& cycle) {
  const auto& waiting = analysis.deadlocks.waiting();
  const trace::Ticks last = analysis.replay.last_sign_of_life();
  Json out{{"certainty", name_of(cycle.certainty)},
           {"severity", cycle.certainty == Certainty::possible ? "warning" : "error"},
           {"cause", name_of(cycle.cause)},
           {"fingerprint", hexadecimal(cycle.fingerprint)},
           {"since", json.offset(cycle.since)},
           {"since_clock", json.calendar(cycle.since)},
           {"lasted", json.span(last > cycle.since ? last - cycle.since : 0)},
           {"threads", Json::array()},
           {"hanging", Json::array()}};
  for (const std::size_t member : cycle.members)
    out["threads"].push_back(waiting_json(json, analysis.deadlocks, waiting[member]));
  for (const std::size_t each : cycle.hanging) {
    out["hanging"].push_back(waiting_json(json, analysis.deadlocks, waiting[each]));
    out["hanging"].back()["distance"] = waiting[each].distance;
  }
  const Messages& messages = analysis.messages;
  const auto concerned = threads_of(analysis.deadlocks, cycle, most_threads_of_messages);
  out["messages"] = messages.any() ? said_json(json, messages.of(concerned)) : Json{};
  const std::string advice = stuck_remedy(process, names, analysis.deadlocks, cycle);
  out["advice"] = advice.empty() ? Json{} : Json(advice);
  return out;
}

}  // namespace

Json deadlocks_json(const Process& process, const Analysis& analysis) {
  const ProcessJson json{process, analysis};
  Json out = json.process();
  const bool records_none = process.mode == trace::Mode::off && !process.mode_changed && !process.own_modes;
  out["verdict"] = !analysis.deadlocks.cycles().empty() ? "deadlock" : records_none ? "not known" : "no deadlock";
  out["standstill"] = analysis.deadlocks.standstill();
  Names names{process};
  tell_apart(names, analysis.deadlocks);
  out["deadlocks"] = Json::array();
  for (const Cycle& cycle : analysis.deadlocks.cycles()) {
    out["deadlocks"].push_back(cycle_json(process, names, json, analysis, cycle));
  }
  out["waiting"] = Json::array();
  for (const Waiting& waiting : analysis.deadlocks.waiting()) {
    if (waiting.cycle == Waiting::no_cycle) out["waiting"].push_back(waiting_json(json, analysis.deadlocks, waiting));
  }
  return out;
}

}  // namespace unspool
