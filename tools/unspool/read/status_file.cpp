// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/status_file.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

namespace unspool {
namespace {

using trace::StatusEntry;
using trace::StatusHeader;

// More threads than a process can have at once.
constexpr std::uint64_t most_entries = 1 << 20;
constexpr std::uint32_t largest_entry = 1 << 16;

}  // namespace

void read_status(const File& directory, const std::string& path, Process& process, Problems& problems) {
  const File file = File::open(directory, ".status");
  if (!file) return;
  const std::string where = path + "/.status";
  StatusHeader header{};
  const std::size_t got = file.read(0, std::as_writable_bytes(std::span{&header, 1}));
  const bool usable = got == sizeof header && header.magic == trace::status_magic &&
                      header.entry_size >= sizeof(StatusEntry) && header.entry_size <= largest_entry;
  if (!usable) {
    problems.damage(
        fmt::format("{}: is no status file of this format; what each thread did last is taken from its Records "
                    "only",
                    where));
    return;
  }
  process.lost = std::max(process.lost, header.lost);
  process.unknown_threads = header.unknown_threads == 0 ? 0 : header.unknown_threads - 1;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(header.entry_count, most_entries); ++i) {
    StatusEntry entry{};
    const std::uint64_t at = sizeof header + i * header.entry_size;
    if (file.read(at, std::as_writable_bytes(std::span{&entry, 1})) < sizeof entry) {
      problems.damage(fmt::format("{}: is cut short: {} of {} entries are there", where, i, header.entry_count));
      return;
    }
    if (entry.thread != 0) process.status.push_back(entry);
  }
  if (header.entries_missed > 0) {
    problems.note(fmt::format("{}: {} threads found no free entry: what they did last is taken from their Records only",
                              where, header.entries_missed));
  }
}

}  // namespace unspool
