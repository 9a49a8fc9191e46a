// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/find.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

namespace unspool {
namespace {

namespace fs = std::filesystem;

struct Contents {
  bool metadata = false;
  bool segments = false;
  bool archives = false;
  bool status = false;
  bool anything = false;
  std::vector<std::string> traces;
};

Contents look_into(const std::string& path, std::error_code& error) {
  Contents found;
  for (fs::directory_iterator each{path, error}, end; !error && each != end; each.increment(error)) {
    const std::string name = each->path().filename().string();
    found.status |= name == ".status";
    if (name.starts_with('.')) continue;
    found.anything = true;
    found.metadata |= name == "metadata";
    found.segments |= segment_number(name) != 0;
    found.archives |= name.ends_with(".tar.zst");
    if (name.ends_with(".spool")) found.traces.push_back(each->path().string());
  }
  std::ranges::sort(found.traces);
  return found;
}

std::string why_not(const std::string& path, const Contents& found) {
  if (found.archives) {
    return fmt::format("{}: has only archived segments; unpack them first: tar -xaf FILE.tar.zst", path);
  }
  if (found.status || path.ends_with(".spool")) {
    return fmt::format(
        "{}: is a trace without a single segment: its process recorded nothing, or its segments were moved "
        "away",
        path);
  }
  if (!found.anything) return fmt::format("{}: is an empty directory; give a directory PROGRAM-PID.spool", path);
  return fmt::format("{}: is no trace and has none in it; give a directory PROGRAM-PID.spool", path);
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

}  // namespace unspool
