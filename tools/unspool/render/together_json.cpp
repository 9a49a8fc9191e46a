// SPDX-License-Identifier: MIT
//
// Several processes together, as JSON. docs/json.md describes it.
#include <unspool/render/findings.hpp>
#include <unspool/render/locks.hpp>
#include <unspool/render/style.hpp>
#include <unspool/render/together.hpp>
#include <unspool/render/together_parts.hpp>

#include <algorithm>

namespace unspool {

/// Tells one Together. It is a friend of it: what is kept there is for rendering only.
class TogetherJson {
 public:
  TogetherJson(const Together& together, const Process& merged, const Analysis& analysis, const CommonClock& clock)
      : together_{together}, merged_{merged}, json_{merged, analysis}, clock_{clock} {}

  Json json() const {
    const TogetherSections sections = sections_of(together_.command_);
    Json out{{"program", nullptr}, {"pid", nullptr}, {"processes", members()}, {"clock", clock()}};
    if (sections.deadlocks) out["deadlocks"] = findings(Baseline::deadlock);
    if (sections.order) out["inversions"] = findings(Baseline::order);
    if (sections.misuse) out["misuses"] = findings(Baseline::misuse);
    if (sections.locks) out["locks"] = locks();
    if (sections.locks) out["locks_left_out"] = together_.locks_.left_out();
    if (sections.joins) out["joins"] = joins();
    if (sections.joins) out["joins_left_out"] = together_.joins_not_kept_;
    if (sections.waits) out["waiting"] = waits();
    return out;
  }

 private:
  std::string name(trace::ThreadNumber number) const { return merged_.threads.at(number).name; }
  template <class Numbers>
  Json names(const Numbers& numbers) const {
    Json out = Json::array();
    for (const trace::ThreadNumber number : numbers)
      out.push_back(name(number));
    return out;
  }

  Json offset(std::size_t index, trace::Ticks ticks) const {
    if (clock_.by() == CommonClock::By::none) return nullptr;
    return static_cast<std::int64_t>(clock_.time(index, ticks) - together_.start(clock_));
  }

  Json members() const {
    Json out = Json::array();
    for (std::size_t i = 0; i < together_.members_.size(); ++i) {
      const Together::Member& each = together_.members_[i];
      out.push_back({{"name", name(static_cast<trace::ThreadNumber>(i + 1))},
                     {"path", each.process->path},
                     {"program", each.process->program},
                     {"pid", each.process->pid},
                     {"host", each.process->hostname},
                     {"first", each.records == 0 ? Json{} : offset(i, each.first)},
                     {"last", each.records == 0 ? Json{} : offset(i, each.last)},
                     {"at", offset(i, each.moment)},
                     {"records", each.records},
                     {"lost", each.lost},
                     {"threads", each.threads},
                     {"waiting", each.waiting},
                     {"findings", each.findings},
                     {"ended", each.orderly ? "orderly" : "cut off"}});
    }
    return out;
  }

  Json clock() const {
    const CommonClock::By by = clock_.by();
    const auto uncertainty = clock_.uncertainty();
    return {{"by", by == CommonClock::By::monotonic ? Json("monotonic")
                   : by == CommonClock::By::wall    ? Json("wall")
                                                    : Json{}},
            {"hosts", clock_.hosts()},
            {"uncertainty", uncertainty ? Json(*uncertainty) : Json{}},
            {"uncertainty_at_least", by == CommonClock::By::none ? Json{} : Json(clock_.seen())}};
  }

  Json findings(std::string_view sort) const {
    Json out = Json::array();
    for (const auto& [key, each] : together_.findings_) {
      if (key.first != sort) continue;
      out.push_back({{"certainty", each.certainty},
                     {"fingerprint", hexadecimal(key.second)},
                     {"what", each.comment},
                     {"count", each.count},
                     {"processes", names(each.processes)}});
    }
    return out;
  }

  Json locks() const {
    const bool complete = merged_.mode == trace::Mode::all;
    Json out = Json::array();
    for (const MergedLocks::Row& row : together_.locks_.rows()) {
      Json lock = lock_json(json_, row.figures, complete);
      lock["processes"] = names(row.processes);
      lock["worst_instance"] = nullptr;
      for (const char* const who : {"holders", "waiters"}) {
        for (Json& part : lock[who]) {
          part["process"] = part["thread"].is_null() ? Json{} : part["thread"]["name"];
          part.erase("thread");
        }
      }
      out.push_back(std::move(lock));
    }
    return out;
  }

  Json joins() const {
    Json out = Json::array();
    for (const Together::JoinOf& join : together_.joins_) {
      out.push_back({{"process", name(join.process)},
                     {"joiner", join.joiner},
                     {"target", join.target},
                     {"site", json_.site(join.site)},
                     {"waited", join.waited},
                     {"ending", join.ending}});
    }
    return out;
  }

  Json waits() const {
    Json out = Json::array();
    for (const auto& [key, each] : together_.waits_) {
      out.push_back({{"kind", trace::name_of(key.kind)},
                     {"name", key.name},
                     {"created", json_.site(key.made)},
                     {"site", json_.site(key.site)},
                     {"threads", each.threads},
                     {"longest", each.longest},
                     {"processes", names(each.processes)}});
    }
    return out;
  }

  const Together& together_;
  const Process& merged_;
  const ProcessJson json_;
  const CommonClock& clock_;
};

Json Together::json() {
  name_members();
  NoRecords none;
  const Analysis empty{merged_, none};
  const CommonClock clock{processes()};
  return TogetherJson{*this, merged_, empty, clock}.json();
}

}  // namespace unspool
