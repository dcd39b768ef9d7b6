// SPDX-License-Identifier: BSD-2-Clause
#include "base/elf.hpp"

#include <algorithm>

namespace lona::base {

namespace {

// System V ABI, chapter 4 and 5; AMD64 supplement for the machine number.
struct FileHeader {
  std::uint8_t ident[16];
  std::uint16_t type;
  std::uint16_t machine;
  std::uint32_t version;
  std::uint64_t entry;
  std::uint64_t program_headers;
  std::uint64_t section_headers;
  std::uint32_t flags;
  std::uint16_t header_size;
  std::uint16_t program_header_size;
  std::uint16_t program_header_count;
  std::uint16_t section_header_size;
  std::uint16_t section_header_count;
  std::uint16_t section_names;
};
static_assert(sizeof(FileHeader) == 64);

constexpr std::uint8_t kMagic[] = {0x7f, 'E', 'L', 'F'};
constexpr std::uint8_t kClass64 = 2;
constexpr std::uint8_t kLittleEndian = 1;
constexpr std::uint16_t kTypeExecutable = 2;
constexpr std::uint16_t kMachineX86_64 = 62;
constexpr std::uint32_t kLoad = 1;
constexpr std::uint32_t kFlagExecute = 1;
constexpr std::uint32_t kFlagWrite = 2;
constexpr std::uint32_t kFlagRead = 4;
constexpr std::uint32_t kSectionSymbols = 2;
constexpr std::uint8_t kSymbolFunction = 2;

bool is_elf64(const FileHeader& header) {
  return std::equal(std::begin(kMagic), std::end(kMagic), header.ident) &&
         header.ident[4] == kClass64 && header.ident[5] == kLittleEndian && header.ident[6] == 1;
}

}  // namespace

struct ElfFile::ProgramHeader {
  std::uint32_t type;
  std::uint32_t flags;
  std::uint64_t offset;
  std::uint64_t address;
  std::uint64_t physical;
  std::uint64_t file_size;
  std::uint64_t memory_size;
  std::uint64_t alignment;
};

struct ElfFile::SectionHeader {
  std::uint32_t name;
  std::uint32_t type;
  std::uint64_t flags;
  std::uint64_t address;
  std::uint64_t offset;
  std::uint64_t size;
  std::uint32_t link;
  std::uint32_t info;
  std::uint64_t alignment;
  std::uint64_t entry_size;
};

struct ElfFile::Symbol {
  std::uint32_t name;
  std::uint8_t info;
  std::uint8_t other;
  std::uint16_t section;
  std::uint64_t value;
  std::uint64_t size;
};

std::string_view describe(ElfError error) {
  switch (error) {
    case ElfError::too_short:
      return "the file ends inside its headers";
    case ElfError::not_elf:
      return "not a 64-bit little-endian ELF file";
    case ElfError::wrong_machine:
      return "not an x86_64 executable with fixed addresses";
    case ElfError::bad_header_table:
      return "the program header table is malformed";
    case ElfError::bad_segment:
      return "a segment lies outside the file or the address space";
    case ElfError::bad_entry:
      return "the entry point is in no executable segment";
  }
  return "unknown error";
}

Expected<ElfFile, ElfError> ElfFile::open(ByteView bytes) {
  const auto header = read_at<FileHeader>(bytes, 0);
  if (!header) {
    return fail(ElfError::too_short);
  }
  if (!is_elf64(*header)) {
    return fail(ElfError::not_elf);
  }
  if (header->type != kTypeExecutable || header->machine != kMachineX86_64) {
    return fail(ElfError::wrong_machine);
  }
  const std::uint64_t table = std::uint64_t{header->program_header_count} * sizeof(ProgramHeader);
  if (header->program_header_size != sizeof(ProgramHeader) || header->program_header_count == 0 ||
      !piece(bytes, header->program_headers, table)) {
    return fail(ElfError::bad_header_table);
  }
  ElfFile file;
  file.bytes_ = bytes;
  file.entry_ = header->entry;
  file.program_headers_ = header->program_headers;
  file.program_header_count_ = header->program_header_count;
  if (header->section_header_size == sizeof(SectionHeader)) {
    file.section_headers_ = header->section_headers;
    file.section_header_count_ = header->section_header_count;
  }
  if (const auto checked = file.check_segments(); !checked) {
    return fail(checked.error());
  }
  return file;
}

Expected<void, ElfError> ElfFile::check_segments() {
  low_ = ~std::uint64_t{0};
  bool entry_found = false;
  for (std::uint32_t index = 0; index < program_header_count_; ++index) {
    const auto header = program_header(index);
    if (!header) {
      return fail(ElfError::bad_header_table);
    }
    if (header->type != kLoad || header->memory_size == 0) {
      continue;
    }
    const auto end = checked_add<std::uint64_t>(header->address, header->memory_size);
    const auto physical_end = checked_add<std::uint64_t>(header->physical, header->memory_size);
    if (!end || !physical_end || header->file_size > header->memory_size ||
        !piece(bytes_, header->offset, header->file_size)) {
      return fail(ElfError::bad_segment);
    }
    low_ = std::min(low_, header->address);
    high_ = std::max(high_, *end);
    entry_found = entry_found || ((header->flags & kFlagExecute) != 0 &&
                                  entry_ >= header->address && entry_ < *end);
  }
  if (!entry_found) {
    return fail(ElfError::bad_entry);
  }
  return {};
}

std::optional<ElfFile::ProgramHeader> ElfFile::program_header(std::uint32_t index) const {
  return read_at<ProgramHeader>(bytes_, program_headers_ + index * sizeof(ProgramHeader));
}

std::optional<ElfFile::SectionHeader> ElfFile::section_header(std::uint32_t index) const {
  const auto offset = checked_add<std::uint64_t>(section_headers_, index * sizeof(SectionHeader));
  if (!offset) {
    return std::nullopt;
  }
  return read_at<SectionHeader>(bytes_, *offset);
}

std::optional<ElfSegment> ElfFile::next_segment(std::uint32_t& cursor) const {
  while (cursor < program_header_count_) {
    const auto header = program_header(cursor++);
    if (!header || header->type != kLoad || header->memory_size == 0) {
      continue;
    }
    const auto file = piece(bytes_, header->offset, header->file_size);
    if (!file) {
      continue;
    }
    return ElfSegment{
        .address = header->address,
        .physical = header->physical,
        .memory_size = header->memory_size,
        .alignment = header->alignment,
        .file = *file,
        .readable = (header->flags & kFlagRead) != 0,
        .writable = (header->flags & kFlagWrite) != 0,
        .executable = (header->flags & kFlagExecute) != 0,
    };
  }
  return std::nullopt;
}

namespace {

std::optional<std::string_view> text_at(ByteView strings, std::uint64_t offset) {
  if (offset >= strings.size()) {
    return std::nullopt;
  }
  const auto rest = as_text(strings.subspan(offset));
  const auto length = rest.find('\0');
  if (length == std::string_view::npos || length == 0) {
    return std::nullopt;
  }
  return rest.substr(0, length);
}

}  // namespace

template <typename F>
void ElfFile::each_function(F&& f) const {
  for (std::uint32_t index = 0; index < section_header_count_; ++index) {
    const auto table = section_header(index);
    if (!table || table->type != kSectionSymbols) {
      continue;
    }
    const auto names = section_header(table->link);
    const auto symbols = piece(bytes_, table->offset, table->size);
    const auto strings = names ? piece(bytes_, names->offset, names->size) : std::nullopt;
    if (!symbols || !strings) {
      continue;
    }
    for (std::uint64_t at = 0; at + sizeof(Symbol) <= symbols->size(); at += sizeof(Symbol)) {
      const auto symbol = *read_at<Symbol>(*symbols, at);
      if ((symbol.info & 0xf) == kSymbolFunction) {
        f(symbol, *strings);
      }
    }
  }
}

std::optional<ElfSymbol> ElfFile::nearest_symbol(std::uint64_t address) const {
  std::optional<ElfSymbol> best;
  each_function([&](const Symbol& symbol, ByteView strings) {
    if (symbol.value > address || (best && symbol.value < best->address)) {
      return;
    }
    if (const auto name = text_at(strings, symbol.name)) {
      best = ElfSymbol{.name = *name, .address = symbol.value, .size = symbol.size};
    }
  });
  return best;
}

std::optional<ElfSymbol> ElfFile::function_named(std::string_view wanted) const {
  std::optional<ElfSymbol> found;
  each_function([&](const Symbol& symbol, ByteView strings) {
    const auto name = text_at(strings, symbol.name);
    if (name && *name == wanted) {
      found = ElfSymbol{.name = *name, .address = symbol.value, .size = symbol.size};
    }
  });
  return found;
}

}  // namespace lona::base
