// SPDX-License-Identifier: MIT
#include <spool/log/fork.hpp>
#include <spool/log/object.hpp>

#include <cstdio>
#include <mutex>
#include <set>

namespace spool {

const char* Name::keep(std::string_view text) {
  constexpr std::size_t most_names = 65'536;
  constexpr std::size_t most_bytes = std::size_t{4} << 20U;
  static std::mutex mutex;
  static auto* names = new std::set<std::string, std::less<>>;  // leaked: names outlive static destructors
  static std::size_t bytes = 0;
  static bool told = false;
  static const bool guarded = [] {
    log::guard_across_fork(mutex, log::ForkOrder::innermost);
    return true;
  }();
  (void)guarded;
  const std::lock_guard guard{mutex};
  const auto found = names->find(text);
  if (found != names->end()) return found->c_str();
  if (names->size() >= most_names || bytes + text.size() > most_bytes) {
    if (!told) std::fputs("spool: too many different object names; further new ones are recorded without\n", stderr);
    told = true;
    return nullptr;
  }
  bytes += text.size();
  return names->emplace(text).first->c_str();
}

}  // namespace spool

namespace spool::log {

trace::ObjectNumber Object::assign_number() {
  static std::atomic<trace::ObjectNumber> next{trace::first_object_number};
  trace::ObjectNumber expected = 0;
  const trace::ObjectNumber mine = next.fetch_add(1, std::memory_order_relaxed);  // relaxed: a mere number
  // relaxed: whoever loses takes the winner's; the loser's number stays unused
  return number_.compare_exchange_strong(expected, mine, std::memory_order_relaxed) ? mine : expected;
}

}  // namespace spool::log
