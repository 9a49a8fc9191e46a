// SPDX-License-Identifier: MIT
//
// Makes spdlog's own file sinks as careful as ours: files are made 0600 in directories made 0700, and a symbolic link
// in the log's place is refused (std::system_error that names it).
//
//   spool::sinks::text(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
//       "logs/server.log", 50 << 20, 10, false, spool::sinks::safe_files()))
#pragma once

#include <spdlog/common.h>

namespace spool::sinks {

/// For the last parameter of spdlog's file, rotating and daily sinks.
spdlog::file_event_handlers safe_files();

}  // namespace spool::sinks
