// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/analyze/tally.hpp>
#include <unspool/model/call_stack.hpp>
#include <unspool/render/names.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace unspool {
namespace {

constexpr std::size_t most_folders = 8;

/// The last `folders` folders of a path and its file name.
std::string tail(const std::string& path, std::size_t folders) {
  std::size_t at = path.size();
  for (std::size_t n = 0; n <= folders; ++n) {
    if (at == 0) return path;
    const std::size_t slash = path.find_last_of('/', at - 1);
    if (slash == std::string::npos) return path;
    at = slash;
  }
  return path.substr(at + 1);
}

/// Files of one name: as many folders as make all of them different.
void shorten(const std::set<std::string>& paths, std::unordered_map<std::string, std::string>& files) {
  for (std::size_t folders = 0; folders <= most_folders; ++folders) {
    std::set<std::string> tails;
    for (const std::string& path : paths)
      tails.insert(tail(path, folders));
    if (tails.size() != paths.size()) continue;
    for (const std::string& path : paths)
      files[path] = tail(path, folders);
    return;
  }
  for (const std::string& path : paths)
    files[path] = path;
}

}  // namespace

Names::Names(const Process& process) : process_{process} {
  for (const auto& [number, thread] : process.threads)
    ++thread_names_[thread.name];
  std::unordered_map<std::string, std::set<std::string>> same_name;
  for (const auto& [number, site] : process.sites)
    same_name[tail(site.file, 0)].insert(site.file);
  for (const auto& [number, frame] : process.frames) {
    for (const Site& line : frame.lines)
      same_name[tail(line.file, 0)].insert(line.file);
  }
  for (const auto& [name, paths] : same_name)
    shorten(paths, files_);
}

std::string Names::thread(trace::ThreadNumber thread) const {
  if (thread == 0) return "unknown thread";
  if (thread == other_threads) return "other threads";
  const auto found = process_.threads.find(thread);
  if (found == process_.threads.end() || found->second.name.empty()) return fmt::format("thread {}", thread);
  const std::string name = trace::escaped(found->second.name);
  const auto bearers = thread_names_.find(found->second.name);
  const bool shared = bearers != thread_names_.end() && bearers->second > 1;
  return shared ? fmt::format("{}#{}", name, thread) : name;
}

std::string Names::object(trace::ObjectNumber object, trace::Kind kind) const {
  if (trace::is_thread(object)) return thread(static_cast<trace::ThreadNumber>(object));
  const auto found = process_.objects.find(object);
  const bool known = found != process_.objects.end();
  const std::string_view kind_name = trace::name_of(known ? found->second.kind : kind);
  if (!known || found->second.name.empty()) return fmt::format("{} {}", kind_name, object_number(object));
  const std::string name = fmt::format("{} \"{}\"", kind_name, trace::escaped(found->second.name));
  return numbered_.contains(object) ? fmt::format("{} {}", name, object_number(object)) : name;
}

void Names::tell_apart(const std::set<trace::ObjectNumber>& objects) {
  std::map<std::pair<trace::Kind, std::string_view>, trace::ObjectNumber> first;
  for (const trace::ObjectNumber each : objects) {
    const auto found = process_.objects.find(each);
    if (found == process_.objects.end() || found->second.name.empty()) continue;
    const auto [bearer, is_new] = first.try_emplace({found->second.kind, found->second.name}, each);
    if (!is_new) numbered_.insert({bearer->second, each});
  }
}

std::string Names::short_file(const std::string& file) const {
  const auto found = files_.find(file);
  return trace::escaped(found == files_.end() ? file : found->second);
}

std::string Names::site(trace::SiteNumber site) const {
  const auto found = process_.sites.find(site);
  if (found == process_.sites.end()) return "unknown line";
  return fmt::format("{}:{}", short_file(found->second.file), found->second.line);
}

std::vector<std::string> Names::calls(trace::StackNumber stack, std::size_t most) const {
  std::vector<std::string> out;
  for (const Call& call : own_calls_of(process_, stack)) {
    if (out.size() == most) break;
    const bool is_named = call.line != nullptr && !call.line->function.empty();
    out.push_back(is_named ? trace::escaped(call.line->function)
                           : fmt::format("{}+{:#x}", trace::escaped(tail(call.frame->module, 0)), call.frame->offset));
    if (call.line != nullptr && call.line->line != 0) {
      out.back() += fmt::format(" at {}:{}", short_file(call.line->file), call.line->line);
    }
  }
  return out;
}

std::string Names::site_and_function(trace::SiteNumber site_number) const {
  const auto found = process_.sites.find(site_number);
  if (found == process_.sites.end() || found->second.function.empty()) return site(site_number);
  // What every lambda, and every initialisation before main, is called: it tells nothing.
  const std::string& function = found->second.function;
  if (function == "operator()" || function.starts_with("__static_initialization")) return site(site_number);
  return fmt::format("{} ({})", site(site_number), trace::escaped(found->second.function));
}

std::string place_text(const Process& process, const Place& at) {
  if (at.chunk < process.logs.size()) return fmt::format("{}@{}", process.logs[at.chunk], at.offset);
  return fmt::format("{:06}/stream-{:04}@{}", at.segment, at.chunk, at.offset);
}

std::string object_number(trace::ObjectNumber object) {
  return fmt::format("#{}", trace::is_thread(object) ? object : object - trace::first_object_number + 1);
}

}  // namespace unspool
