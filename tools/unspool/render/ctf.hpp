// SPDX-License-Identifier: MIT
//
// `unspool cat --to ctf -o DIR`: a trace as any reader of CTF opens it, with archives unpacked.
#pragma once

#include <unspool/read/trace.hpp>

#include <cstdint>
#include <string>

namespace unspool {

/// Writes DIR/PROGRAM-PID.spool/NNNNNN/..., for the owner's eyes only. DIR is made where there is none; nothing that is
/// there is replaced. What of the trace cannot be read is left out, and is among its problems. Empty, or the sentence
/// that says why it could not be written.
std::string write_ctf(Trace& trace, const std::string& directory);

/// What of a trace was not written as it was.
struct Repair {
  std::string place;  ///< the new trace
  std::uint64_t packets = 0;
  std::uint64_t cut = 0;    ///< thereof, those whose end could not be read
  std::uint64_t bytes = 0;  ///< that are left out with it
  std::uint64_t times = 0;  ///< Records that bore a time before that of the Record before them, and bear that now
};

/// As write_ctf(), but only what unspool can read: a packet ends with its last whole Record, and no times go back. With
/// the status file, as that says who was where when the process died. Call it after the Records have been read.
std::string write_repaired(Trace& trace, const std::string& directory, Repair& repair);

}  // namespace unspool
