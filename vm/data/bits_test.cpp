// SPDX-License-Identifier: BSD-2-Clause
// Fields at any bit against a model that handles one bit at a time; binaries and their blocks.
#include "vm/data/bits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "vm/data/pool.hpp"
#include "vm/data/string.hpp"
#include "vm/heap/arena.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/hash.hpp"

namespace lona::vm {
namespace {

// A block with eight readable bytes in front, as objects have them.
struct Padded {
  std::vector<std::uint8_t> all;
  explicit Padded(std::size_t size) : all(size + 8) {}
  std::uint8_t* bytes() { return all.data() + 8; }
  bool bit(std::size_t at) { return (bytes()[at / 8] >> (7 - at % 8) & 1) != 0; }
};

TEST(Bits, fields_agree_with_a_model_of_single_bits) {
  std::mt19937_64 random(7);
  Arena heap;
  for (int round = 0; round < 20'000; round++) {
    Padded p(16);
    std::size_t bits = random() % 60 + 1, at = random() % (128 - bits);
    FieldType type{.little = random() % 2 == 0, .is_signed = random() % 2 == 0};
    auto value = static_cast<std::int64_t>(random()) >> (64 - bits);
    if (!type.is_signed) value &= (std::int64_t{1} << bits) - 1;
    ASSERT_TRUE(write_field(heap, p.bytes(), at, bits, type, Term::integer(value)));
    std::uint64_t model = 0;
    for (std::size_t i = 0; i < bits; i++) {
      // Which bit of the number is the i-th of the field?
      std::size_t place = bits - 1 - i;
      if (type.little) {
        std::size_t byte = i / 8, in_byte = std::min<std::size_t>(8, bits - 8 * byte);
        place = 8 * byte + in_byte - 1 - i % 8;
      }
      model |= std::uint64_t{p.bit(at + i)} << place;
    }
    ASSERT_EQ(model, static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << bits) - 1));
    for (std::size_t i = 0; i < 128; i++) ASSERT_TRUE((i >= at && i < at + bits) || !p.bit(i));
    ASSERT_EQ(read_field(heap, p.bytes(), at, bits, type), Term::integer(value));
  }
}

TEST(Bits, copies_begin_and_end_within_bytes) {
  std::mt19937_64 random(8);
  for (int round = 0; round < 5'000; round++) {
    Padded from(12), to(24);
    for (std::size_t i = 0; i < 12; i++) from.bytes()[i] = static_cast<std::uint8_t>(random());
    std::size_t bits = random() % 96, at = random() % 64;
    copy_bits(to.bytes(), at, from.bytes(), bits);
    for (std::size_t i = 0; i < 24 * 8; i++) {
      ASSERT_EQ(to.bit(i), i >= at && i < at + bits && from.bit(i - at));
    }
  }
}

TEST(Binary, pieces_share_the_block_from_64_bytes_on) {
  Arena heap;
  NewBinary b = allocate_binary(heap, 200);
  for (int i = 0; i < 200; i++) b.bytes[i] = static_cast<std::uint8_t>(i);
  Term large = binary_slice(heap, b.term, 10, 10 + kPoolBytes);
  Term small = binary_slice(heap, b.term, 10, 9 + kPoolBytes);
  EXPECT_EQ(binary_data(large), b.bytes + 10);
  EXPECT_TRUE(is_kind(small, Kind::kBinary));
  EXPECT_TRUE(equal(binary_slice(heap, large, 0, kPoolBytes - 1), small));
  EXPECT_EQ(hash_term(large), hash_term(make_binary(heap, binary_bytes(large))));
}

TEST(Binary, only_the_value_that_ends_a_block_grows_in_place) {
  Arena heap;
  Term base = make_binary(heap, std::vector<std::uint8_t>(100, 1));
  NewBinary first = binary_extend(heap, base, 1);
  first.bytes[0] = 2;
  NewBinary second = binary_extend(heap, first.term, 1);
  second.bytes[0] = 3;
  EXPECT_EQ(binary_data(second.term), binary_data(first.term));
  // The place behind `first` is taken: what is added to it again goes elsewhere.
  NewBinary other = binary_extend(heap, first.term, 1);
  other.bytes[0] = 9;
  EXPECT_NE(binary_data(other.term), binary_data(first.term));
  EXPECT_EQ(binary_data(second.term)[101], 3);
  EXPECT_EQ(binary_data(other.term)[101], 9);
  EXPECT_EQ(binary_size(first.term), 101u);
}

TEST(Text, long_strings_grow_in_place_and_equal_short_ones) {
  Arena heap;
  Term s = make_string(heap, "");
  std::string model;
  for (int i = 0; i < 2'000; i++) {
    NewString next = extend_text(heap, s, 3, 2);
    std::memcpy(next.text, "\xc3\xa9x", 3);
    model += "\xc3\xa9x";
    s = next.term;
    ASSERT_EQ(string_text(s), model);
    ASSERT_EQ(string_count(s), 2u * (i + 1));
  }
  EXPECT_TRUE(is_kind(s, Kind::kText));
  Term flat = make_string(heap, model);
  EXPECT_TRUE(equal(flat, s));
  EXPECT_EQ(hash_term(flat), hash_term(s));
  EXPECT_TRUE(equal(substring(heap, flat, 6, 1998, 1328), substring(heap, s, 6, 1998, 1328)));
}

}  // namespace
}  // namespace lona::vm
