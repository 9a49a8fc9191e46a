// SPDX-License-Identifier: MIT
#include <spool/log/fork.hpp>
#include <spool/log/object.hpp>

#include <cstdio>
#include <mutex>
#include <set>

namespace spool {

namespace {

struct Kept {
  Kept() { log::guard_across_fork(mutex, log::ForkOrder::innermost); }
  std::mutex mutex;
  std::set<std::string, std::less<>> names;
  std::size_t bytes = 0;
  bool told = false;
};

Kept& kept() {
  static auto* made = new Kept;  // leaked: names outlive static destructors
  return *made;
}

// A fork while another thread is in the midst of making it would have the child wait for ever for that thread.
[[maybe_unused]] const Kept& made_before_any_fork = kept();

}  // namespace

const char* Name::keep(std::string_view text) {
  constexpr std::size_t most_names = 65'536;
  constexpr std::size_t most_bytes = std::size_t{4} << 20U;
  auto& [mutex, names, bytes, told] = kept();
  const std::lock_guard guard{mutex};
  const auto found = names.find(text);
  if (found != names.end()) return found->c_str();
  if (names.size() >= most_names || bytes + text.size() > most_bytes) {
    if (!told) std::fputs("spool: too many different object names; further new ones are recorded without\n", stderr);
    told = true;
    return nullptr;
  }
  bytes += text.size();
  return names.emplace(text).first->c_str();
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
