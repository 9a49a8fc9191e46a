// SPDX-License-Identifier: MIT
//
// How the Records of a segment are read: from the number in a Record to its row or message, and to its fields.
// Owns the matching of what a file declares with the schema table; not the bytes.
//
// Readers go by name. A row that the table knows may have more fields at its end than the table has: they are passed
// over. A class that is not known is passed over by its declared fields.
#pragma once

#include <unspool/model/model.hpp>
#include <unspool/read/tsdl.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace unspool {

/// One event class of a file, ready to read its Records. Immutable.
struct RecordClass {
  enum class Shape : std::uint8_t {
    transition,  ///< the 32 bytes of trace::Transition and nothing more
    fields,      ///< a row of the table, read member by member
    message,     ///< a typed message: a site, then its arguments
    unknown,     ///< not in the table: its length is known, its meaning is not
    unreadable,  ///< not even its length is known
  };
  /// Where a member's value goes in a Record.
  enum class Slot : std::uint8_t { none, site, seq, a, b, since, count };

  Shape shape = Shape::unreadable;
  bool sequenced = false;  ///< it has a `seq`
  /// Transitions that a PlainHold may be made of: the fields of a Lock's, or an RLock's, acquire and release.
  bool begins_hold = false;
  bool ends_hold = false;
  const trace::Row* row = nullptr;  ///< none for unknown and unreadable
  const MessageClass* message = nullptr;
  std::vector<Member> members;
  std::vector<Slot> slots;  ///< one a member
  std::string name;

  /// The length of the fields at the front of `bytes`, which stand 8-aligned in the packet; nullopt: they do not fit
  /// into it. `offsets` gets where each member begins.
  using Offsets = std::array<std::uint32_t, Member::most>;
  std::optional<std::size_t> length(std::span<const std::byte> bytes, Offsets& offsets) const;
};

/// The little-endian number in `size` bytes, up to 8.
std::uint64_t unsigned_at(const std::byte* at, std::size_t size);

/// All classes of a trace, each kept once however many segments declare it. Lives as long as the Records that point
/// into it are used.
class ClassPool {
 public:
  /// Valid as long as the pool.
  const RecordClass* made_of(Declaration&& declaration, std::uint64_t types);

 private:
  const MessageClass* message_of(const Declaration& declaration);

  std::unordered_map<std::string, std::unique_ptr<const RecordClass>> classes_;  ///< by types and text
  std::deque<MessageClass> messages_;
};

/// A segment's classes by number and stream class. 8 KB for what spool writes, whatever the numbers.
class ClassTable {
 public:
  void put(std::uint64_t id, std::uint64_t stream, const RecordClass* record_class);
  const RecordClass* find(std::uint32_t stream, std::uint16_t id) const {
    const Page* page = pages_[stream * pages_of_stream + id / page_size].get();
    return page ? (*page)[id % page_size] : nullptr;
  }

 private:
  static constexpr std::size_t page_size = 256;
  static constexpr std::size_t pages_of_stream = 65536 / page_size;
  using Page = std::array<const RecordClass*, page_size>;
  std::array<std::unique_ptr<Page>, 2 * pages_of_stream> pages_;
};

}  // namespace unspool
