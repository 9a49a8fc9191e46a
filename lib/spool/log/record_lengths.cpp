// SPDX-License-Identifier: MIT
#include <spool/log/message_sites.hpp>
#include <spool/log/record_lengths.hpp>
#include <spool/trace/message.hpp>

#include <algorithm>
#include <array>

namespace spool::log {
namespace {

constexpr std::size_t known_ids = trace::first_message_class;

/// Of a row: what a look at each Record needs.
struct Shape {
  const trace::Row* row = nullptr;
  std::size_t length = 0;  ///< 0: it has texts
};

/// The length of the fields where it is always the same; 0 where one is a text.
std::size_t fixed_length(std::span<const trace::Field> fields) {
  const std::vector<std::byte> longest(sizeof(std::uint64_t) * fields.size());
  const bool fixed = std::ranges::none_of(fields, [](const auto& each) { return each.type == trace::Type::text; });
  return fixed ? trace::packed_length(fields, longest).value_or(0) : 0;
}

const Shape& shape_of(std::uint16_t id) {
  // Trivially destructible: feeders read it until the last moment of the program, after the destructors of statics.
  static const auto table = [] {
    std::array<Shape, known_ids> shapes{};
    for (const trace::Row& row : trace::rows()) {
      Shape& shape = shapes[trace::record_id(row)];
      shape.row = &row;
      shape.length = fixed_length(row.fields());
    }
    return shapes;
  }();
  return table[id];
}

}  // namespace

const RecordLengths::MessageShape& RecordLengths::message_shape(std::uint16_t id) {
  const std::size_t index = id - trace::first_message_class;
  if (index >= messages_.size()) messages_.resize(index + 1);
  MessageShape& shape = messages_[index];
  if (shape.site == nullptr) {
    shape.site = MessageSites::instance().find(id);
    if (shape.site != nullptr) {
      const std::size_t arguments = fixed_length(shape.site->declared.arguments);
      const bool has_texts = arguments == 0 && !shape.site->declared.arguments.empty();
      shape.length = has_texts ? 0 : sizeof(trace::SiteNumber) + arguments;
    }
  }
  return shape;
}

std::size_t RecordLengths::of_fields(std::uint16_t id, std::span<const std::byte> rest) {
  if (id < known_ids) {
    const Shape& shape = shape_of(id);
    if (shape.row == nullptr) return rest.size();
    if (shape.length != 0) return std::min(shape.length, rest.size());
    return trace::packed_length(shape.row->fields(), rest).value_or(rest.size());
  }
  const MessageShape& message = message_shape(id);
  if (message.site == nullptr || rest.size() < sizeof(trace::SiteNumber)) return rest.size();
  if (message.length != 0) return std::min(message.length, rest.size());
  const auto arguments =
      trace::packed_length(message.site->declared.arguments, rest.subspan(sizeof(trace::SiteNumber)));
  return arguments ? sizeof(trace::SiteNumber) + *arguments : rest.size();
}

}  // namespace spool::log
