// SPDX-License-Identifier: MIT
//
// Packs each segment of a trace as the recorder's archiver does.
//
//   pack_trace TRACE INTO
#include <spool/log/packer.hpp>
#include <spool/trace/ustar.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>

namespace {

namespace fs = std::filesystem;

bool is_chunk(const fs::directory_entry& file) {
  return file.path().filename().string().starts_with("stream-");
}

/// An errno.
int pack(spool::log::Packer& packer, const fs::path& segment, const fs::path& into) {
  const std::string name = segment.filename();
  spool::log::PackOrder order;
  order.directory = segment;
  order.target = into / fmt::format("{}{}", name, spool::trace::archive_suffix);
  order.number = static_cast<std::uint32_t>(std::stoul(name));
  order.chunks =
      static_cast<std::size_t>(std::count_if(fs::directory_iterator{segment}, fs::directory_iterator{}, is_chunk));
  return packer.pack(order, false).error;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fputs("pack_trace TRACE INTO\n", stderr);
    return 2;
  }
  const fs::path into = words[2];
  fs::create_directories(into);
  spool::log::Packer packer;
  for (const auto& segment : fs::directory_iterator{words[1]}) {
    if (segment.path().filename().string().starts_with('.')) continue;
    const int error = pack(packer, segment.path(), into);
    if (error == 0) continue;
    fmt::print(stderr, "pack_trace: {}: {}\n", segment.path().string(), std::generic_category().message(error));
    return 1;
  }
  return 0;
}
