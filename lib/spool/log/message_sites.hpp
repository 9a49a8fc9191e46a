// SPDX-License-Identifier: MIT
//
// All message sites of the process, by key and by class id. Owns them for ever; defining them in a segment is
// Definitions'.
#pragma once

#include <spool/log/definitions.hpp>
#include <spool/log/fork.hpp>
#include <spool/log/message.hpp>

#include <deque>
#include <mutex>
#include <unordered_map>

namespace spool::log {

class MessageSites {
 public:
  static MessageSites& instance();

  /// nullptr: there are too many, or the format is too long for the metadata; then the text is written instead.
  MessageSite* find_or_add(const MessageKey& key);
  const MessageSite* find(std::uint16_t id);

 private:
  void describe(MessageSite& added, const MessageKey& key);
  MessageSites() { guard_across_fork(mutex_, ForkOrder::innermost); }

  static constexpr std::size_t most_sites = 2000;
  static constexpr std::size_t longest_format = 512;

  std::mutex mutex_;
  std::unordered_map<std::uint64_t, MessageSite*> by_digest_;
  std::deque<MessageSite> sites_;
};

}  // namespace spool::log
