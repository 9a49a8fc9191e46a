// SPDX-License-Identifier: MIT
#include "support/judgement.hpp"

#include <spool/log/recorder.hpp>

#include "support/legality.hpp"
#include "support/record_tap.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace spool::test {

int judge_all_records() {
  const auto records = tap().all();
  const auto found = violations(records);
  for (const std::string& each : found)
    std::fputs(fmt::format("illegal: {}\n", each).c_str(), stderr);
  const std::uint64_t lost = log::Recorder::instance().counters().lost;
  if (lost != 0) std::fputs(fmt::format("lost: {} Records\n", lost).c_str(), stderr);
  if (tap().lapped() != 0) std::fputs("the tap was lapped: the Records are not all there\n", stderr);
  std::fputs(fmt::format("{} Records judged, {} illegal\n", records.size(), found.size()).c_str(), stderr);
  return found.empty() && lost == 0 && tap().lapped() == 0 ? 0 : 1;
}

}  // namespace spool::test
