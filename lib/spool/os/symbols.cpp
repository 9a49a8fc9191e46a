// SPDX-License-Identifier: MIT
#include <spool/os/symbols.hpp>

#include <cstdlib>
#include <filesystem>
#include <span>

#include <cxxabi.h>

#if defined(SPOOL_HAS_LIBDW)
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include <dwarf.h>
#include <unistd.h>
#else
#include <dlfcn.h>
#endif

namespace spool::os {
namespace {

struct Free {
  void operator()(void* memory) const noexcept { std::free(memory); }  // NOLINT: malloc'ed by a C library
};
template <class T>
using Malloced = std::unique_ptr<T, Free>;

std::string demangled(const char* name) {
  if (name == nullptr) return {};
  int status = 0;
  const Malloced<char> plain{abi::__cxa_demangle(name, nullptr, nullptr, &status)};
  return status == 0 && plain != nullptr ? plain.get() : name;
}

std::string text_of(const char* text) {
  return text == nullptr ? std::string{} : text;
}

}  // namespace

#if defined(SPOOL_HAS_LIBDW)

namespace {

/// Only what lies on this machine: the standard callback may ask a server on the network.
constexpr Dwfl_Callbacks callbacks{.find_elf = &dwfl_linux_proc_find_elf,
                                   .find_debuginfo = &dwfl_build_id_find_debuginfo,
                                   .section_address = nullptr,
                                   .debuginfo_path = nullptr};

/// Without detours: clang puts "../../src/server.cpp" behind the directory that it was called in.
std::string path_of(const char* path) {
  return std::filesystem::path{text_of(path)}.lexically_normal().string();
}

/// Of an inlined or a member function what the source declares.
Dwarf_Die declaration_of(Dwarf_Die die) {
  constexpr int most_steps = 4;
  for (int i = 0; i < most_steps; ++i) {
    Dwarf_Attribute attribute;
    Dwarf_Attribute* leads = dwarf_attr(&die, DW_AT_abstract_origin, &attribute);
    if (leads == nullptr) leads = dwarf_attr(&die, DW_AT_specification, &attribute);
    if (leads == nullptr || dwarf_formref_die(leads, &die) == nullptr) break;
  }
  return die;
}

/// "bank::(anonymous namespace)::transfer": where there is no linkage name, from the scopes around the declaration.
std::string qualified(Dwarf_Die& die) {
  Dwarf_Die declaration = declaration_of(die);
  std::string name = text_of(dwarf_diename(&declaration));
  if (name.empty()) return name;
  Dwarf_Die* around = nullptr;
  const int count = dwarf_getscopes_die(&declaration, &around);
  const Malloced<Dwarf_Die> kept{around};
  for (int i = 1; i < count; ++i) {
    const int tag = dwarf_tag(&around[i]);
    const bool is_named =
        tag == DW_TAG_namespace || tag == DW_TAG_class_type || tag == DW_TAG_structure_type || tag == DW_TAG_subprogram;
    if (!is_named) continue;
    const char* const outer = dwarf_diename(&around[i]);
    const char* const nameless = tag == DW_TAG_namespace ? "(anonymous namespace)" : "{lambda}";
    name.insert(0, std::string{outer == nullptr ? nameless : outer} + "::");
  }
  return name;
}

std::string linkage_name_of(Dwarf_Die& die) {
  for (const unsigned int each : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
    Dwarf_Attribute attribute;
    if (const char* name = dwarf_formstring(dwarf_attr_integrate(&die, each, &attribute))) return demangled(name);
  }
  return {};
}

bool is_function(Dwarf_Die& die) {
  const int tag = dwarf_tag(&die);
  return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_subprogram || tag == DW_TAG_entry_point;
}

/// Where the function that was put here is called.
SourceLine call_of(Dwarf_Die& inlined, Dwarf_Files* files) {
  const auto number = [&](unsigned int which) -> Dwarf_Word {
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    return dwarf_formudata(dwarf_attr(&inlined, which, &attribute), &value) == 0 ? value : 0;
  };
  return {{},
          path_of(dwarf_filesrc(files, number(DW_AT_call_file), nullptr, nullptr)),
          static_cast<std::uint32_t>(number(DW_AT_call_line))};
}

/// The compilation unit of an address. clang leaves out the table that says which one it is (.debug_aranges): then each
/// is asked.
Dwarf_Die* unit_of(Dwfl_Module* module, Dwarf_Addr address, Dwarf_Addr& bias) {
  if (Dwarf_Die* const unit = dwfl_module_addrdie(module, address, &bias)) return unit;
  Dwarf_Die* unit = nullptr;
  while ((unit = dwfl_module_nextcu(module, unit, &bias)) != nullptr) {
    if (dwarf_haspc(unit, address - bias) == 1) return unit;
  }
  return nullptr;
}

/// The functions around an address, innermost first, up to the one that is not inlined.
Malloced<Dwarf_Die> scopes_of(Dwarf_Die* unit, Dwarf_Addr address, std::span<Dwarf_Die>& scopes) {
  Dwarf_Die* innermost = nullptr;
  const int found = dwarf_getscopes(unit, address, &innermost);
  const Malloced<Dwarf_Die> first{innermost};
  if (found <= 0) return nullptr;
  Dwarf_Die* around = nullptr;  // dwarf_getscopes itself leaves an inlined function for the place of its declaration
  const int count = dwarf_getscopes_die(first.get(), &around);
  Malloced<Dwarf_Die> all{around};
  if (count > 0) scopes = {all.get(), static_cast<std::size_t>(count)};
  return all;
}

}  // namespace

struct Symbols::Loaded {
  Loaded() : session{dwfl_begin(&callbacks)} { report(); }
  ~Loaded() { dwfl_end(session); }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;

