// SPDX-License-Identifier: MIT
//
// RFC 4180: the rows that --format json has, for spreadsheets and cut-and-count scripts. Owns which columns a command
// has, in which order, and what makes a cell harmless.
//
// A name can hold anything, and a spreadsheet runs a cell that begins with =, +, -, @: such a text gets an apostrophe
// before it. Control characters are written as in tables (\x1b), so that a row is a line.
#pragma once

#include <unspool/render/json.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace unspool {

/// One cell: a text harmless and quoted where it needs to be, a number or a truth value as it is, nothing for null,
/// JSON for a list.
std::string csv_cell(const Json& value);

/// The cells with commas between them, and CR LF.
std::string csv_line(const std::vector<std::string>& cells);

/// The names of a command's columns. `program` and `pid` come first.
std::vector<std::string> csv_columns(std::string_view command);

/// A header line, and the rows of all processes. Of `report`, which has rows of many sorts, a row a value: field,
/// value.
void print_csv(std::string_view command, const Json& processes, std::FILE* out);

}  // namespace unspool
