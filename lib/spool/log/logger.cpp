// SPDX-License-Identifier: MIT
#include <spool/log/fork.hpp>
#include <spool/log/logger.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace spool::log {
namespace {

constexpr std::size_t longest_name = 200;

/// At most longest_name bytes, not through the middle of a character.
std::string_view cut(std::string_view name) {
  if (name.size() <= longest_name) return name;
  std::size_t length = longest_name;
  while (length > 0 && (static_cast<unsigned char>(name[length]) & 0xc0U) == 0x80)
    --length;
  return name.substr(0, length);
}

std::string_view parent_of(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
}

/// All names that have a level or a Logger. The general logger is not among them: its level is level_floor.
class Loggers {
 public:
  static Loggers& instance() {
    static auto* made = new Loggers;  // leaked: messages are legal in static destructors
    return *made;
  }

  LoggerState& find_or_add(std::string_view name) {
    const std::lock_guard guard{mutex_};
    return found_or_added(cut(name)).state;
  }

  void set(std::string_view name, std::optional<Level> level) {
    const std::lock_guard guard{mutex_};
    name = cut(name);
    if (name.empty()) {
      // relaxed: a switch
      level_floor.store(static_cast<std::uint8_t>(level.value_or(Level::warning)), std::memory_order_relaxed);
    } else {
      found_or_added(name).own = level;
    }
    push_down();
  }

  Level effective(std::string_view name) {
    const std::lock_guard guard{mutex_};
    return level_for(cut(name));
  }

 private:
  struct Node {
    LoggerState state;
    std::optional<Level> own;
  };

  Loggers() { guard_across_fork(mutex_, ForkOrder::innermost); }

  Node& found_or_added(std::string_view name) {
    if (const auto found = nodes_.find(name); found != nodes_.end()) return *found->second;
    auto made = std::make_unique<Node>();
    made->state.name = name;
    made->state.digest = detail::Digest{}.add(name).value();
    made->state.least.store(static_cast<std::uint8_t>(level_for(name)),
                            std::memory_order_relaxed);  // relaxed: ours yet
    return *nodes_.emplace(made->state.name, std::move(made)).first->second;
  }

  Level level_for(std::string_view name) const {
    for (; !name.empty(); name = parent_of(name)) {
      const auto found = nodes_.find(name);
      if (found != nodes_.end() && found->second->own) return *found->second->own;
    }
    return static_cast<Level>(level_floor.load(std::memory_order_relaxed));  // relaxed: written under mutex_
  }

  void push_down() {
    for (const auto& [name, node] : nodes_)
      node->state.least.store(static_cast<std::uint8_t>(level_for(name)),
                              std::memory_order_relaxed);  // relaxed: a switch
  }

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Node>, std::less<>> nodes_;
};

// A fork while another thread is in the midst of making it would have the child wait for ever for that thread.
[[maybe_unused]] const Loggers& made_before_any_fork = Loggers::instance();

}  // namespace

void set_level(Level level) {
  Loggers::instance().set({}, level);
}

void set_level(std::string_view logger, std::optional<Level> level) {
  Loggers::instance().set(logger, level);
}

Level level_of(std::string_view logger) {
  return Loggers::instance().effective(logger);
}

}  // namespace spool::log

namespace spool {

Logger::Logger(std::string_view name) : state_{name.empty() ? nullptr : &log::Loggers::instance().find_or_add(name)} {}

Level Logger::level() const noexcept {
  const auto& least = state_ == nullptr ? log::level_floor : state_->least;
  return static_cast<Level>(least.load(std::memory_order_relaxed));  // relaxed: a switch
}

void Logger::set_level(Level level) const {
  log::set_level(name(), level);
}

void Logger::reset_level() const {
  log::set_level(name(), std::nullopt);
}

std::string_view Logger::name() const noexcept {
  return state_ == nullptr ? std::string_view{} : std::string_view{state_->name};
}

}  // namespace spool
