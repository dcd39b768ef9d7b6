// SPDX-License-Identifier: BSD-2-Clause
#include "base/elf.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace lona::base {
namespace {

// A small executable: headers, one RX and one RW segment, a symbol table with two functions.
class Image {
 public:
  static constexpr std::size_t kSegments = 64;
  static constexpr std::size_t kSections = 64 + 2 * 56;
  static constexpr std::size_t kSymbols = kSections + 2 * 64;
  static constexpr std::size_t kStrings = kSymbols + 2 * 24;
  static constexpr std::size_t kCode = kStrings + 16;

  Image() : bytes(kCode + 16) {
    const unsigned char ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    for (std::size_t at = 0; at < sizeof ident; ++at) {
      bytes[at] = std::byte{ident[at]};
    }
    put<std::uint16_t>(16, 2);   // ET_EXEC
    put<std::uint16_t>(18, 62);  // x86-64
    put<std::uint32_t>(20, 1);
    put<std::uint64_t>(24, 0x400004);  // entry
    put<std::uint64_t>(32, kSegments);
    put<std::uint64_t>(40, kSections);
    put<std::uint16_t>(52, 64);
    put<std::uint16_t>(54, 56);
    put<std::uint16_t>(56, 2);
    put<std::uint16_t>(58, 64);
    put<std::uint16_t>(60, 2);
    segment(0, 5, kCode, 0x400000, 16, 16);
    segment(1, 6, kCode, 0x600000, 8, 0x2000);
    section(0, 2, kSymbols, 48, 1);
    section(1, 3, kStrings, 16, 0);
    symbol(0, 1, 0x400000, 4);
    symbol(1, 7, 0x400008, 4);
    const char names[] = "\0first\0other\0";
    for (std::size_t at = 0; at < sizeof names; ++at) {
      put<char>(kStrings + at, names[at]);
    }
  }

  template <typename T>
  void put(std::size_t at, T value) {
    std::memcpy(&bytes[at], &value, sizeof value);
  }

  [[nodiscard]] Expected<ElfFile, ElfError> open() const { return ElfFile::open(bytes); }

  std::vector<std::byte> bytes;

 private:
  void segment(std::size_t index, std::uint32_t flags, std::uint64_t offset, std::uint64_t address,
               std::uint64_t file_size, std::uint64_t memory_size) {
    const std::size_t at = kSegments + index * 56;
    put<std::uint32_t>(at, 1);
    put<std::uint32_t>(at + 4, flags);
    put<std::uint64_t>(at + 8, offset);
    put<std::uint64_t>(at + 16, address);
    put<std::uint64_t>(at + 24, address);
    put<std::uint64_t>(at + 32, file_size);
    put<std::uint64_t>(at + 40, memory_size);
    put<std::uint64_t>(at + 48, 4096);
  }
  void section(std::size_t index, std::uint32_t type, std::uint64_t offset, std::uint64_t size,
               std::uint32_t link) {
    const std::size_t at = kSections + index * 64;
    put<std::uint32_t>(at + 4, type);
    put<std::uint64_t>(at + 24, offset);
    put<std::uint64_t>(at + 32, size);
    put<std::uint32_t>(at + 40, link);
  }
  void symbol(std::size_t index, std::uint32_t name, std::uint64_t value, std::uint64_t size) {
    const std::size_t at = kSymbols + index * 24;
    put<std::uint32_t>(at, name);
    put<std::uint8_t>(at + 4, 2);
    put<std::uint64_t>(at + 8, value);
    put<std::uint64_t>(at + 16, size);
  }
};

TEST(Elf, ReadsSegmentsAndSymbols) {
  const Image image;
  const auto file = image.open();
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->entry(), 0x400004U);
  EXPECT_EQ(file->low(), 0x400000U);
  EXPECT_EQ(file->high(), 0x602000U);
  std::uint32_t cursor = 0;
  const auto code = file->next_segment(cursor);
  ASSERT_TRUE(code.has_value());
  EXPECT_TRUE(code->executable && code->readable && !code->writable);
  const auto data = file->next_segment(cursor);
  ASSERT_TRUE(data.has_value());
  EXPECT_EQ(data->file.size(), 8U);
  EXPECT_EQ(data->memory_size, 0x2000U);
  EXPECT_FALSE(file->next_segment(cursor).has_value());
  EXPECT_EQ(file->nearest_symbol(0x400003)->name, "first");
  EXPECT_EQ(file->nearest_symbol(0x400009)->name, "other");
  EXPECT_FALSE(file->nearest_symbol(0x3fffff).has_value());
  EXPECT_EQ(file->function_named("other")->address, file->nearest_symbol(0x400009)->address);
  EXPECT_FALSE(file->function_named("oth").has_value());
}

TEST(Elf, RefusesWhatIsNotAnExecutableOfThisMachine) {
  EXPECT_EQ(ElfFile::open({}).error(), ElfError::too_short);
  Image magic;
  magic.put<char>(0, 'x');
  EXPECT_EQ(magic.open().error(), ElfError::not_elf);
  Image machine;
  machine.put<std::uint16_t>(18, 183);
  EXPECT_EQ(machine.open().error(), ElfError::wrong_machine);
  Image shared;
  shared.put<std::uint16_t>(16, 3);
  EXPECT_EQ(shared.open().error(), ElfError::wrong_machine);
}

TEST(Elf, RefusesTablesAndSegmentsOutsideTheFile) {
  Image table;
  table.put<std::uint64_t>(32, ~0ULL - 8);
  EXPECT_EQ(table.open().error(), ElfError::bad_header_table);
  Image count;
  count.put<std::uint16_t>(56, 0xffff);
  EXPECT_EQ(count.open().error(), ElfError::bad_header_table);
  Image offset;
  offset.put<std::uint64_t>(Image::kSegments + 8, ~0ULL);
  EXPECT_EQ(offset.open().error(), ElfError::bad_segment);
  Image wrap;
  wrap.put<std::uint64_t>(Image::kSegments + 16, ~0ULL - 4);
  EXPECT_EQ(wrap.open().error(), ElfError::bad_segment);
  Image small;
  small.put<std::uint64_t>(Image::kSegments + 40, 4);
  EXPECT_EQ(small.open().error(), ElfError::bad_segment);
}

TEST(Elf, RefusesAnEntryOutsideTheCode) {
  Image image;
  image.put<std::uint64_t>(24, 0x600000);
  EXPECT_EQ(image.open().error(), ElfError::bad_entry);
}

TEST(Elf, SurvivesAnyBytes) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 20000; ++round) {
    Image image;
    for (int change = 0; change < 3; ++change) {
      const auto at = random() % image.bytes.size();
      image.bytes[at] = static_cast<std::byte>(random() % 4 == 0 ? 0xff : random());
    }
    image.bytes.resize(image.bytes.size() - random() % 20);
    // A copy of the exact size lets the sanitizer see a read beyond the end.
    const std::vector<std::byte> exact(image.bytes);
    if (const auto file = ElfFile::open(exact)) {
      std::uint32_t cursor = 0;
      while (const auto segment = file->next_segment(cursor)) {
        EXPECT_LE(segment->file.size(), exact.size());
        EXPECT_LE(segment->file.size(), segment->memory_size);
      }
      (void)file->nearest_symbol(0x400009);
      (void)file->function_named("other");
    }
  }
}

}  // namespace
}  // namespace lona::base
