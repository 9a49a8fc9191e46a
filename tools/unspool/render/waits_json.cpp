// SPDX-License-Identifier: MIT
#include <unspool/render/waits.hpp>

namespace unspool {
namespace {

Json samples_json(const ProcessJson& json, const Samples& samples) {
  return {{"count", samples.count()},
          {"total", json.span(samples.sum())},
          {"p50", json.span(samples.percentile(0.5))},
          {"p99", json.span(samples.percentile(0.99))},
          {"max", json.span(samples.max())}};
}

Json tally_json(const ProcessJson& json, const Tally& tally) {
  Json out = Json::array();
  for (const Part& part : tally.parts()) {
    out.push_back({{"thread", json.thread(part.actor.thread)},
                   {"site", json.site(part.actor.site)},
                   {"times", part.count},
                   {"time", json.span(part.ticks)}});
  }
  return out;
}

Json sides_json(const ProcessJson& json, const SignalFigures& each) {
  static constexpr std::array<std::string_view, 3> queue{"room", "item", "all_done"};
  static constexpr std::array<std::string_view, 4> pool{"room", "result", "work", "all_done"};
  Json out = Json::object();
  for (std::size_t i = 0; i < each.sides.size(); ++i) {
    if (each.kind == trace::Kind::queue && i < queue.size())
      out[std::string{queue[i]}] = samples_json(json, each.sides[i]);
    if (each.kind == trace::Kind::pool) out[std::string{pool[i]}] = samples_json(json, each.sides[i]);
  }
  return out;
}

/// What only one kind has. Without every call (`complete`) some of it is not known.
void add_particulars(const ProcessJson& json, const SignalFigures& each, bool complete, Json& out) {
  const auto only_complete = [&](Json figure) { return complete ? std::move(figure) : Json{}; };
  using trace::Kind;
  if (each.kind == Kind::barrier) out["last"] = tally_json(json, each.last);
  if (each.kind == Kind::semaphore || each.kind == Kind::bounded_semaphore) {
    out["holders"] = only_complete(tally_json(json, each.holders));
    out["waited_for_permits"] = only_complete(json.span(each.waited_for_permits));
  }
  if (each.kind == Kind::queue || each.kind == Kind::pool) {
    out["depth"] = only_complete({{"mean", each.depth.mean()}, {"max", each.depth.max}});
    out["waits_for"] = sides_json(json, each);
  }
  if (each.kind == Kind::pool) {
    out["task_wait"] = only_complete(samples_json(json, each.task_waits));
    out["task_run"] = only_complete(samples_json(json, each.tasks));
    out["starved"] = only_complete({{"count", each.starvations}, {"total", json.span(each.starved)}});
  }
  if (each.kind == Kind::timer) out["late"] = samples_json(json, each.late);
}

Json figures_json(const ProcessJson& json, const SignalFigures& each, bool complete) {
  const auto only_complete = [&](std::uint64_t figure) { return complete ? Json(figure) : Json{}; };
  Json out{{"name", each.many_names ? Json{} : Json(each.name)},
           {"kind", trace::name_of(each.kind)},
           {"created", json.site(each.site)},
           {"instances", each.instances},
           {"wait", samples_json(json, each.waits)},
           {"at_once", only_complete(each.passed)},
           {"busy", only_complete(each.busy)},
           {"timeouts", each.timeouts},
           {"cancels", each.cancels},
           {"refused", each.refused},
           {"lost_waits", each.lost},
           {"unended_waits", {{"count", each.unended}, {"total", json.span(each.unended_ticks)}}},
           {"signals", only_complete(each.signals)},
           {"in_vain", only_complete(each.in_vain)},
           {"wake_latency", samples_json(json, each.latency)},
           {"waiters", tally_json(json, each.waiters)},
           {"wakers", tally_json(json, each.wakers)},
           {"timed_out_at", tally_json(json, each.timed_out)}};
  add_particulars(json, each, complete, out);
  return out;
}

}  // namespace

Json waits_json(const Process& process, const Analysis& analysis) {
  const ProcessJson json{process, analysis};
  Json out = json.process();
  out["waits"] = Json::array();
  for (const SignalFigures& each : analysis.signals.figures())
    out["waits"].push_back(figures_json(json, each, analysis.replay.complete()));
  return out;
}

}  // namespace unspool
