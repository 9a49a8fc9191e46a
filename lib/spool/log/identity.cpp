// SPDX-License-Identifier: MIT
#include <spool/log/identity.hpp>
#include <spool/log/writer.hpp>
#include <spool/os/process.hpp>

#include <fmt/format.h>

#include <map>

namespace spool::log {
namespace {

trace::ThreadNumber next_number() {
  static std::atomic<trace::ThreadNumber> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;  // relaxed: a mere number
}

struct Table {
  std::mutex mutex;
  std::map<trace::ThreadNumber, std::shared_ptr<Identity>> alive;
};

Table& table() {
  static auto* made = new Table;  // leaked: threads may be named in static destructors
  return *made;
}

std::string counted(const char* format_with_number, std::atomic<std::uint32_t>& count) {
  return fmt::format(fmt::runtime(format_with_number), count.fetch_add(1, std::memory_order_relaxed) + 1);  // a count
}

}  // namespace

Identity::Identity(trace::Origin origin, std::string name, bool daemon, trace::ThreadNumber creator)
    : Object{trace::Kind::thread, next_number()},
      origin_{origin},
      creator_{creator},
      daemon_{daemon},
      name_{std::move(name)} {}

std::string Identity::name() const {
  const std::lock_guard guard{name_mutex_};
  return name_;
}

void Identity::rename(std::string name) {
  const std::lock_guard guard{name_mutex_};
  name_ = std::move(name);
  forget_definition();
}

void Identity::mark_ended() {
  // seq_cst, both: a joiner counts itself, then looks at `ended`; one of the two sees the other
  ended.store(1, std::memory_order_seq_cst);
  if (joiners.load(std::memory_order_seq_cst) != 0) os::unpark(&ended, os::everybody);
}

void Registry::add(std::shared_ptr<Identity> identity) {
  const std::lock_guard guard{table().mutex};
  const trace::ThreadNumber number = identity->thread_number();
  table().alive.emplace(number, std::move(identity));
}

void Registry::remove(const Identity& identity) {
  std::shared_ptr<Identity>
      last;  // declared first, destroyed after the mutex is free: the destructor may be the user's
  const std::lock_guard guard{table().mutex};
  const auto found = table().alive.find(identity.thread_number());
  if (found == table().alive.end()) return;
  last = std::move(found->second);
  table().alive.erase(found);
}

std::shared_ptr<Identity> Registry::find(trace::ThreadNumber number) {
  const std::lock_guard guard{table().mutex};
  const auto found = table().alive.find(number);
  return found == table().alive.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Identity>> Registry::all() {
  const std::lock_guard guard{table().mutex};
  std::vector<std::shared_ptr<Identity>> identities;
  for (const auto& [number, identity] : table().alive)
    identities.push_back(identity);
  return identities;
}

void Registry::lock_for_fork() {
  table().mutex.lock();
  if (my_writer != nullptr) my_writer->identity->name_mutex_.lock();
}

void Registry::unlock_after_fork() {
  if (my_writer != nullptr) my_writer->identity->name_mutex_.unlock();
  table().mutex.unlock();
}

void Registry::forget_others_after_fork() {
  // Leaked: what they own belongs to threads whose stacks are only remains here.
  auto* others = new std::map{std::move(table().alive)};
  table().alive.clear();
  if (my_writer != nullptr) {
    const std::shared_ptr<Identity>& own = my_writer->identity;
    others->erase(own->thread_number());
    table().alive.emplace(own->thread_number(), own);
  }
  for (auto& [number, other] : *others) {
    other->on_forked_away();
    other->mark_ended();
  }
}

void Registry::set_native_id(Identity& identity) {
  identity.native_id_.store(os::native_id(), std::memory_order_relaxed);  // relaxed: a mere number
  identity.forget_definition();
}

std::string next_thread_name() {
  static std::atomic<std::uint32_t> count{0};
  return counted("Thread-{}", count);
}

std::string next_dummy_name() {
  static std::atomic<std::uint32_t> count{0};
  return counted("Dummy-{}", count);
}

std::shared_ptr<Identity> current_identity() {
  return self().identity;
}

}  // namespace spool::log
