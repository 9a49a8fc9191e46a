// SPDX-License-Identifier: MIT
//
// A thread dump, for programs.
#include <unspool/render/messages.hpp>
#include <unspool/render/state.hpp>
#include <unspool/render/state_dump.hpp>

#include <array>
#include <string_view>

namespace unspool {
namespace {

Json held_json(const Dump& dump, const ProcessJson& json, trace::ThreadNumber number) {
  Json out = Json::array();
  const auto found = dump.held.find(number);
  if (found == dump.held.end()) return out;
  for (const HeldObject& each : found->second) {
    out.push_back({{"object", json.object(each.object, each.kind)},
                   {"site", json.site(each.site)},
                   {"since", each.since_known ? json.offset(each.since) : Json{}},
                   {"mode", each.shared ? "shared" : "exclusive"}});
  }
  return out;
}

Json wait_json(const Dump& dump, const ProcessJson& json, trace::ThreadNumber number) {
  const Wait* const wait = dump.wait(number);
  if (wait == nullptr) return nullptr;
  const Waiting* const waiting = dump.waiting(number);
  Json out{{"object", json.object(wait->object, wait->kind)}, {"site", json.site(wait->site)}};
  out["since"] = json.offset(wait->since);
  out["owner"] = waiting == nullptr ? Json{} : json.thread(waiting->owner);
  out["owner_site"] = waiting == nullptr ? Json{} : json.site(waiting->owner_site);
  const bool known = waiting != nullptr && waiting->owner_since_known;
  out["owner_since"] = known ? json.offset(waiting->owner_since) : Json{};
  out["stack"] = json.stack(wait->stack);
  out["edge"] = waiting == nullptr ? Json{} : Json(name_of(waiting->edge));
  out["owner_waits"] = waiting != nullptr && waiting->behind;
  return out;
}

Json thread_json(const Dump& dump, const ProcessJson& json, trace::ThreadNumber number, Dump::Group group) {
  static constexpr std::array<std::string_view, 3> words{"waiting", "running", "ended"};
  const Dump::Around* const around = dump.around(number);
  Json out = json.thread(number);
  out["state"] = words[static_cast<std::size_t>(group)];
  out["waits_for"] = wait_json(dump, json, number);
  out["holds"] = held_json(dump, json, number);
  out["last_record"] = around == nullptr ? Json{} : json.offset(around->time);
  out["last_site"] = around == nullptr ? Json{} : json.site(around->site);
  out["next_record"] = around == nullptr || !around->has_next ? Json{} : json.offset(around->next);
  out["lost"] = around == nullptr ? 0 : around->lost;
  const Messages& messages = dump.analysis.messages;
  out["messages"] = messages.any() ? said_json(json, messages.of({number})) : Json{};
  return out;
}

}  // namespace

Json state_json(const Process& process, const Analysis& analysis, const UntilMoment& until) {
  const Options plain;
  const Dump dump{process, analysis, until, plain};
  const ProcessJson json{process, analysis};
  Json out = json.process();
  if (!until.after_all()) out["quiet"] = Json{};  // it is not that moment which was the last
  out["at"] = until.any() ? json.offset(until.moment()) : Json{};
  out["at_clock"] = until.any() ? json.calendar(until.moment()) : Json{};
  out["position"] = !until.any()         ? "no Records"
                    : until.before_all() ? "before the first Record"
                    : until.after_all()  ? "after the last Record"
                                         : "within";
  out["threads"] = Json::array();
  for (const Dump::Group group : {Dump::Group::waiting, Dump::Group::running, Dump::Group::ended}) {
    for (const trace::ThreadNumber number : dump.threads_of(group))
      out["threads"].push_back(thread_json(dump, json, number, group));
  }
  return out;
}

}  // namespace unspool
