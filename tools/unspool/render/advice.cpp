// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/advice.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/locks.hpp>
#include <unspool/render/table.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <utility>

namespace unspool {
namespace {

using trace::Kind;

constexpr std::size_t most_rows = 5;

/// Parts of a lock's waited time from which on something is worth a sentence.
constexpr double some = 0.1;
constexpr double much = 0.3;
constexpr double most = 0.5;
/// Locks for which threads waited less than this part of the recording are in nobody's way.
constexpr double least_waited = 0.002;
/// A hold that is longer than so many usual ones is long.
constexpr double long_factor = 10;
constexpr double busy = 0.8;
constexpr std::uint64_t least_waits = 10;

std::vector<InsideDeed> inside_of(const Scene& scene, const LockFigures& lock) {
  if (lock.many_names) return {};
  return scene.analysis.inside.of(lock.kind, lock.site, lock.name);
}

/// "the end of worker-1", `queue "jobs"`
std::string what_of(const Scene& scene, const InsideDeed& deed) {
  const std::string object = scene.names.object(deed.object, deed.kind);
  return deed.kind == Kind::thread ? "the end of " + object : object;
}

Advice about_wait(const Scene& scene, const InsideDeed& deed) {
  const std::string_view remedy =
      can_be_held(deed.kind) ? "Take that one first, or give this one back before, where what they guard allows it."
                             : "Wait before it is taken, or give it back around the wait.";
  const std::string when = deed.hindered < deed.count ? fmt::format("the end of {} of them", count(deed.hindered))
                           : deed.count == 1          ? "its end"
                                                      : "the end of each";
  std::string text = fmt::format(
      "The lock is held across a wait for {} at {}, having been taken at {}: {}, {} in all; by {} others waited for "
      "it. {}",
      what_of(scene, deed), scene.names.site_and_function(deed.site), scene.names.site(deed.hold_site),
      counted(deed.count, "time", "times"), scene.times.span(deed.ticks), when, remedy);
  return {"waits_inside", deed.site, deed.hindering, std::move(text)};
}

/// " Meanwhile it logs at store.cpp:44."
std::string logs_at(const Scene& scene, const std::vector<InsideDeed>& deeds, trace::SiteNumber hold_site) {
  for (const InsideDeed& each : deeds) {
    if (each.kind == Kind::message && each.hold_site == hold_site)
      return fmt::format(" Messages are logged meanwhile, at {}.", scene.names.site(each.site));
  }
  return {};
}

/// One line's holds are long, and those of others are not.
void add_long_holds(const Scene& scene, const LockFigures& lock, const std::vector<InsideDeed>& deeds,
                    std::vector<Advice>& out) {
  const std::vector<Part> sites = lock.holders.by_site();
  if (!scene.analysis.replay.complete() || sites.empty() || lock.holds.count() == 0) return;
  const Part& worst = sites.front();
  if (static_cast<double>(worst.ticks) < most * static_cast<double>(lock.waits.sum())) return;
  const bool explained = std::ranges::any_of(out, [&](const Advice& each) {
    return static_cast<double>(each.concerned) > most * static_cast<double>(worst.ticks);
  });
  if (explained) return;
  const std::vector<Part> holds = lock.blocking.by_site();
  const auto same = std::ranges::find_if(holds, [&](const Part& each) { return each.actor.site == worst.actor.site; });
  if (same == holds.end() || same->count == 0) return;
  const trace::Ticks mean = same->ticks / same->count;
  const trace::Ticks usual = lock.holds.percentile(0.5);
  if (static_cast<double>(mean) < long_factor * static_cast<double>(usual)) return;
  out.push_back(
      {"long_holds", worst.actor.site, worst.ticks,
       fmt::format("{} of the time waited for it is because of {} taken at {}, {} each in mean, while half of all its "
                   "holds last {} or less. Do less while it is held there: copy what is needed, and work on the "
                   "copy.{}",
                   percent(static_cast<double>(worst.ticks), static_cast<double>(lock.waits.sum())),
                   counted(same->count, "hold", "holds"), scene.names.site_and_function(worst.actor.site),
                   scene.times.span(mean), scene.times.span(usual), logs_at(scene, deeds, worst.actor.site))});
}

void add_hand_over(const Scene& scene, const LockFigures& lock, std::vector<Advice>& out) {
  const auto waited = static_cast<double>(lock.waits.sum());
  if (static_cast<double>(lock.hand_over) < much * waited || lock.waits.count() < least_waits) return;
  const std::string holds =
      scene.analysis.replay.complete() && lock.holds.count() != 0
          ? fmt::format("holds (half of them last {} or less)", scene.times.span(lock.holds.percentile(0.5)))
          : "holds";
  out.push_back({"hand_over", 0, lock.hand_over,
                 fmt::format("For {} of the time waited for it nobody had it: whoever had been woken for it did not "
                             "run yet. More threads want to run than there are processors, or {} are shorter than a "
                             "wake-up: have fewer threads, or take it less often and for more at a time.",
                             percent(static_cast<double>(lock.hand_over), waited), holds)});
}

void add_busy(const Scene& scene, const LockFigures& lock, std::vector<Advice>& out) {
  const Flow& flow = lock.flow;
  const bool is_busy = flow.life != 0 && static_cast<double>(flow.held) >= busy * static_cast<double>(flow.life);
  if (!is_busy || !scene.analysis.replay.complete() || lock.instances > 1 || lock.waits.count() < least_waits) return;
  out.push_back(
      {"busy", 0, lock.waits.sum(),
       fmt::format("The lock is held {} of its life: more threads would only wait longer. Hold it for less, or "
                   "divide what it guards among several locks.",
                   percent(static_cast<double>(flow.held), static_cast<double>(flow.life)))});
}

/// Whether enough was waited for it to speak of.
bool matters(const Scene& scene, const LockFigures& lock) {
  const Replay& replay = scene.analysis.replay;
  const auto whole = static_cast<double>(replay.last_time() - replay.first_time());
  return whole > 0 && static_cast<double>(lock.all_waited()) >= least_waited * whole && lock.all_waited() != 0;
}

}  // namespace

std::vector<Advice> advice_of(const Scene& scene, const LockFigures& lock) {
  std::vector<Advice> out;
  if (!matters(scene, lock)) return out;
  const std::vector<InsideDeed> deeds = inside_of(scene, lock);
  for (const InsideDeed& each : deeds) {
    const bool weighs = static_cast<double>(each.hindering) >= some * static_cast<double>(lock.all_waited());
    if (each.kind != Kind::message && each.hindered != 0 && weighs) out.push_back(about_wait(scene, each));
  }
  add_long_holds(scene, lock, deeds, out);
  add_hand_over(scene, lock, out);
  add_busy(scene, lock, out);
  std::ranges::stable_sort(out, [](const Advice& a, const Advice& b) { return a.concerned > b.concerned; });
  return out;
}

std::string advice_lines(const Scene& scene, const LockFigures& lock) {
  constexpr std::size_t most_told = 3;
  std::string out;
  const std::vector<Advice> all = advice_of(scene, lock);
  for (std::size_t i = 0; i < std::min(all.size(), most_told); ++i)
    out += wrapped("  Advice: " + all[i].text, scene.options.width, 4);
  return out;
}

std::string all_advice(const Scene& scene) {
  constexpr std::size_t most_told = 3;
  std::vector<std::pair<const LockFigures*, Advice>> all;
  for (const LockFigures& lock : scene.analysis.locks.figures()) {
    for (Advice& each : advice_of(scene, lock))
      all.emplace_back(&lock, std::move(each));
  }
  std::ranges::stable_sort(all, [](const auto& a, const auto& b) { return a.second.concerned > b.second.concerned; });
  // Beside what costs most the rest is for those who look at each lock.
  const double least = all.empty() ? 0.0 : some * static_cast<double>(all.front().second.concerned);
  std::string out;
  std::size_t told = 0;
  for (std::size_t i = 0; i < std::min(all.size(), most_told); ++i, ++told) {
    if (static_cast<double>(all[i].second.concerned) < least) break;
    const auto& [lock, advice] = all[i];
    out += wrapped(fmt::format("  {}, waited for {}: {}", lock_name(scene.names, *lock),
                               scene.times.span(lock->all_waited()), advice.text),
                   scene.options.width, 4);
  }
  if (all.size() > told) out += fmt::format("  and {} more: unspool locks\n", all.size() - told);
  return out;
}

Json advice_json(const Scene& scene, const LockFigures& lock) {
  const ProcessJson json{scene.process, scene.analysis};
  Json out = Json::array();
  for (const Advice& each : advice_of(scene, lock)) {
    out.push_back({{"what", each.what},
                   {"site", json.site(each.site)},
                   {"time", json.span(each.concerned)},
                   {"text", each.text}});
  }
  return out;
}

std::string inside_table(const Scene& scene, const LockFigures& lock) {
  const std::vector<InsideDeed> deeds = inside_of(scene, lock);
  if (deeds.empty()) return {};
  using Column = Table::Column;
  Table table{{Column{"while it was held", Table::Align::left, true},
               Column{"at", Table::Align::left, true, "", Table::Cut::end},
               Column{"taken at", Table::Align::left, true, "", Table::Cut::end}, Column{"times"}, Column{"for"},
               Column{"others waited by then"}}};
  for (std::size_t i = 0; i < std::min(deeds.size(), most_rows); ++i) {
    const InsideDeed& each = deeds[i];
    const bool message = each.kind == Kind::message;
    table.row({{message ? std::string{"a message"} : "a wait for " + what_of(scene, each)},
               {scene.names.site_and_function(each.site)},
               {scene.names.site(each.hold_site)},
               {count(each.count)},
               {message ? std::string{} : scene.times.span(each.ticks)},
               {count(each.hindered)}});
  }
  std::string out = table.text(scene.options.width, scene.options.color, 2);
  if (deeds.size() > most_rows) out += fmt::format("  and {} more\n", deeds.size() - most_rows);
  return out;
}

std::string inside_words(const Scene& scene, trace::ObjectNumber object, trace::SiteNumber hold_site) {
  const auto defined = scene.process.objects.find(object);
  if (defined == scene.process.objects.end()) return {};
  const auto& [name, kind, site, parent] = defined->second;
  std::string wait;
  std::string message;
  for (const InsideDeed& each : scene.analysis.inside.of(kind, site, name)) {
    if (each.hold_site != hold_site) continue;
    const bool is_message = each.kind == Kind::message;
    std::string& words = is_message ? message : wait;
    if (!words.empty()) continue;
    words = is_message ? fmt::format("logs at {}", scene.names.site(each.site))
                       : fmt::format("waits for {} at {} ({})", what_of(scene, each), scene.names.site(each.site),
                                     scene.times.span(each.ticks));
  }
  if (wait.empty() || message.empty()) return wait + message;
  return wait + ", and " + message;
}

Json inside_json(const Scene& scene, const LockFigures& lock) {
  const ProcessJson json{scene.process, scene.analysis};
  Json out = Json::array();
  for (const InsideDeed& each : inside_of(scene, lock)) {
    const bool message = each.kind == Kind::message;
    out.push_back({{"what", message ? "message" : "wait"},
                   {"object", message ? Json{} : json.object(each.object, each.kind)},
                   {"site", json.site(each.site)},
                   {"hold_site", json.site(each.hold_site)},
                   {"count", each.count},
                   {"time", message ? Json{} : json.span(each.ticks)},
                   {"longest", message ? Json{} : json.span(each.longest)},
                   {"thread", json.thread(each.thread)},
                   {"hindered", each.hindered}});
  }
  return out;
}

}  // namespace unspool
