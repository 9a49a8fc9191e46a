// SPDX-License-Identifier: MIT
#include <spool/log/control.hpp>
#include <spool/log/fork.hpp>
#include <spool/log/writer.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/thread/local_values.hpp>
#include <spool/trace/message.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include <pthread.h>

namespace spool::thread {
namespace {

/// One for all Locals, held for a moment when a thread's value is made or goes: it has to be free when a process forks.
std::mutex& values_mutex() {
  static std::mutex& made = []() -> std::mutex& {
    auto* const mutex = new std::mutex;  // leaked: Locals may come and go in static destructors
    log::guard_across_fork(*mutex, log::ForkOrder::innermost);
    return *mutex;
  }();
  return made;
}

}  // namespace

/// Under the mutex, but for destroying what was taken: that is the user's code.
struct LocalValues::Shared {
  using Map = std::unordered_map<std::uint64_t, std::unique_ptr<LocalValue>>;

  std::unique_ptr<LocalValue> take(std::uint64_t token) {
    const std::lock_guard guard{values_mutex()};
    const auto node = map.extract(token);
    return node.empty() ? nullptr : std::move(node.mapped());
  }
  Map take_all() {
    const std::lock_guard guard{values_mutex()};
    return std::exchange(map, {});
  }

  Map map;
};

namespace {

/// A value that is made while values are destroyed waits for the next round; after these, it is left with its Local.
constexpr int most_rounds = 4;

/// The least slots are given first, and again.
class Slots {
 public:
  static Slots& instance() {
    static auto* made = new Slots;  // leaked: Locals may come and go in static destructors
    return *made;
  }
  std::size_t take() {
    const std::lock_guard guard{values_mutex()};
    if (free_.empty()) return next_++;
    std::ranges::pop_heap(free_, std::greater{});
    const std::size_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void give_back(std::size_t slot) {
    const std::lock_guard guard{values_mutex()};
    free_.push_back(slot);
    std::ranges::push_heap(free_, std::greater{});
  }

 private:
  std::vector<std::size_t> free_;
  std::size_t next_ = 0;
};

// A fork while another thread is in the midst of making it would have the child wait for ever for that thread.
[[maybe_unused]] const Slots& slots_before_any_fork = Slots::instance();

using SharedValues = std::shared_ptr<LocalValues::Shared>;

struct Entry {
  SharedValues values;          ///< of the Local that had the slot last
  LocalValue* value = nullptr;  ///< nullptr: none
  std::uint64_t order = 0;      ///< in which the thread's values were made
  int round = 0;                ///< in which it was made
};

struct Table {
  static std::uint64_t next_token() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;  // relaxed: a mere number
  }

  /// The newest value of an earlier round.
  Entry* newest_before(int limit) {
    Entry* newest = nullptr;
    for (Entry& each : entries) {
      const bool counts = each.value != nullptr && each.round < limit;
      if (counts && (newest == nullptr || each.order > newest->order)) newest = &each;
    }
    return newest;
  }

  std::vector<Entry> entries;  ///< by slot
  std::uint64_t token = next_token();
  std::uint64_t order = 0;
  int round = 0;
};

/// Trivially destroyed, so that it may be looked at and made anew at any time, also in static destructors.
constinit thread_local Table* my_table = nullptr;

void destroy_values(Table& table) noexcept {
  for (table.round = 1; table.round <= most_rounds; ++table.round) {
    while (Entry* entry = table.newest_before(table.round)) {
      entry->value = nullptr;
      const SharedValues values = entry->values;
      (void)values->take(table.token);  // nothing: the end of the Local has it. `entry` may be invalid from here on
    }
  }
}

void end_thread() noexcept {
  if (my_table == nullptr) return;
  destroy_values(*my_table);
  delete std::exchange(my_table, nullptr);
}

/// For values that were made when the thread_local objects were gone already. Runs with the destructors of pthread's
/// keys: main has none.
pthread_key_t late_key() {
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    pthread_key_create(&made, [](void*) { end_thread(); });
    return made;
  }();
  return key;
}

/// Destroyed with the thread_local objects; at the end of the program main's too, before the static ones.
struct Ender {
  Ender() = default;
  Ender(const Ender&) = delete;
  Ender& operator=(const Ender&) = delete;
  ~Ender() { end_thread(); }
  void touch() const {}
};
thread_local const Ender ender;

Table& own_table() {
  if (my_table == nullptr) {
    my_table = new Table;
    ender.touch();
    pthread_setspecific(late_key(), my_table);
  }
  return *my_table;
}

}  // namespace

LocalValues::LocalValues() : shared_{std::make_shared<Shared>()}, slot_{Slots::instance().take()} {}

LocalValues::~LocalValues() {
  if (daemons_may_be_inside()) {
    leave(shared_);  // with their values, which they may be using or just making
    for (int round = 0; round < most_rounds && find() != nullptr; ++round)
      reset();
  } else {
    for (int round = 0; round < most_rounds; ++round) {
      if (find() != nullptr) my_table->entries[slot_].value = nullptr;
      if (shared_->take_all().empty()) break;  // and if not: destroyed here, where it is not locked
    }
  }
  if (find() != nullptr) my_table->entries[slot_].value = nullptr;
  Slots::instance().give_back(slot_);
}

LocalValue* LocalValues::find() const noexcept {
  const Table* const table = my_table;
  if (table == nullptr || slot_ >= table->entries.size()) return nullptr;
  const Entry& entry = table->entries[slot_];
  return entry.values == shared_ ? entry.value : nullptr;
}

LocalValue& LocalValues::put(std::unique_ptr<LocalValue> value) {
  Table& table = own_table();
  if (slot_ >= table.entries.size()) table.entries.resize(slot_ + 1);
  LocalValue& added = *value;
  std::unique_ptr<LocalValue> before;  // destroyed last, when the new one is in place
  {
    const std::lock_guard guard{values_mutex()};
    before = std::exchange(shared_->map[table.token], std::move(value));
  }
  // The Local that had the slot before may have died meanwhile, and this may be the last trace of it.
  const SharedValues last = std::exchange(table.entries[slot_].values, shared_);
  Entry& entry = table.entries[slot_];
  entry.value = &added;
  entry.order = ++table.order;
  entry.round = table.round;
  return added;
}

void LocalValues::reset() noexcept {
  if (find() == nullptr) return;
  my_table->entries[slot_].value = nullptr;
  (void)shared_->take(my_table->token);  // destroyed here, where it is not locked
}

bool daemons_may_be_inside() noexcept {
  return (log::current_state() & log::ending_bit) != 0;
}

void leave(std::shared_ptr<const void> used) {
  static auto* left = new std::vector<std::shared_ptr<const void>>;  // leaked, and so is all that is in it
  const std::lock_guard guard{values_mutex()};
  left->push_back(std::move(used));
}

void throw_no_value() {
  const log::Writer& me = log::self();
  throw MisuseError{fmt::format("get of a Local that has no value yet in thread {} ({})",
                                trace::escaped(me.identity->name()), me.number)};
}

}  // namespace spool::thread
