// SPDX-License-Identifier: MIT
//
// Any text as a segment's metadata: it is parsed to its end, and every class that comes out of it can be used.
#include <unspool/read/classes.hpp>
#include <unspool/read/tsdl.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  unspool::ClassPool pool;
  unspool::ClassTable table;
  const unspool::Declared declared =
      unspool::parse_tsdl(text, [&](unspool::Declaration&& each, const unspool::Declared& so_far) {
        const std::uint64_t id = each.id;
        const std::uint64_t stream = each.stream;
        const unspool::RecordClass* const made = pool.made_of(std::move(each), so_far.types);
        table.put(id, stream, made);
        unspool::RecordClass::Offsets offsets;
        const auto length = made->length(std::as_bytes(std::span{text}), offsets);
        if (length && *length > text.size()) std::abort();
        if (made->slots.size() != made->members.size()) std::abort();
      });
  return declared.whole && declared.texts.size() > text.size() ? 1 : 0;
}
