// SPDX-License-Identifier: BSD-2-Clause
// ELF64 executables for x86_64, read from bytes that are not trusted: every offset, count and size
// is checked against the file before it is used, and nothing is copied or allocated.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/expected.hpp"

namespace lona::base {

enum class ElfError : std::uint8_t {
  too_short,         // the file ends inside its headers
  not_elf,           // magic, class, byte order or version
  wrong_machine,     // not x86_64, or not an executable at fixed addresses
  bad_header_table,  // program headers of the wrong size, or outside the file
  bad_segment,       // file piece outside the file, larger than its memory, address wraps around
  bad_entry,         // entry point in no executable segment
};

[[nodiscard]] std::string_view describe(ElfError error);

struct ElfSegment {
  std::uint64_t address;  // virtual
  std::uint64_t physical;
  std::uint64_t memory_size;  // bytes beyond the file piece are zero
  std::uint64_t alignment;
  ByteView file;
  bool readable;
  bool writable;
  bool executable;
};

struct ElfSymbol {
  std::string_view name;
  std::uint64_t address;
  std::uint64_t size;
};

class ElfFile {
 public:
  // Checks everything that the accessors below rely on.
  [[nodiscard]] static Expected<ElfFile, ElfError> open(ByteView bytes);

  [[nodiscard]] std::uint64_t entry() const { return entry_; }

  // The next loadable segment of at least one byte, in file order; `cursor` starts at 0.
  [[nodiscard]] std::optional<ElfSegment> next_segment(std::uint32_t& cursor) const;

  // Lowest and one past the highest virtual address of the loadable segments.
  [[nodiscard]] std::uint64_t low() const { return low_; }
  [[nodiscard]] std::uint64_t high() const { return high_; }

  // The function that contains `address`, else the one that starts nearest below it. Names live in
  // the file. A broken or missing symbol table gives nothing.
  [[nodiscard]] std::optional<ElfSymbol> nearest_symbol(std::uint64_t address) const;
  // The function of that name.
  [[nodiscard]] std::optional<ElfSymbol> function_named(std::string_view name) const;

 private:
  struct ProgramHeader;
  struct SectionHeader;
  struct Symbol;

  [[nodiscard]] std::optional<ProgramHeader> program_header(std::uint32_t index) const;
  [[nodiscard]] Expected<void, ElfError> check_segments();
  [[nodiscard]] std::optional<SectionHeader> section_header(std::uint32_t index) const;
  // f(symbol, string table) for each function.
  template <typename F>
  void each_function(F&& f) const;

  ByteView bytes_;
  std::uint64_t entry_ = 0;
  std::uint64_t low_ = 0;
  std::uint64_t high_ = 0;
  std::uint64_t program_headers_ = 0;
  std::uint64_t section_headers_ = 0;
  std::uint16_t program_header_count_ = 0;
  std::uint16_t section_header_count_ = 0;
};

}  // namespace lona::base
