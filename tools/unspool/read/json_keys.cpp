// SPDX-License-Identifier: MIT
#include <unspool/read/json_keys.hpp>

#include <cstdlib>

namespace unspool {
namespace {

/// The keys of docs/lines.md that are no field of a single row, by a hash without collisions.
class Keys {
 public:
  Keys() {
    put("time", JsonKey::time);
    put("level", JsonKey::level);
    put("record", JsonKey::record);
    put("process.pid", JsonKey::pid);
    put("thread.id", JsonKey::thread);
    put("thread.name", JsonKey::thread_name);
    put("object.id", JsonKey::object);
    put("object.kind", JsonKey::object_kind);
    put("object.name", JsonKey::object_name);
    put("seq", JsonKey::seq);
    put("site", JsonKey::site);
    put("code.filepath", JsonKey::file);
    put("code.lineno", JsonKey::lineno);
    put("code.function", JsonKey::function);
    put("logger", JsonKey::logger);
    put("body", JsonKey::body);
    put("format", JsonKey::format);
    put("arguments", JsonKey::arguments);
  }
  JsonKey find(std::string_view name) const {
    const Entry& entry = entries_[place(name)];
    return entry.name == name ? entry.key : JsonKey::other;
  }

 private:
  struct Entry {
    std::string_view name;
    JsonKey key = JsonKey::other;
  };
  static std::size_t place(std::string_view name) {
    if (name.empty()) return 0;
    const std::size_t last = static_cast<unsigned char>(name.back());
    const std::size_t middle = static_cast<unsigned char>(name[name.size() / 2]);
    return (name.size() * 5 + last * 3 + middle) % 128;
  }
  void put(std::string_view name, JsonKey key) {
    Entry& entry = entries_[place(name)];
    if (!entry.name.empty()) std::abort();
    entry = {name, key};
  }

  std::array<Entry, 128> entries_{};
};

}  // namespace

JsonKey json_key(std::string_view name) {
  static const Keys keys;
  return keys.find(name);
}

std::string_view schema_name(const trace::Row& row, std::string_view key) {
  if (row.kind != trace::Kind::definition) return key;
  if (key == "process.executable.name") return "program";
  if (key == "host.name") return "host";
  if (key == "process.parent_pid") return "parent_pid";
  if (key == "thread.native_id") return "native_id";
  return key;
}

}  // namespace unspool
