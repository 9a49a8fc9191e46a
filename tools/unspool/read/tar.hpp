// SPDX-License-Identifier: MIT
//
// Which files of a segment a tar archive holds, and where. Nothing is unpacked by a name that stands in it: a name is
// only compared with those that a segment's files have.
#pragma once

#include <spool/trace/ustar.hpp>

#include <unspool/read/file.hpp>
#include <unspool/read/problems.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace unspool {

namespace trace = spool::trace;

struct TarMember {
  std::string name;  ///< without its directory: metadata, stream-0003
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// Of POSIX or of GNU tar.
bool is_tar(const trace::UstarHeader& header);

/// By name. `where` names the archive in problems; `whole`: it should have an end.
std::vector<TarMember> read_tar(const ByteSource& file, const std::string& where, bool whole, Problems& problems);

}  // namespace unspool
