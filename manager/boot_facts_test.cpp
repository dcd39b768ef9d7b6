// SPDX-License-Identifier: BSD-2-Clause
#include "manager/boot_facts.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "abi/sel4/boot_info.hpp"

namespace lona::manager {
namespace {

class Chunks {
 public:
  Chunks& add(abi::BootInfoId id, std::vector<std::uint32_t> words, std::uint64_t extra = 0) {
    const abi::BootInfoHeader header{.id = static_cast<abi::Word>(id),
                                     .len = sizeof(header) + words.size() * 4 + extra};
    append(&header, sizeof header);
    append(words.data(), words.size() * 4);
    return *this;
  }
  [[nodiscard]] base::ByteView view() const { return bytes_; }

 private:
  void append(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), bytes, bytes + size);
  }
  std::vector<std::byte> bytes_;
};

using enum abi::BootInfoId;

TEST(BootFacts, FindsTheRateAmongOtherChunks) {
  const auto chunks = Chunks().add(kX86MultibootMmap, {1, 2, 3}).add(kX86TscFreq, {2596});
  EXPECT_EQ(tsc_hertz(chunks.view()), 2'596'000'000U);
}

TEST(BootFacts, GivesNothingWhereThereIsNothing) {
  EXPECT_EQ(tsc_hertz({}), std::nullopt);
  EXPECT_EQ(tsc_hertz(Chunks().add(kX86MultibootMmap, {1}).view()), std::nullopt);
  EXPECT_EQ(tsc_hertz(Chunks().add(kX86TscFreq, {0}).view()), std::nullopt);
  EXPECT_EQ(tsc_hertz(Chunks().add(kX86TscFreq, {}).view()), std::nullopt);
}

TEST(BootFacts, AChunkThatIsTooLongEndsTheSearch) {
  const auto chunks = Chunks().add(kPadding, {1}, 1000).add(kX86TscFreq, {2596});
  EXPECT_EQ(tsc_hertz(chunks.view()), std::nullopt);
}

}  // namespace
}  // namespace lona::manager
