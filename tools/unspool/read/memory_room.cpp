// SPDX-License-Identifier: MIT
#include <unspool/read/memory_room.hpp>

#include <filesystem>
#include <fstream>
#include <string>

#include <sys/statvfs.h>

namespace unspool {
namespace {

namespace fs = std::filesystem;

struct Memory {
  std::uint64_t total = 0;
  std::uint64_t available = 0;
};

/// In bytes; zeros where the system does not tell.
Memory memory() {
  Memory found;
  std::ifstream file{"/proc/meminfo"};
  std::string name;
  std::string unit;
  for (std::uint64_t kibibytes = 0; file >> name >> kibibytes >> unit;) {
    if (name == "MemTotal:") found.total = kibibytes << 10U;
    if (name == "MemAvailable:") found.available = kibibytes << 10U;
    if (found.available != 0) break;
  }
  return found;
}

/// False also for "max".
bool says_less(const fs::path& file, std::uint64_t bytes) {
  std::uint64_t limit = 0;
  std::ifstream stream{file};
  return stream >> limit && limit < bytes;
}

/// The process's group, or one around it. A group whose path does not lie below the mount is one that this container
/// does not see: then the mount's own limit is the container's.
bool is_limited_to_less(std::uint64_t bytes) {
  std::ifstream groups{"/proc/self/cgroup"};
  for (std::string line; std::getline(groups, line);) {
    const std::size_t path_at = line.find(':', line.find(':') + 1) + 1;
    const bool unified = line.starts_with("0::");
    if (path_at == 0 || !(unified || line.find(":memory:") != std::string::npos)) continue;
    const fs::path mount = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const char* const limit = unified ? "memory.max" : "memory.limit_in_bytes";
    for (fs::path group = line.substr(path_at);; group = group.parent_path()) {
      if (says_less(mount / group.relative_path() / limit, bytes)) return true;
      if (!group.has_relative_path()) break;
    }
  }
  return false;
}

}  // namespace

bool memory_has_room_for(std::uint64_t bytes) {
  struct statvfs about {};
  if (::statvfs(memory_directory, &about) != 0) return false;
  const std::uint64_t size = std::uint64_t{about.f_blocks} * about.f_frsize;
  const std::uint64_t free = std::uint64_t{about.f_bavail} * about.f_frsize;
  const Memory memory = unspool::memory();
  return free >= size / 2 + bytes && memory.available >= memory.total / 2 + bytes && !is_limited_to_less(memory.total);
}

}  // namespace unspool
