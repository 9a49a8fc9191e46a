// SPDX-License-Identifier: MIT
//
// How long a Record is, told by its id and its bytes: whoever walks a packet in the process itself needs it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace spool::log {

struct MessageSite;

/// Thread-bound.
class RecordLengths {
 public:
  /// Of the fields behind a Record's header. `rest` is what there is of them and of all that follows: never more than
  /// that, and all of it where the id is not known.
  std::size_t of_fields(std::uint16_t id, std::span<const std::byte> rest);

 private:
  /// Of a message class.
  struct MessageShape {
    const MessageSite* site = nullptr;
    std::size_t length = 0;  ///< 0: it has texts
  };
  const MessageShape& message_shape(std::uint16_t id);

  std::vector<MessageShape> messages_;  ///< by class
};

}  // namespace spool::log
