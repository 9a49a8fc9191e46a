// SPDX-License-Identifier: MIT
//
// Records as lines of JSON in a file (docs/lines.md), which unspool reads.
#pragma once

#include <spool/sinks/file.hpp>

#include <filesystem>
#include <memory>

namespace spool::sinks {

/// Throws std::system_error where the file cannot be opened (see File).
///
///   const auto log = spool::sinks::json_lines("/var/log/kvserver/kvserver.jsonl");
///   spool::basic_config({.directory = "/var/lib/kvserver", .sinks = {log}});
///   ... log->reopen();    // after logrotate
std::shared_ptr<FileSink> json_lines(const std::filesystem::path& path, const FileOptions& options = {});

}  // namespace spool::sinks
