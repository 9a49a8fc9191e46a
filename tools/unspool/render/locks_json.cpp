// SPDX-License-Identifier: MIT
//
// The figures of locks as JSON. docs/json.md describes it.
#include <unspool/render/advice.hpp>
#include <unspool/render/locks.hpp>
#include <unspool/render/messages.hpp>

#include <algorithm>

namespace unspool {
namespace {

Json part_json(const ProcessJson& json, const Part& part, std::string_view time, trace::Ticks whole) {
  return {{"thread", json.thread(part.actor.thread)},
          {"site", json.site(part.actor.site)},
          {std::string{time}, json.span(part.ticks)},
          {"share", whole == 0 ? 0.0 : static_cast<double>(part.ticks) / static_cast<double>(whole)}};
}

Json samples_json(const ProcessJson& json, const Samples& samples) {
  const bool none = samples.count() == 0;
  const auto point = [&](trace::Ticks ticks) { return none ? Json{} : json.span(ticks); };
  const double mean_ticks = samples.mean();
  const double unit = json.span(1).get<double>();
  return {{"count", samples.count()},
          {"total", json.span(samples.sum())},
          {"mean", none ? Json{} : Json(mean_ticks * unit)},
          {"p50", point(samples.percentile(0.5))},
          {"p99", point(samples.percentile(0.99))},
          {"max", point(samples.max())}};
}

/// By line: those at whose end somebody waited.
Json blocking_json(const ProcessJson& json, const LockFigures& lock) {
  Json out = Json::array();
  for (const Part& part : lock.blocking.by_site())
    out.push_back({{"site", json.site(part.actor.site)}, {"count", part.count}, {"total", json.span(part.ticks)}});
  return out;
}

Json blame_json(const ProcessJson& json, const LockFigures& lock) {
  Json holders = Json::array();
  for (const Part& part : lock.holders.parts())
    holders.push_back(part_json(json, part, "time", lock.waits.sum()));
  Json waiters = Json::array();
  for (const Part& part : lock.waiters.parts()) {
    waiters.push_back(part_json(json, part, "time", lock.waits.sum()));
    waiters.back()["waits"] = part.count;
  }
  Json stacks = Json::array();
  for (const Part& part : lock.stacks.parts()) {
    if (part.actor.site == 0) continue;
    stacks.push_back({{"stack", json.stack(part.actor.site)}, {"time", json.span(part.ticks)}, {"waits", part.count}});
  }
  return {{"holders", std::move(holders)},
          {"hand_over", json.span(lock.hand_over)},
          {"unknown", json.span(lock.unknown_holder)},
          {"waiters", std::move(waiters)},
          {"blocking_holds", blocking_json(json, lock)},
          {"stacks", std::move(stacks)}};
}

Json flow_json(const ProcessJson& json, const LockFigures& lock) {
  const Flow& flow = lock.flow;
  const auto of_life = [&](trace::Ticks ticks) {
    return flow.life == 0 ? Json{} : Json(static_cast<double>(ticks) / static_cast<double>(flow.life));
  };
  return {{"utilisation", of_life(flow.held)},
          {"woken", json.span(flow.woken)},
          {"overtakes", flow.overtakes},
          {"retakes", flow.retakes},
          {"most_futile_wakes", flow.most_futile},
          {"longest_convoy", flow.longest_convoy},
          {"convoy_share", of_life(flow.in_convoys)},
          {"behind_writers", flow.behind_writers}};
}

}  // namespace

Json lock_json(const ProcessJson& json, const LockFigures& lock, bool complete) {
  const auto only_complete = [&](Json value) { return complete ? std::move(value) : Json{}; };
  const auto share =
      static_cast<double>(lock.contended) / static_cast<double>(std::max<std::uint64_t>(1, lock.acquisitions));
  Json out{{"name", lock.many_names ? Json{} : Json(lock.name)},
           {"kind", trace::name_of(lock.kind)},
           {"created", json.site(lock.site)},
           {"instances", lock.instances},
           {"acquisitions", only_complete(lock.acquisitions)},
           {"contended", lock.contended},
           {"contended_share", only_complete(share)},
           {"spun", only_complete(lock.spun)},
           {"spun_time", only_complete(json.span(lock.spun_ticks))},
           {"busy", only_complete(lock.busy)},
           {"timeouts", lock.timeouts},
           {"cancels", lock.cancels},
           {"futile_wakes", lock.futile},
           {"released_by_other", lock.released_by_other},
           {"lost_waits", lock.lost_waits},
           {"unended_waits", {{"count", lock.unended}, {"total", json.span(lock.unended_ticks)}}},
           {"wait", samples_json(json, lock.waits)},
           {"hold", only_complete(samples_json(json, lock.holds))}};
  out.update(blame_json(json, lock));
  const Json flow = flow_json(json, lock);
  for (const auto& [name, value] : flow.items())
    out[name] = only_complete(value);
  out["worst_instance"] = {{"object", lock.worst}, {"waited", json.span(lock.worst_ticks)}};
  return out;
}

Json locks_json(const Process& process, const Analysis& analysis) {
  const ProcessJson json{process, analysis};
  const Options plain;
  const Scene scene{process, analysis, plain};
  Json out = json.process();
  out["locks"] = Json::array();
  for (const LockFigures& lock : analysis.locks.figures()) {
    Json each = lock_json(json, lock, analysis.replay.complete());
    each["inside"] = inside_json(scene, lock);
    each["advice"] = advice_json(scene, lock);
    out["locks"].push_back(std::move(each));
  }
  out["longest_waits"] = Json::array();
  for (const TalkedWait& each : analysis.messages.waits()) {
    out["longest_waits"].push_back({{"thread", json.thread(each.wait.thread)},
                                    {"object", json.object(each.wait.object, each.wait.kind)},
                                    {"site", json.site(each.wait.site)},
                                    {"since", json.offset(each.wait.since)},
                                    {"until", json.offset(each.wait.until)},
                                    {"holder", json.thread(each.holder)},
                                    {"messages", said_json(json, each.said)}});
  }
  return out;
}

}  // namespace unspool
