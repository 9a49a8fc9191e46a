// SPDX-License-Identifier: MIT
#include <spool/os/call_stack.hpp>

#include <array>
#include <climits>

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>
#include <unwind.h>

namespace spool::os {
namespace {

struct Walk {
  std::span<CodeAddress> into;
  std::size_t count = 0;
  bool own = true;  ///< the next frame is call_stack itself
};

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* walking) {
  Walk& walk = *static_cast<Walk*>(walking);
  if (walk.own) {
    walk.own = false;
    return _URC_NO_REASON;
  }
  int interrupted = 0;  // the frame below a signal handler's: its address is no return address
  const CodeAddress address = _Unwind_GetIPInfo(context, &interrupted);
  if (address == 0 || walk.count == walk.into.size()) return _URC_END_OF_STACK;
  walk.into[walk.count++] = interrupted != 0 ? address : address - 1;
  return _URC_NO_REASON;
}

/// Of the executable the dynamic linker keeps no path.
std::string_view executable() noexcept {
  static const auto path = [] {
    std::array<char, PATH_MAX> made{};
    (void)readlink("/proc/self/exe", made.data(), made.size() - 1);
    return made;
  }();
  return path.data();
}

}  // namespace

std::size_t call_stack(std::span<CodeAddress> into) noexcept {
  Walk walk{.into = into};
  _Unwind_Backtrace(&take_frame, &walk);
  return walk.count;
}

CodePlace place_of(CodeAddress address) noexcept {
  // dladdr would take the dynamic linker's lock, which a library that is just being loaded holds over its initializers.
  dl_find_object found{};
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address
  if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) return {{}, address};
  const char* const name = found.dlfo_link_map->l_name;
  const bool is_executable = name == nullptr || *name == '\0';
  return {is_executable ? executable() : std::string_view{name}, address - found.dlfo_link_map->l_addr};
}

}  // namespace spool::os
