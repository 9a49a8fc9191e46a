// SPDX-License-Identifier: MIT
#include <spool/trace/ustar.hpp>

#include <fmt/format.h>
#include <unspool/read/find.hpp>
#include <unspool/read/segment_files.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <system_error>

#include <glob.h>

namespace unspool {
namespace {

namespace fs = std::filesystem;

struct Contents {
  bool metadata = false;
  bool segments = false;
  bool status = false;
  bool anything = false;
  std::vector<std::string> traces;
};

/// 000012.tar.zst
bool is_archive_name(const std::string& name) {
  const auto suffix = trace::archive_suffix.size();
  return name.ends_with(trace::archive_suffix) && segment_number(name.substr(0, name.size() - suffix)) != 0;
}

Contents look_into(const std::string& path, std::error_code& error) {
  Contents found;
  for (fs::directory_iterator each{path, error}, end; !error && each != end; each.increment(error)) {
    const std::string name = each->path().filename().string();
    found.status |= name == ".status";
    if (name.starts_with('.')) continue;
    found.anything = true;
    found.metadata |= name == "metadata";
    found.segments |= segment_number(name) != 0;
    found.segments |= is_archive_name(name);
    if (name.ends_with(".spool")) found.traces.push_back(each->path().string());
  }
  std::ranges::sort(found.traces);
  return found;
}

std::string why_not(const std::string& path, const Contents& found) {
  if (found.status || path.ends_with(".spool")) {
    return fmt::format(
        "{}: is a trace without a single segment: its process recorded nothing, or its segments were moved "
        "away",
        path);
  }
  if (!found.anything) return fmt::format("{}: is an empty directory; give a directory PROGRAM-PID.spool", path);
  return fmt::format("{}: is no trace and has none in it; give a directory PROGRAM-PID.spool", path);
}

/// The regular files in a directory, by name.
std::vector<std::string> files_in(const std::string& path) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator each{path, error}, end; !error && each != end; each.increment(error)) {
    if (each->is_regular_file(error) && !each->path().filename().string().starts_with('.'))
      files.push_back(each->path().string());
  }
  std::ranges::sort(files);
  return files;
}

/// What a pattern means, as the shell would have it; nothing where the argument is none.
std::vector<std::string> expanded(const std::string& argument) {
  std::vector<std::string> paths;
  if (argument.find_first_of("*?[") == std::string::npos) return paths;
  glob_t found{};
  if (::glob(argument.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return paths;
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  return path;
}

}  // namespace

std::uint32_t segment_number(const std::string& name) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc{} && end == name.data() + name.size() ? number : 0;
}

std::vector<TracePath> find_traces(const std::string& argument, std::string& refusal) {
  const std::string path = without_slashes(argument);
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    refusal = fmt::format("{}: there is no such directory", path);
    return {};
  }
  if (!error && is_archive(path)) return {{path, false, true}};
  if (!error && status.type() != fs::file_type::directory) {
    refusal = fmt::format("{}: is a file; give the trace's directory, PROGRAM-PID.spool", path);
    return {};
  }
  const Contents found = error ? Contents{} : look_into(path, error);
  if (error) {
    refusal = fmt::format("{}: cannot be read ({})", path, error.message());
    return {};
  }
  if (found.metadata) return {{path, true}};
  if (found.segments) return {{path, false}};
  std::vector<TracePath> traces;
  for (const std::string& each : found.traces)
    traces.push_back({each, false});
  if (traces.empty()) refusal = why_not(path, found);
  return traces;
}

Found find_inputs(const std::string& argument, std::string& refusal) {
  Found found;
  std::error_code error;
  const auto type = fs::status(argument, error).type();
  if (argument == "-" || (type != fs::file_type::not_found && type != fs::file_type::directory && !error)) {
    if (argument != "-" && is_archive(argument)) {
      found.traces.push_back({argument, false, true});
    } else {
      found.logs.push_back(argument);
    }
    return found;
  }
  if (type == fs::file_type::not_found) {
    for (const std::string& path : expanded(argument)) {
      Found more = find_inputs(path, refusal);
      std::ranges::move(more.traces, std::back_inserter(found.traces));
      std::ranges::move(more.logs, std::back_inserter(found.logs));
      found.listed |= more.listed;
    }
    if (!found.traces.empty() || !found.logs.empty()) return found;
    refusal = fmt::format("{}: there is no such file or directory", argument);
    return found;
  }
  found.traces = find_traces(argument, refusal);
  if (!found.traces.empty() || without_slashes(argument).ends_with(".spool")) return found;
  found.logs = files_in(argument);
  found.listed = true;
  return found;
}

}  // namespace unspool
