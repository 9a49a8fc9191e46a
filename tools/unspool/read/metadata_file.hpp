// SPDX-License-Identifier: MIT
//
// From the bytes of a segment's `metadata` to its text. Owns the packets around the text, not what the text says.
#pragma once

#include <unspool/read/file.hpp>

#include <string>

namespace unspool {

struct MetadataText {
  std::string text;     ///< what there is of it; empty: nothing
  std::string problem;  ///< why it is not whole; empty: it is. Begins in the middle of a sentence: "is cut short: ..."
};

/// CTF's packetized form, or plain text.
MetadataText read_metadata(const File& file);

}  // namespace unspool
