// SPDX-License-Identifier: MIT
//
// Turns the raw arguments of a message into its text. Shared by the sinks in the process and by the tools: one way
// to read a message. Input is hostile: a format string from a file may ask for a gigabyte of padding.
#pragma once

#include <spool/trace/schema.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace spool::trace {

/// One argument, read. Text points into the bytes that it was read from. What a number stands for (a character, an
/// address, a duration) is said by its Field.
using Value = std::variant<bool, std::int64_t, std::uint64_t, float, double, std::string_view>;

/// Reads the byte-packed fields at the front of `bytes`; nullopt when they do not fit into it.
std::optional<std::vector<Value>> read_values(std::span<const Field> fields, std::span<const std::byte> bytes);

/// The same into `out`, whose memory is used again. False: they do not fit.
bool read_values(std::span<const Field> fields, std::span<const std::byte> bytes, std::vector<Value>& out);

/// The length of the byte-packed fields at the front of `bytes`; nullopt when they do not fit into it.
std::optional<std::size_t> packed_length(std::span<const Field> fields, std::span<const std::byte> bytes);

/// fmt's result for `format` and the arguments, whose names are their fields'. Where it cannot be had (a format string
/// that does not fit the arguments, a width or precision over 4096) the answer is the format string followed by the
/// arguments: nothing is hidden and nothing thrown.
std::string message_text(std::string_view format, std::span<const Field> fields, std::span<const Value> values);

/// One argument as "{}" shows it: "1500ms", "0x7ffe10", "x".
std::string value_text(const Field& field, const Value& value);

/// A duration in nanoseconds; nullopt: the field is none, or it is beyond what 64 bits hold.
std::optional<std::int64_t> nanoseconds_of(const Field& field, const Value& value);

/// Printable on one line: control characters (C0, DEL, C1), backslashes and bytes that are not UTF-8 are written as
/// \n, \t, \\, \x1b, ... Quotes are left alone.
std::string escaped(std::string_view text);

}  // namespace spool::trace
