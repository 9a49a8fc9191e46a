// SPDX-License-Identifier: MIT
#include <spool/log/message_sites.hpp>
#include <spool/trace/format_fields.hpp>

#include <algorithm>

namespace spool::log {
namespace {

std::vector<std::string_view> wanted_names(const MessageKey& key) {
  std::vector<std::string_view> wanted;
  for (std::size_t i = 0; i < key.fields.size(); ++i) {
    const bool own = i < key.names.size() && !key.names[i].empty();
    wanted.push_back(own ? key.names[i] : key.fields[i].name);
  }
  return wanted;
}

/// The format as readers get it: by the names that the fields have, and without the specs of what is text already.
std::string format_for_readers(const MessageKey& key, const std::vector<std::string>& names) {
  const auto find = [&](std::string_view name) {
    const auto found = std::ranges::find(key.names, name);
    return found == key.names.end() ? -1 : static_cast<int>(found - key.names.begin());
  };
  std::string made;
  std::size_t done = 0;
  const auto fault = trace::for_each_argument(key.format, find, [&](const trace::Reference& each, std::size_t index) {
    const bool named = each.id < each.id_end && (key.format[each.id] < '0' || key.format[each.id] > '9');
    if (named && index < names.size()) {
      made += key.format.substr(done, each.id - done);
      made += names[index];
      done = each.id_end;
    }
    if (!each.nested && index < names.size() && (key.at_once >> index & 1U) != 0) {
      made += key.format.substr(done, each.id_end - done);
      done = each.close;
    }
  });
  if (fault != trace::FormatFault::none) return std::string{key.format};
  made += key.format.substr(done);
  return made;
}

}  // namespace

MessageSites& MessageSites::instance() {
  static auto* sites = new MessageSites;  // leaked: messages are legal in static destructors
  return *sites;
}

namespace {

// A fork while another thread is in the midst of making it would have the child wait for ever for that thread.
[[maybe_unused]] const MessageSites& made_before_any_fork = MessageSites::instance();

}  // namespace

MessageSite* MessageSites::find_or_add(const MessageKey& key) {
  const std::lock_guard guard{mutex_};
  const auto found = by_digest_.find(key.digest);
  if (found != by_digest_.end()) return found->second;
  if (sites_.size() >= most_sites || key.format.size() > longest_format) return nullptr;
  MessageSite& added = sites_.emplace_back();
  try {
    describe(added, key);
    by_digest_.emplace(key.digest, &added);
  } catch (...) {  // no memory: as if it had not come yet
    sites_.pop_back();
    throw;
  }
  return &added;
}

/// All but where it is defined. Its number is that of the newest site.
void MessageSites::describe(MessageSite& added, const MessageKey& key) {
  added.names = trace::argument_names(wanted_names(key));
  added.declared.id = static_cast<std::uint16_t>(trace::first_message_class + sites_.size() - 1);
  added.declared.level = key.level;
  added.declared.logger = key.logger;
  added.declared.format = format_for_readers(key, added.names);
  added.declared.arguments.assign(key.fields.begin(), key.fields.end());
  for (std::size_t i = 0; i < added.names.size(); ++i)
    added.declared.arguments[i].name = added.names[i];
  added.site = key.site;
}

const MessageSite* MessageSites::find(std::uint16_t id) {
  const std::lock_guard guard{mutex_};
  const auto index = static_cast<std::size_t>(id) - trace::first_message_class;
  return id >= trace::first_message_class && index < sites_.size() ? &sites_[index] : nullptr;
}

}  // namespace spool::log
