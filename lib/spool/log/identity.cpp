// SPDX-License-Identifier: MIT
#include <spool/log/identity.hpp>
#include <spool/log/recorder.hpp>
#include <spool/log/reserve.hpp>
#include <spool/log/writer.hpp>
#include <spool/os/process.hpp>

#include <fmt/format.h>

#include <functional>
#include <map>
#include <utility>

namespace spool::log {
namespace {

trace::ThreadNumber next_number() {
  static std::atomic<trace::ThreadNumber> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;  // relaxed: a mere number
}

using Identities = std::map<trace::ThreadNumber, std::shared_ptr<Identity>, std::less<>,
                            ReservedAllocator<std::pair<const trace::ThreadNumber, std::shared_ptr<Identity>>>>;

struct Table {
  std::mutex mutex;
  Identities alive;
  /// Stayed behind in the parent of a fork. Kept for ever: what they own belongs to threads whose stacks are only
  /// remains.
  Identities left_behind;
};

Table& table() {
  static auto* made = new Table;  // leaked: threads may be named in static destructors
  return *made;
}

/// One for the names of all threads, for it has to be free when a process forks. Taken after the table's.
std::mutex& names_mutex() {
  static auto* made = new std::mutex;  // leaked: as above
  return *made;
}

// A fork while another thread is in the midst of making it would have the child wait for ever for that thread.
[[maybe_unused]] const Table& table_before_any_fork = table();
[[maybe_unused]] const std::mutex& mutex_before_any_fork = names_mutex();

std::shared_ptr<Identity> look_up(const Identities& all, trace::ThreadNumber number) {
  const auto found = all.find(number);
  return found == all.end() ? nullptr : found->second;
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
  const std::lock_guard guard{names_mutex()};
  return name_;
}

void Identity::rename(std::string name) {
  {
    const std::lock_guard guard{names_mutex()};
    name_ = std::move(name);
    forget_definition();
  }
  // At once: the thread's next Record may take the fast path, which asks for no definition of the thread.
  Recorder::instance().define_anew(*this);
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
  std::shared_ptr<Identity> found = look_up(table().alive, number);
  return found != nullptr ? found : look_up(table().left_behind, number);
}

bool Registry::is_left_behind(trace::ThreadNumber number) {
  const std::lock_guard guard{table().mutex};
  return table().left_behind.contains(number);
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
  names_mutex().lock();
}

void Registry::unlock_after_fork() {
  names_mutex().unlock();
  table().mutex.unlock();
}

void Registry::forget_others_after_fork() {
  Identities others = std::move(table().alive);
  table().alive.clear();
  if (my_writer != nullptr) {
    const std::shared_ptr<Identity>& own = my_writer->identity;
    others.erase(own->thread_number());
    own->origin_.store(trace::Origin::main, std::memory_order_relaxed);  // relaxed: the child has one thread
    own->name_ = "MainThread";
    own->set_daemon(false);
    own->on_became_main();
    set_native_id(*own);
    table().alive.emplace(own->thread_number(), own);
  }
  for (auto& [number, other] : others) {
    other->on_forked_away();
    other->mark_ended();
  }
  table().left_behind.merge(others);
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
