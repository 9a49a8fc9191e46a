// SPDX-License-Identifier: MIT
//
// Which segments are refused by what their metadata says, and in which words.
#pragma once

#include <unspool/read/metadata_file.hpp>
#include <unspool/read/tsdl.hpp>

#include <string>

namespace unspool {

/// Why the segment in `path` cannot be read; empty: it can.
std::string refusal_of(const Declared& declared, const MetadataText& metadata, const std::string& path);

}  // namespace unspool
