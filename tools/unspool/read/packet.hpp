// SPDX-License-Identifier: MIT
//
// The packets of a chunk: follows the chain through the file and says where whose Records stand. Reads the headers
// only. What a header claims is held against the real file; a broken link costs what stands behind it.
#pragma once

#include <spool/trace/ctf.hpp>

#include <unspool/read/file.hpp>
#include <unspool/read/problems.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace unspool {

/// A packet with Records in it.
struct Packet {
  std::uint32_t chunk = 0;   ///< index in Trace::chunks
  std::uint32_t thread = 0;  ///< 0: definitions
  std::uint32_t stream = 0;
  std::uint64_t offset = 0;  ///< of its header in the file
  std::uint64_t end = 0;     ///< of its content in the file
  trace::Ticks begin = 0;
  std::size_t header = 0;  ///< hash of the header as it was found
};

std::size_t hash_of(const trace::PacketHeader& header);

/// What every packet of a chunk has to say of itself.
struct Expected {
  trace::Uuid uuid{};
  std::uint32_t segment = 0;
};

/// A chunk's file, and what its headers say of losses.
struct Chunk {
  std::uint32_t segment = 0;  ///< index in Trace::segments
  std::uint32_t number = 0;
  std::string name;                ///< stream-0003
  std::uint64_t discarded = 0;     ///< Records lost, by the packet headers
  std::uint64_t loss_records = 0;  ///< the same, by the trace.loss Records read so far
};

/// Appends the packets of `file`, which is `chunk` with the index `index`. `where` is the file's path for problems.
void read_packets(const File& file, const Expected& expected, std::uint32_t index, const std::string& where,
                  Chunk& chunk, std::vector<Packet>& packets, Problems& problems);

}  // namespace unspool
