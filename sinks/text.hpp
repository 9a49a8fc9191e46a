// SPDX-License-Identifier: MIT
//
// Records as lines of text, through any sink of spdlog.
#pragma once

#include <spool/log/sink.hpp>

#include <memory>
#include <string>

namespace spdlog::sinks {
class sink;
}

namespace spool::sinks {

/// spdlog's pattern language, with three flags of ours (padded as spdlog pads, e.g. %-10N):
///   %N  thread name     %K  spool's thread number     %Q  "daemon", or nothing
/// `%l` is the level, `%v` the text, `%t` the kernel's thread id, `%n` the logger, `%s:%#` the source line.
/// Control characters in names and texts are escaped.
inline constexpr const char* default_pattern = "%Y-%m-%dT%H:%M:%S.%f%z [%l] (%N) %v";

/// To stderr, coloured on a terminal. Like Python's '[%(levelname)s] (%(threadName)-10s) %(message)s':
///   spool::sinks::console("[%l] (%-10N) %v")
std::shared_ptr<Sink> console(const std::string& pattern = default_pattern);

/// To any sink of spdlog: a file, rotating files, syslog, ...
std::shared_ptr<Sink> text(std::shared_ptr<spdlog::sinks::sink> target, const std::string& pattern = default_pattern);

}  // namespace spool::sinks
