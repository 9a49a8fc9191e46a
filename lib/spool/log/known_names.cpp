// SPDX-License-Identifier: MIT
#include <spool/log/known_names.hpp>
#include <spool/log/packed_bytes.hpp>

#include <atomic>
#include <cstddef>
#include <span>
#include <string_view>

namespace spool::log {
namespace {

using trace::Kind;
using trace::Verb;

/// definition.thread
struct ThreadDefinition {
  explicit ThreadDefinition(std::span<const std::byte> bytes)
      : native_id{take<std::uint32_t>(bytes)},
        creator{take<std::uint32_t>(bytes)},
        daemon{take<std::uint8_t>(bytes) != 0},
        origin{take<std::uint8_t>(bytes)},
        name{take_text(bytes)} {}
  std::uint32_t native_id;
  trace::ThreadNumber creator;
  bool daemon;
  std::uint8_t origin;
  std::string_view name;
};

/// definition.object
struct ObjectDefinition {
  explicit ObjectDefinition(std::span<const std::byte> bytes)
      : site{take<std::uint32_t>(bytes)},
        kind{static_cast<Kind>(take<std::uint8_t>(bytes))},
        parent{take<std::uint64_t>(bytes)},
        name{take_text(bytes)} {}
  trace::SiteNumber site;
  Kind kind;
  trace::ObjectNumber parent;
  std::string_view name;
};

/// definition.site
struct SiteDefinition {
  explicit SiteDefinition(std::span<const std::byte> bytes)
      : number{take<std::uint32_t>(bytes)},
        line{take<std::uint32_t>(bytes)},
        file{take_text(bytes)},
        function{take_text(bytes)} {}
  trace::SiteNumber number;
  std::uint32_t line;
  std::string_view file;
  std::string_view function;
};

Verb verb_of(std::uint16_t id) {
  return static_cast<Verb>(id & 63U);
}

int mode_in(const DrainedRecord& record) {
  return static_cast<int>(record.fields.empty() ? std::byte{0} : record.fields[0]);
}

std::uint64_t long_wait_in(const DrainedRecord& record) {
  std::span<const std::byte> bytes{record.fields};
  return take<std::uint64_t>(bytes);
}

/// A primitive's kind; what the recording says of itself has none.
Kind kind_of(const trace::Row& row) {
  const bool is_ours = row.kind == Kind::status || row.kind == Kind::definition || row.kind == Kind::message;
  return is_ours ? Kind::trace : row.kind;
}

}  // namespace

/// Another number than anybody's before, as a sink may be fed by one feed after another.
void KnownNames::change() {
  static constinit std::atomic<std::uint64_t> last{0};
  version_ = last.fetch_add(1, std::memory_order_relaxed) + 1;  // relaxed: only to be another number
}

void KnownNames::clear() {
  threads_.clear();
  sites_.clear();
  objects_.clear();
  ended_.clear();
  modes_.clear();
  long_wait_ = 0;
  change();
}

bool KnownNames::is_news(const DrainedRecord& definition) const {
  switch (verb_of(definition.id)) {
    case Verb::thread: {
      const ThreadDefinition now{definition.fields};
      const KnownThread* known = threads_.find(static_cast<trace::ThreadNumber>(definition.object));
      return known == nullptr || known->name != now.name || known->native_id != now.native_id ||
             known->daemon != now.daemon;
    }
    case Verb::site:
      return sites_.find(SiteDefinition{definition.fields}.number) == nullptr;
    case Verb::object:
      return wants_objects_ && objects_.find(definition.object) == nullptr;
    case Verb::mode:
      return wants_objects_ && mode_of(definition.object) != mode_in(definition);
    case Verb::wait:
      return wants_objects_ && long_wait_ != long_wait_in(definition);
    default:
      return false;  // the clock's: the times tell it
  }
}

void KnownNames::learn(const DrainedRecord& definition) {
  switch (verb_of(definition.id)) {
    case Verb::thread: {
      const ThreadDefinition now{definition.fields};
      if (!is_news(definition)) return;
      threads_.set(static_cast<trace::ThreadNumber>(definition.object),
                   {std::string{now.name}, now.native_id, now.daemon});
      return change();
    }
    case Verb::site: {
      const SiteDefinition now{definition.fields};
      if (sites_.find(now.number) != nullptr) return;
      sites_.set(now.number, {std::string{now.file}, std::string{now.function}, now.line});
      return change();
    }
    case Verb::object: {
      const ObjectDefinition now{definition.fields};
      if (!wants_objects_) return;
      const KnownObject* const known = objects_.find(definition.object);
      if (known != nullptr && known->name == now.name && known->kind == now.kind) return;
      objects_.set(definition.object, {std::string{now.name}, now.kind});
      return change();
    }
    case Verb::mode:
      return learn_mode(definition);
    case Verb::wait:
      long_wait_ = long_wait_in(definition);
      return;
    default:
      return;
  }
}

int KnownNames::mode_of(trace::ObjectNumber object) const {
  const auto found = modes_.find(object);
  return found == modes_.end() ? -1 : found->second;
}

/// Objects may come and go without end; what is forgotten is told once more than needed.
void KnownNames::learn_mode(const DrainedRecord& definition) {
  constexpr std::size_t most = 1024;
  if (modes_.size() >= most && !modes_.contains(definition.object)) {
    std::erase_if(modes_, [](const auto& each) { return each.first != 0; });
  }
  modes_.insert_or_assign(definition.object, mode_in(definition));
}

/// A join of an ended thread still names it; the last thousand are enough for that.
void KnownNames::forget_ended(const DrainedRecord& record) {
  constexpr std::size_t remembered = 1024;
  constexpr std::uint16_t end = trace::record_id(Kind::thread, Verb::end);
  if (record.id == end) {
    ended_.push_back(record.thread);
    if (ended_.size() <= remembered) return;
    threads_.erase(ended_.front());
    ended_.pop_front();
    change();
  } else if (record.id < trace::first_message_class && verb_of(record.id) == Verb::destroy) {
    objects_.erase(record.object);
    change();
  }
}

void KnownNames::put_names(trace::NamedRecord& record) const {
  record.names = version_;
  if (const KnownThread* known = threads_.find(record.thread); known != nullptr && record.thread != 0) {
    record.thread_name = known->name;
    record.native_id = known->native_id;
    record.daemon = known->daemon;
  }
  if (record.site != 0) {
    if (const KnownSite* known = sites_.find(record.site)) {
      record.file = known->file;
      record.function = known->function;
      record.line = known->line;
    }
  }
  if (record.object == 0 || record.row->kind == Kind::definition) return;
  if (trace::is_thread(record.object)) {
    record.object_kind = Kind::thread;
    const KnownThread* known = threads_.find(static_cast<trace::ThreadNumber>(record.object));
    if (known != nullptr) record.object_name = known->name;
  } else if (const KnownObject* known = objects_.find(record.object)) {
    record.object_kind = known->kind;
    record.object_name = known->name;
  } else {
    record.object_kind = kind_of(*record.row);
  }
}

}  // namespace spool::log
