// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/cost.hpp>
#include <unspool/render/style.hpp>

#include <array>
#include <optional>

namespace unspool {
namespace {

struct OwnThread {
  std::string_view name;
  std::uint64_t cpu = 0;
};

std::array<OwnThread, 3> own_threads(const Cost& cost) {
  return {{{"keeper", cost.keeper}, {"dispatcher", cost.dispatcher}, {"archiver", cost.archiver}}};
}

/// ns; 0 where the times do not fit together.
double span_of(const Process& process, const Cost& cost) {
  return cost.time > cost.since ? process.nanoseconds(cost.time - cost.since) : 0;
}

std::optional<double> rate_of(const Cost& cost, double span) {
  if (span <= 0) return std::nullopt;
  return static_cast<double>(cost.records) * 1e9 / span;
}

std::string cpu_words(const OwnThread& thread, double span) {
  const auto cpu = static_cast<double>(thread.cpu);
  const std::string share = span > 0 ? percent(cpu, span) + " of a processor" : std::string{unknown_figure};
  return fmt::format("{} {} of CPU ({})", thread.name, duration(cpu), share);
}

}  // namespace

std::string cost_sentence(const Process& process) {
  if (!process.cost) return {};
  const Cost& cost = *process.cost;
  const double span = span_of(process, cost);
  const std::optional<double> rate = rate_of(cost, span);
  std::string out = fmt::format(
      "Recording cost: {} ({} a second over {}), {} bytes, {} lost", counted(cost.records, "Record", "Records"),
      rate && *rate < 1e18 ? short_count(static_cast<std::uint64_t>(*rate)) : std::string{unknown_figure},
      span > 0 ? duration(span) : std::string{unknown_figure}, short_count(cost.bytes), count(cost.lost));
  for (const OwnThread& each : own_threads(cost)) {
    const bool runs = each.cpu != 0 || each.name == "keeper";
    if (runs) out += "; " + cpu_words(each, span);
  }
  return out + fmt::format("; {} prepared by a thread of the program.", counted(cost.helped, "segment", "segments"));
}

Json cost_json(const Process& process) {
  if (!process.cost) return nullptr;
  const Cost& cost = *process.cost;
  const double span = span_of(process, cost);
  const std::optional<double> rate = rate_of(cost, span);
  Json out = {{"duration", span > 0 ? Json(span) : Json()},
              {"records", cost.records},
              {"records_per_second", rate ? Json(*rate) : Json()},
              {"bytes", cost.bytes},
              {"lost", cost.lost},
              {"helped", cost.helped}};
  for (const OwnThread& each : own_threads(cost)) {
    const Json share = span > 0 ? Json(static_cast<double>(each.cpu) / span) : Json();
    out[std::string{each.name}] = {{"cpu", each.cpu}, {"share", share}};
  }
  return out;
}

}  // namespace unspool
