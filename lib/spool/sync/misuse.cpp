// SPDX-License-Identifier: MIT
#include <spool/log/message.hpp>
#include <spool/log/recorder.hpp>
#include <spool/log/writer.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/trace/message.hpp>

#include <fmt/format.h>

#include <cstdlib>

namespace spool::log {
namespace {

/// ", held by ..." of the kinds that somebody can hold.
std::string describe_holder(trace::Kind kind, trace::ThreadNumber holder) {
  using enum trace::Kind;
  if (kind == event || kind == semaphore || kind == bounded_semaphore || kind == barrier) return {};
  if (kind == queue || kind == pool || kind == timer || kind == condition) return {};
  if (kind == shared_lock && holder == 0) return {};  // readers may hold it, and nobody has a list of them
  return ", held by " + describe_thread(holder);
}

/// A thread has a name of its own and no holder.
std::string describe(std::string_view what, const Identity& thread, const Site& site) {
  return fmt::format("{} thread \"{}\" ({}) by {} at {}:{}", what, trace::escaped(thread.name()),
                     thread.thread_number(), describe_thread(self().number), site.file == nullptr ? "?" : site.file,
                     site.line);
}

std::string describe(std::string_view what, Object& object, trace::ThreadNumber holder, const Site& site) {
  if (object.kind() == trace::Kind::thread) return describe(what, static_cast<const Identity&>(object), site);
  const Site& made = object.site();
  return fmt::format("{} {} \"{}\" (created at {}:{}{}) by {} at {}:{}", what, trace::name_of(object.kind()),
                     trace::escaped(object.name() == nullptr ? "" : object.name()),
                     made.file == nullptr ? "?" : made.file, made.line, describe_holder(object.kind(), holder),
                     describe_thread(self().number), site.file == nullptr ? "?" : site.file, site.line);
}

}  // namespace

std::string describe_thread(trace::ThreadNumber number) {
  if (number == 0) return "nobody";
  const auto identity = Registry::find(number);
  return fmt::format("thread {} ({})", identity == nullptr ? "that has ended" : trace::escaped(identity->name()),
                     number);
}

void throw_misuse(std::string_view what, Object& object, trace::ThreadNumber holder, const Site& site) {
  const std::string text = describe(what, object, holder, site);
  if (is_recording()) write_text(Level::error, site, text);
  throw MisuseError{text};
}

void abort_misuse(std::string_view what, Object& object, trace::ThreadNumber holder, const Site& site) noexcept {
  const std::string text = describe(what, object, holder, site);
  if (is_recording()) write_text(Level::critical, site, text);
  print_at_once(Level::critical, text);
  std::abort();
}

std::string report_orphan(Object& object, const Holder& holder, const Site& site) {
  const std::string place = Recorder::instance().describe_site(holder.site);
  std::string text = fmt::format("{}; its holder stayed behind in the parent of a fork, where it acquired it at {}",
                                 describe("wait for an orphaned", object, holder.thread, site),
                                 place.empty() ? "a line that is not known" : place);
  if (is_logged(Level::error)) write_text(Level::error, site, text);
  return text;
}

std::string report_orphaned_use(Object& object, std::string_view why, const Site& site) {
  std::string text = fmt::format("{}; {}", describe("use of an orphaned", object, 0, site), why);
  if (is_logged(Level::error)) write_text(Level::error, site, text);
  return text;
}

void throw_left_midway(Object& object, const Site& site) {
  throw MisuseError{report_orphaned_use(
      object, "a thread that stayed behind in the parent of a fork left it in the middle of a change", site)};
}

}  // namespace spool::log
