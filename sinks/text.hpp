// SPDX-License-Identifier: MIT
//
// Records as lines of text (docs/lines.md): to a file of its own, to the console, or through any sink of spdlog.
#pragma once

#include <spool/sinks/file.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace spdlog::sinks {
class sink;
}

namespace spool::sinks {

/// spdlog's pattern language, with four flags of ours (padded as spdlog pads, e.g. %-10N):
///   %N  thread name     %K  spool's thread number     %Q  "daemon", or nothing
///   %J  a tab and then everything else as key=value, for unspool
/// `%l` is the level, `%v` the words, `%t` the kernel's thread id, `%n` the logger, `%s:%#` the source line. Control
/// characters in names and texts are escaped. Without %J a transition's pairs stand behind its words. Times are UTC.
inline constexpr const char* default_pattern = "%Y-%m-%dT%H:%M:%S.%F%z [%l] (%N) %v%J";

/// For eyes only; in local time.
inline constexpr const char* console_pattern = "%Y-%m-%dT%H:%M:%S.%f%z [%l] (%N) %v";

/// To stderr, coloured on a terminal. Like Python's '[%(levelname)s] (%(threadName)-10s) %(message)s':
///   spool::sinks::console("[%l] (%-10N) %v")
std::shared_ptr<Sink> console(const std::string& pattern = console_pattern);

/// To a file of our own; unspool reads it where the pattern ends with %J. Throws std::system_error where the file
/// cannot be opened (see File).
std::shared_ptr<FileSink> text_file(const std::filesystem::path& path, const std::string& pattern = default_pattern,
                                    const FileOptions& options = {});

enum class Tell : bool { messages, everything };

/// To any sink of spdlog: a file, rotating files, syslog, ...
std::shared_ptr<Sink> text(std::shared_ptr<spdlog::sinks::sink> target, const std::string& pattern = default_pattern,
                           Tell tell = Tell::messages);

}  // namespace spool::sinks
