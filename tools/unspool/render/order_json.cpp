// SPDX-License-Identifier: MIT
//
// Lock orders that could deadlock, as JSON. docs/json.md describes it.
#include <unspool/render/order.hpp>
#include <unspool/render/style.hpp>

namespace unspool {
namespace {

Json link_json(const ProcessJson& json, const LinkOf& link) {
  const LinkKey& key = *link.key;
  return {{"thread", json.thread(link.by->thread)},
          {"holds", json.object(key.outer, trace::Kind::lock)},
          {"holds_mode", key.outer_shared ? "shared" : "exclusive"},
          {"holds_since", json.offset(link.by->outer_since)},
          {"holds_site", json.site(key.outer_site)},
          {"asks_for", json.object(key.inner, trace::Kind::lock)},
          {"asks_mode", key.inner_shared ? "shared" : "exclusive"},
          {"asked", json.offset(link.by->time)},
          {"asked_clock", json.calendar(link.by->time)},
          {"asked_site", json.site(key.inner_site)},
          {"times", link.times},
          {"limited", link.by->limited},
          {"waits", link.by->stuck}};
}

Json join_json(const ProcessJson& json, const JoinUnderLock& join) {
  Json via = Json::array();
  for (const ThreadJoin& each : join.via) {
    via.push_back({{"joiner", json.thread(each.joiner)},
                   {"target", json.thread(each.target)},
                   {"joined", json.offset(each.time)},
                   {"site", json.site(each.site)}});
  }
  const bool of_task = join.task.task != 0;
  return {{"lock", json.object(join.lock, trace::Kind::lock)},
          {"joiner", json.thread(join.joiner)},
          {"lock_since", json.offset(join.lock_since)},
          {"lock_site", json.site(join.lock_site)},
          {"joined", json.offset(join.join_time)},
          {"join_site", json.site(join.join_site)},
          {"target", json.thread(join.target)},
          {"pool", of_task ? json.object(join.task.pool, trace::Kind::pool) : Json{}},
          {"task", of_task ? Json(join.task.task) : Json{}},
          {"via", std::move(via)},
          {"asker", json.thread(join.asker)},
          {"asked", json.offset(join.target_time)},
          {"asked_site", json.site(join.target_site)}};
}

Json inversion_json(const ProcessJson& json, const Process& process, const Inversion& inversion) {
  Json out{{"what", name_of(inversion.danger)},
           {"certainty", name_of(inversion.certainty)},
           {"severity", name_of(inversion.severity)},
           {"fingerprint", hexadecimal(inversion.fingerprint)},
           {"happened", inversion.happened},
           {"limited", inversion.limited},
           {"few_threads", inversion.doubt.few_threads},
           {"steps", Json::array()},
           {"writers", Json::array()},
           {"join", inversion.is_join() ? join_json(json, inversion.join) : Json{}},
           {"advice", order_advice(process, inversion)}};
  for (const LinkOf& each : inversion.cycle.links)
    out["steps"].push_back(link_json(json, each));
  for (const auto& [lock, writer] : inversion.cycle.writers) {
    out["writers"].push_back({{"thread", json.thread(writer->by.thread)},
                              {"asks_for", json.object(lock, trace::Kind::shared_lock)},
                              {"asked", json.offset(writer->by.time)},
                              {"asked_site", json.site(writer->site)}});
  }
  return out;
}

}  // namespace

Json order_json(const Process& process, const Analysis& analysis) {
  const ProcessJson json{process, analysis};
  const Inversions& inversions = analysis.inversions;
  Json out = json.process();
  out["order_known"] = inversions.is_known();
  out["links"] = inversions.links();
  out["limits"] = order_limits(inversions);
  out["inversions"] = Json::array();
  for (const auto& same : order_classes(inversions)) {
    Json one = inversion_json(json, process, inversions.all()[same.front()]);
    one["count"] = same.size();
    one["instances"] = Json::array();
    for (std::size_t i = 1; i < same.size(); ++i)
      one["instances"].push_back(inversion_json(json, process, inversions.all()[same[i]]));
    out["inversions"].push_back(std::move(one));
  }
  return out;
}

}  // namespace unspool
