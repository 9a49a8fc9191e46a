// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/render/advice.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/misuse.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/style.hpp>

#include <algorithm>
#include <array>

namespace unspool {

std::string_view certainty_of(Slip slip) {
  return slip == Slip::lost_wake_up ? "likely" : "certain";
}
namespace {

constexpr std::size_t most_rows = 50;
constexpr std::size_t most_left_told = 4;
constexpr std::size_t most_others_told = 4;

/// `rlock "A", taken at bank.cpp:40 (transfer) at +0.120000 s; lock "B", taken at ...`, or how many, where none is known.
std::string held_words(const Names& names, const Times& times, const Misuse& misuse) {
  const std::string locks = counted(misuse.number, "lock", "locks");
  if (misuse.left.empty()) return locks + " held";
  std::string out;
  const std::size_t told = std::min(misuse.left.size(), most_left_told);
  for (std::size_t i = 0; i < told; ++i) {
    const LeftLock& lock = misuse.left[i];
    out += (i == 0 ? "" : "; ") + names.object(lock.object, lock.kind);
    if (lock.site != 0) out += ", taken at " + names.site_and_function(lock.site);
    if (lock.since != 0) out += " at " + times.offset(lock.since);
  }
  return misuse.number == told ? out : fmt::format("{}; {} held in all", out, locks);
}

std::string lost_words(const Names& names, const Times& times, const Misuse& misuse) {
  std::string who = names.thread(misuse.waiter);
  who += misuse.number > 1 ? fmt::format(" and {} more wait, the first", count(misuse.number - 1)) : " waits";
  return fmt::format("{}: notified here when nobody waited; {} since {}", names.object(misuse.object, misuse.kind), who,
                     times.offset(misuse.since));
}

std::string long_hold_words(const std::string& object, const Times& times, const Misuse& misuse) {
  const std::string longest = times.span(misuse.longest);
  if (misuse.count == 1) return fmt::format("{}, for {}{}", object, longest, misuse.number == 1 ? " so far" : "");
  const std::string most = fmt::format("{}, at most {}", object, longest);
  return misuse.number == 0 ? most : fmt::format("{}; {} of them at the end, so far", most, count(misuse.number));
}

/// What one has to know beside the line and the thread.
std::string detail_of(const Names& names, const Times& times, const Misuse& misuse) {
  std::string object = names.object(misuse.object, misuse.kind);
  switch (misuse.slip) {
    case Slip::lost_wake_up:
      return lost_words(names, times, misuse);
    case Slip::held_at_end:
      return held_words(names, times, misuse);
    case Slip::double_release:
      return "releases of what nobody held";
    case Slip::no_thread:
      return fmt::format("errno {}", misuse.number);
    case Slip::error:
      return trace::escaped(misuse.text);
    case Slip::long_hold:
      return long_hold_words(object, times, misuse);
    case Slip::broken_barrier:
      return misuse.cause == 0
                 ? object
                 : fmt::format("{}; broken by {}{}", object, names.thread(misuse.cause),
                               misuse.cause_site == 0 ? "" : " at " + names.site_and_function(misuse.cause_site));
    case Slip::exception:
    case Slip::alive_at_exit:
      return "";
    default:
      return object;
  }
}

Tone tone_of(Slip slip) {
  return severity_of(slip) == Severity::error ? Tone::bad : Tone::plain;
}

/// Of threads that ended, who else: ", then by x, y and more"
std::string others_words(const Names& names, const Misuse& misuse) {
  if (misuse.slip != Slip::exception && misuse.slip != Slip::held_at_end) return {};
  std::string out;
  for (std::size_t i = 1; i < std::min(misuse.threads.size(), most_others_told + 1); ++i)
    out += (i == 1 ? ", then by " : ", ") + names.thread(misuse.threads[i]);
  return misuse.threads.size() > most_others_told + 1 ? out + " and more" : out;
}

/// What, how often, who, where and when, then the rest.
std::string line_of(const Scene& scene, const Misuse& misuse) {
  const Names& names = scene.names;
  const Times& times = scene.times;
  const Options& options = scene.options;
  std::string rest;
  if (misuse.thread != 0) rest += " by " + names.thread(misuse.thread);
  rest += others_words(names, misuse);
  if (misuse.site != 0 && misuse.slip != Slip::held_at_end) rest += " at " + names.site_and_function(misuse.site);
  const std::string detail = detail_of(names, times, misuse);
  if (!detail.empty()) rest += ": " + detail;
  const std::string inside =
      misuse.slip == Slip::long_hold ? inside_words(scene, misuse.object, misuse.site) : std::string{};
  if (!inside.empty()) rest += "; while it is held it " + inside;
  if (severity_of(misuse.slip) != Severity::note) {
    rest += fmt::format(". {}, {}, fingerprint {}", severity_of(misuse.slip) == Severity::error ? "Error" : "Warning",
                        certainty_of(misuse.slip), hexadecimal(misuse.fingerprint));
  }
  const std::string what = toned(name_of(misuse.slip), tone_of(misuse.slip), options.color);
  const std::string often = misuse.count == 1 ? "" : fmt::format(" {} times, first", count(misuse.count));
  return wrapped(fmt::format("{},{} {}{}", what, often, times.offset(misuse.first), rest), options.width, 4);
}

}  // namespace

namespace {

std::string no_misuse(const Analysis& analysis, const Options& options) {
  const std::size_t known = analysis.known.misuses;
  std::string out = toned(known == 0 ? "No misuse." : "No new misuse.", Tone::good, options.color);
  if (known != 0) out += fmt::format(" ({} that the baseline accepts)", count(known));
  if (!analysis.replay.complete())
    out += "\nLost wake-ups and holds that nobody waited for are not looked for: that takes mode `all`.";
  return out + "\n";
}

}  // namespace

std::string misuse_text(const Process& process, const Analysis& analysis, const Options& options) {
  const std::vector<Misuse>& all = analysis.misuses.all();
  std::string out = heading(process, analysis, options) + reservations(process, analysis, options) + "\n";
  if (all.empty()) return out + no_misuse(analysis, options);
  const Scene scene{process, analysis, options};
  for (std::size_t i = 0; i < std::min(all.size(), most_rows); ++i)
    out += line_of(scene, all[i]);
  const std::uint64_t more = analysis.misuses.more() + (all.size() - std::min(all.size(), most_rows));
  if (more != 0) out += fmt::format("and {} more (all of them: --format json)\n", count(more));
  return out;
}

std::string misuse_sentence(const Analysis& analysis) {
  std::array<std::uint64_t, slip_count> counts{};
  for (const Misuse& each : analysis.misuses.all()) {
    if (severity_of(each.slip) != Severity::note) counts[static_cast<std::size_t>(each.slip)] += each.count;
  }
  std::string out;
  for (std::size_t i = 0; i < slip_count; ++i) {
    if (counts[i] == 0) continue;
    out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", name_of(static_cast<Slip>(i)), count(counts[i]));
  }
  return out.empty() ? out : fmt::format("Misuse: {}; unspool misuse", out);
}

namespace {

Json threads_json(const ProcessJson& json, const Misuse& misuse) {
  Json out = Json::array();
  for (const trace::ThreadNumber each : misuse.threads)
    out.push_back(json.thread(each));
  return out;
}

Json left_json(const ProcessJson& json, const Misuse& misuse) {
  Json out = Json::array();
  for (const LeftLock& each : misuse.left) {
    out.push_back({{"object", json.object(each.object, each.kind)},
                   {"site", json.site(each.site)},
                   {"taken", each.since == 0 ? Json{} : json.offset(each.since)}});
  }
  return out;
}

}  // namespace

Json misuse_json(const Process& process, const Analysis& analysis) {
  const ProcessJson json{process, analysis};
  Json out = json.process();
  out["misuses"] = Json::array();
  for (const Misuse& each : analysis.misuses.all()) {
    const bool is_taken = each.slip == Slip::held_at_end && each.since != 0;
    const Json taken = is_taken ? json.offset(each.since) : Json{};
    const bool has_object = each.object != 0 && each.kind != trace::Kind::message;
    out["misuses"].push_back({{"what", name_of(each.slip)},
                              {"severity", name_of(severity_of(each.slip))},
                              {"certainty", certainty_of(each.slip)},
                              {"fingerprint", hexadecimal(each.fingerprint)},
                              {"count", each.count},
                              {"site", json.site(each.site)},
                              {"object", has_object ? json.object(each.object, each.kind) : Json{}},
                              {"thread", json.thread(each.thread)},
                              {"threads", threads_json(json, each)},
                              {"waiter", json.thread(each.waiter)},
                              {"waiters", each.slip == Slip::lost_wake_up ? Json(each.number) : Json{}},
                              {"cause", json.thread(each.cause)},
                              {"cause_site", json.site(each.cause_site)},
                              {"first", json.offset(each.first)},
                              {"first_clock", json.calendar(each.first)},
                              {"last", json.offset(each.last)},
                              {"longest", each.slip == Slip::long_hold ? json.span(each.longest) : Json{}},
                              {"unended", each.slip == Slip::long_hold ? Json(each.number) : Json{}},
                              {"taken", taken},
                              {"held", each.slip == Slip::held_at_end ? Json(each.number) : Json{}},
                              {"locks", each.slip == Slip::held_at_end ? left_json(json, each) : Json{}},
                              {"errno", each.slip == Slip::no_thread ? Json(each.number) : Json{}},
                              {"text", each.slip == Slip::error ? Json(each.text) : Json{}}});
  }
  out["more"] = analysis.misuses.more();
  return out;
}

bool run_misuse(std::span<Input> inputs, const Options& options, std::FILE* out) {
  bool findings = false;
  for_each_process(
      inputs, options, out, "misuse",
      [&](const Process& process, const Analysis& analysis) {
        findings |= analysis.misuses.any_findings();
        return misuse_text(process, analysis, options);
      },
      [&](const Process& process, const Analysis& analysis) {
        findings |= analysis.misuses.any_findings();
        return misuse_json(process, analysis);
      });
  return findings;
}

}  // namespace unspool
