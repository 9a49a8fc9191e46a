// SPDX-License-Identifier: MIT
#include <spool/log/dispatcher.hpp>
#include <spool/log/message.hpp>
#include <spool/sinks/door.hpp>

namespace spool::sinks {

const KnownLoggers::Node* KnownLoggers::find(const Node* first, std::string_view name) const {
  while (first != nullptr && first->name != name)
    first = first->next;
  return first;
}

const Logger& KnownLoggers::named(std::string_view name) {
  const Node* first = first_.load(std::memory_order_acquire);  // acquire: partner is the release below
  if (const Node* const known = find(first, name)) return known->logger;
  const std::lock_guard guard{adding_};
  first = first_.load(std::memory_order_relaxed);  // relaxed: written under the mutex only
  if (const Node* const known = find(first, name)) return known->logger;
  const Node* const added = new Node{std::string{name}, Logger{name}, first};  // for ever: static destructors may log
  first_.store(added, std::memory_order_release);                              // release: partner is the acquire above
  return added->logger;
}

const char* KeptTexts::keep(const std::string& text) {
  const std::lock_guard guard{mutex_};
  const auto found = texts_.find(text);
  if (found != texts_.end()) return found->c_str();
  return texts_.size() < most ? texts_.insert(text).first->c_str() : nullptr;
}

void write_foreign(const Logger& logger, trace::Level level, const Site& site, std::string_view text) noexcept {
  if (!logger.is_logged(level) || level >= trace::Level::off || log::Dispatcher::is_feeding()) return;
  log::write_text(level, site, text, logger.name());
}

}  // namespace spool::sinks