  void report() const {
    if (session == nullptr) return;
    dwfl_report_begin_add(session);
    (void)dwfl_linux_proc_report(session, getpid());
    (void)dwfl_report_end(session, nullptr, nullptr);
  }

  /// What was loaded meanwhile is looked for again.
  Dwfl_Module* module(CodeAddress address) const {
    if (session == nullptr) return nullptr;
    if (Dwfl_Module* known = dwfl_addrmodule(session, address)) return known;
    report();
    return dwfl_addrmodule(session, address);
  }

  Dwfl* session;
};

std::vector<SourceLine> Symbols::lines_of(CodeAddress address) {
  if (loaded_ == nullptr) loaded_ = std::make_unique<Loaded>();
  Dwfl_Module* const module = loaded_->module(address);
  if (module == nullptr) return {};
  SourceLine line{demangled(dwfl_module_addrname(module, address)), {}, 0};
  Dwarf_Addr bias = 0;
  Dwarf_Die* const unit = unit_of(module, address, bias);
  if (Dwarf_Line* source = unit == nullptr ? nullptr : dwarf_getsrc_die(unit, address - bias)) {
    int number = 0;
    (void)dwarf_lineno(source, &number);
    line.file = path_of(dwarf_linesrc(source, nullptr, nullptr));
    line.line = static_cast<std::uint32_t>(number);
  }
  std::vector<SourceLine> lines;
  std::span<Dwarf_Die> scopes;
  const Malloced<Dwarf_Die> kept = unit == nullptr ? nullptr : scopes_of(unit, address - bias, scopes);
  Dwarf_Files* files = nullptr;
  if (unit == nullptr || dwarf_getsrcfiles(unit, &files, nullptr) != 0) scopes = {};
  for (Dwarf_Die& scope : scopes) {
    if (!is_function(scope)) continue;
    const bool is_inlined = dwarf_tag(&scope) == DW_TAG_inlined_subroutine;
    std::string function = linkage_name_of(scope);
    // Where lines are all that there is, the symbol knows the scopes around a name.
    if (function.empty() && (is_inlined || line.function.empty())) function = qualified(scope);
    if (!function.empty()) line.function = std::move(function);
    if (!is_inlined) break;
    lines.push_back(std::move(line));
    line = call_of(scope, files);
  }
  if (!line.function.empty() || !line.file.empty()) lines.push_back(std::move(line));
  return lines;
}

#else

struct Symbols::Loaded {};

std::vector<SourceLine> Symbols::lines_of(CodeAddress address) {
  Dl_info about{};
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address
  if (dladdr(reinterpret_cast<void*>(address), &about) == 0 || about.dli_sname == nullptr) return {};
  return {{demangled(about.dli_sname), {}, 0}};
}

#endif

Symbols::Symbols() = default;
Symbols::~Symbols() = default;

}  // namespace spool::os
