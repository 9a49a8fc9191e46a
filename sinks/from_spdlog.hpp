// SPDX-License-Identifier: MIT
//
// The door for programs that log through spdlog: their calls stay as they are, and land as messages in the stream of
// the thread that made them, at the time of the call, with level, logger name and source place (where SPDLOG_INFO and
// its like give one).
//
//   spdlog::default_logger()->sinks().push_back(spool::sinks::from_spdlog());
//
// Thread-safe, without a lock of its own: logger and sink need not be of the _mt kind for it. For loggers of spdlog's
// own kind; an asynchronous one calls its sinks from its pool, so its messages bear the pool's thread and time: spool
// needs none to be fast.
// Records: a message, or none where spool's level for a logger of that name is above it.
#pragma once

#include <memory>

namespace spdlog::sinks {
class sink;
}

namespace spool::sinks {

/// Requires: source places whose texts stay (string literals, as spdlog's macros give).
/// A logger's flush waits until spool's sinks have everything.
std::shared_ptr<spdlog::sinks::sink> from_spdlog();

}  // namespace spool::sinks
