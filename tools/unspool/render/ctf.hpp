// SPDX-License-Identifier: MIT
//
// `unspool cat --to ctf -o DIR`: a trace as any reader of CTF opens it, with archives unpacked.
#pragma once

#include <unspool/read/trace.hpp>

#include <string>

namespace unspool {

/// Writes DIR/PROGRAM-PID.spool/NNNNNN/..., for the owner's eyes only. DIR is made where there is none; nothing that is there
/// is replaced. What of the trace cannot be read is left out, and is among its problems. Empty, or the sentence that says why
/// it could not be written.
std::string write_ctf(Trace& trace, const std::string& directory);

}  // namespace unspool
