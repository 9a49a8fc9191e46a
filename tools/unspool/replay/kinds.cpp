// SPDX-License-Identifier: MIT
#include <unspool/replay/kinds.hpp>

#include <array>

namespace unspool {
namespace {

using Rules = std::array<KindRules, trace::kind_count>;

Rules make_rules() {
  Rules table;
  for (const trace::Row& row : trace::rows()) {
    KindRules& rules = table[static_cast<std::size_t>(row.kind)];
    if (row.effect == trace::Effect::acquire) rules.can_be_held = true;
    if (row.effect != trace::Effect::wait) continue;
    rules.next.bits |= row.next.bits;
    if (row.verb == trace::Verb::block) rules.renewable = field_means(row, 2, trace::Means::thread);
  }
  return table;
}

}  // namespace

const KindRules& rules_of(trace::Kind kind) {
  static const Rules table = make_rules();
  static const KindRules none;
  const auto index = static_cast<std::size_t>(kind);
  return index < table.size() ? table[index] : none;
}

bool is_signal(trace::Kind kind) {
  using trace::Kind;
  switch (kind) {
    case Kind::condition:
    case Kind::event:
    case Kind::semaphore:
    case Kind::bounded_semaphore:
    case Kind::barrier:
    case Kind::queue:
    case Kind::pool:
      return true;
    default:
      return false;
  }
}

}  // namespace unspool
