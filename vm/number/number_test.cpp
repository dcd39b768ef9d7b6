// SPDX-License-Identifier: BSD-2-Clause
// Numbers below the language: text and back, rounding, long division, order, no memory.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

#include "vm/heap/arena.hpp"
#include "vm/number/arithmetic.hpp"
#include "vm/number/integer.hpp"
#include "vm/number/rounding.hpp"
#include "vm/number/text.hpp"
#include "vm/printer/printer.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/hash.hpp"

namespace lona::vm {
namespace {

class Numbers : public testing::Test {
 protected:
  Term read(const std::string& text) {
    ReadNumber r = text.starts_with("##") ? read_special_float(arena, text.substr(2))
                                          : read_number(arena, text);
    EXPECT_EQ(r.error, nullptr) << text;
    return r.value;
  }
  std::string show(Term t) {
    std::string out(4096, '\0');
    BufferSink sink(out);
    EXPECT_TRUE(print_number(sink, t));
    return std::string(sink.text());
  }
  std::string show(NumberResult r) { return r.has_value() ? show(*r) : "fault"; }
  // A random integer of up to `words` words, often with long runs of equal bits.
  Term any_integer(unsigned words) {
    std::size_t n = random() % words + 1;
    NewInteger r(arena, n);
    for (std::size_t i = 0; i < n; i++) {
      switch (random() % 4) {
        case 0:
          r.limbs()[i] = 0;
          break;
        case 1:
          r.limbs()[i] = ~Limb{0};
          break;
        default:
          r.limbs()[i] = random();
      }
    }
    return r.finish(random() % 2 == 0);
  }

  Arena arena;
  std::mt19937_64 random{1};
};

TEST_F(Numbers, what_is_printed_reads_back_the_same) {
  for (const char* text : {"0",
                           "-1",
                           "1152921504606846975",
                           "1152921504606846976",
                           "-1152921504606846976",
                           "-1152921504606846977",
                           "340282366920938463463374607431768211456",
                           "-22/7",
                           "1/340282366920938463463374607431768211456",
                           "0.1",
                           "-0.0",
                           "5.0e-324",
                           "1.7976931348623157e308",
                           "100000.0",
                           "123456789012345680000.0",
                           "1.0e22",
                           "##Inf",
                           "##-Inf",
                           "##NaN",
                           "0.1f32",
                           "1.0e-45f32",
                           "3.4028235e38f32",
                           "##Inf32",
                           "0u8",
                           "255u8",
                           "18446744073709551615u64",
                           "-9223372036854775808i64",
                           "-128i8",
                           "2147483647i32"}) {
    EXPECT_EQ(show(read(text)), text);
  }
}

TEST_F(Numbers, literals_have_many_forms) {
  struct {
    const char *text, *value;
  } cases[] = {{"+5", "5"},
               {"007", "7"},
               {"42N", "42"},
               {"0xFF_ff", "65535"},
               {"36rZz", "1295"},
               {"2/4", "1/2"},
               {"-6/3", "-2"},
               {"1e3", "1000.0"},
               {"1E+3", "1000.0"},
               {"12f64", "12.0"},
               {"1_0.2_5", "10.25"},
               {"0.00001e5", "1.0"},
               {"0xFFu32", "255u32"},
               {"-0.0f32", "-0.0f32"},
               {"1e-400", "0.0"},
               {"0e999999999999", "0.0"},
               {"179769313486231580793728971405301e276", "1.7976931348623157e308"}};
  for (auto& c : cases) EXPECT_EQ(show(read(c.text)), c.value) << c.text;
}

// The C library reads and converts correctly too; both must agree on every bit.
TEST_F(Numbers, floats_read_as_the_nearest) {
  for (int i = 0; i < 20000; i++) {
    auto bits = random();
    auto value = std::bit_cast<double>(bits);
    if (!std::isfinite(value)) continue;
    std::string text = show(make_float(arena, value));
    EXPECT_EQ(std::bit_cast<std::uint64_t>(float_value(read(text))), bits) << text;
    EXPECT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    auto single = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (!std::isfinite(single)) continue;
    text = show(make_float32(arena, single));
    EXPECT_EQ(float32_value(read(text)), single) << text;
    EXPECT_EQ(std::strtof(text.c_str(), nullptr), single) << text;
  }
}

TEST_F(Numbers, exact_values_round_to_nearest) {
  for (int i = 0; i < 20000; i++) {
    // A float's exact value gives the float; half way to its neighbour, the even one.
    auto bits = random() & 0x7fff'ffff'ffff'ffff;
    auto value = std::bit_cast<double>(bits), above = std::bit_cast<double>(bits + 1);
    if (!std::isfinite(value) || !std::isfinite(above)) continue;
    Term low = *exact_value(arena, value), high = *exact_value(arena, above);
    EXPECT_EQ(*to_double(arena, low), value);
    Term middle = *number_divide(arena, *number_add(arena, low, high), Term::integer(2));
    EXPECT_EQ(*to_double(arena, middle), bits % 2 == 0 ? value : above);
    Term nudge = *number_divide(arena, *number_subtract(arena, high, low), Term::integer(1 << 30));
    EXPECT_EQ(*to_double(arena, *number_subtract(arena, middle, nudge)), value);
    EXPECT_EQ(*to_double(arena, *number_add(arena, middle, nudge)), above);
    EXPECT_EQ(*number_order(low, make_float(arena, value)), std::partial_ordering::equivalent);
    EXPECT_EQ(*number_order(middle, make_float(arena, value)), std::partial_ordering::greater);
    EXPECT_EQ(*number_order(make_float(arena, above), middle), std::partial_ordering::greater);
  }
}

TEST_F(Numbers, singles_round_once) {
  for (int i = 0; i < 20000; i++) {
    auto bits = static_cast<std::uint32_t>(random()) & 0x7fff'ffff;
    auto value = std::bit_cast<float>(bits), above = std::bit_cast<float>(bits + 1);
    if (!std::isfinite(value) || !std::isfinite(above)) continue;
    Term low = *exact_value(arena, value), high = *exact_value(arena, above);
    Term middle = *number_divide(arena, *number_add(arena, low, high), Term::integer(2));
    EXPECT_EQ(*to_float32(arena, middle), bits % 2 == 0 ? value : above);
    // So little above the middle that an f64 in between would lose it.
    Term nudge = *number_divide(arena, *number_subtract(arena, high, low),
                                *integer_shift(arena, Term::integer(1), 60));
    EXPECT_EQ(*to_float32(arena, *number_add(arena, middle, nudge)), above);
  }
  EXPECT_EQ(*to_float32(arena, *integer_shift(arena, Term::integer(1), 128)),
            std::numeric_limits<float>::infinity());
}

TEST_F(Numbers, quotient_and_remainder_make_the_number_again) {
  for (int i = 0; i < 5000; i++) {
    Term a = any_integer(1 + i % 40), b = any_integer(1 + i % 17);
    if (integer_is_zero(b)) continue;
    Term q = *integer_quotient(arena, a, b), r = *integer_remainder(arena, a, b);
    Term again = *integer_add(arena, *integer_multiply(arena, q, b), r);
    EXPECT_TRUE(equal(again, a)) << show(a) << " / " << show(b);
    Term size_r = *number_negate(arena, r), size_b = b;
    if (!integer_is_negative(r)) size_r = r;
    if (integer_is_negative(b)) size_b = *number_negate(arena, b);
    EXPECT_LT(integer_compare(size_r, size_b), 0);
    EXPECT_TRUE(integer_is_zero(r) || integer_is_negative(r) == integer_is_negative(a));
    Term m = *integer_modulo(arena, a, b);
    EXPECT_TRUE(integer_is_zero(m) || integer_is_negative(m) == integer_is_negative(b));
  }
}

TEST_F(Numbers, digits_of_every_radix_read_back) {
  for (int i = 0; i < 2000; i++) {
    Term a = any_integer(1 + i % 60);
    unsigned radix = 2 + static_cast<unsigned>(i) % 35;
    std::string buffer(integer_text_size(a, radix), '\0');
    std::string_view text = integer_text(a, radix, buffer);
    bool negative = text.starts_with('-');
    EXPECT_TRUE(equal(*integer_parse(arena, text.substr(negative), radix, negative), a));
  }
}

TEST_F(Numbers, bits_obey_their_laws) {
  for (int i = 0; i < 3000; i++) {
    Term a = any_integer(4), b = any_integer(4);
    Term both = *integer_bits(arena, BitOperation::kAnd, a, b);
    Term either = *integer_bits(arena, BitOperation::kOr, a, b);
    Term differ = *integer_bits(arena, BitOperation::kXor, a, b);
    EXPECT_TRUE(equal(*integer_add(arena, both, either), *integer_add(arena, a, b)));
    EXPECT_TRUE(equal(*integer_subtract(arena, either, both), differ));
    auto by = static_cast<std::int64_t>(random() % 300);
    EXPECT_TRUE(equal(*integer_shift(arena, *integer_shift(arena, a, by), -by), a));
    auto bit = random() % 300;
    Term down = *integer_shift(arena, a, -static_cast<std::int64_t>(bit));
    EXPECT_EQ(integer_bit(a, bit), integer_is_odd(down));
  }
}

TEST_F(Numbers, gcd_divides_both_and_leaves_nothing_common) {
  for (int i = 0; i < 2000; i++) {
    Term c = any_integer(3), a = *integer_multiply(arena, any_integer(5), c),
         b = *integer_multiply(arena, any_integer(4), c);
    Term g = *integer_gcd(arena, a, b);
    EXPECT_FALSE(integer_is_negative(g));
    if (integer_is_zero(g)) {
      EXPECT_TRUE(integer_is_zero(a) && integer_is_zero(b));
      continue;
    }
    EXPECT_TRUE(integer_is_zero(*integer_remainder(arena, a, g)));
    EXPECT_TRUE(integer_is_zero(*integer_remainder(arena, b, g)));
    Term rest = *integer_gcd(arena, *integer_quotient(arena, a, g), *integer_quotient(arena, b, g));
    EXPECT_EQ(show(rest), "1");
  }
}

TEST_F(Numbers, equal_numbers_hash_alike_and_compare_as_equal) {
  for (int i = 0; i < 3000; i++) {
    Term a = any_integer(3), b = any_integer(2);
    if (integer_is_zero(b)) continue;
    Term x = *number_divide(arena, a, b), y = *number_divide(arena, a, b);
    EXPECT_TRUE(equal(x, y));
    EXPECT_EQ(hash_term(x), hash_term(y));
    EXPECT_EQ(compare(x, y), 0);
    Term f = make_float(arena, *to_double(arena, x));
    EXPECT_FALSE(equal(x, f));
    EXPECT_NE(compare(x, f), 0);
    EXPECT_EQ(compare(x, f) < 0, compare(f, x) > 0);
  }
  Term zero = make_float(arena, 0.0), minus = make_float(arena, -0.0);
  EXPECT_TRUE(equal(zero, minus));
  EXPECT_EQ(hash_term(zero), hash_term(minus));
  Term nan = read("##NaN");
  EXPECT_FALSE(equal(nan, nan));
  EXPECT_GT(compare(nan, read("##Inf")), 0);
}

TEST_F(Numbers, order_is_that_of_exact_values) {
  // 2^53 + 1 is no float; its neighbours are.
  EXPECT_EQ(*number_order(read("9007199254740993"), read("9007199254740992.0")),
            std::partial_ordering::greater);
  EXPECT_EQ(*number_order(read("1/3"), read("0.3333333333333333")), std::partial_ordering::greater);
  EXPECT_EQ(*number_order(read("18446744073709551615u64"), read("18446744073709551616.0")),
            std::partial_ordering::less);
  EXPECT_EQ(*number_order(read("##-Inf"), read("-1i8")), std::partial_ordering::less);
  EXPECT_EQ(*number_order(read("##NaN"), read("1/2")), std::partial_ordering::unordered);
}

TEST_F(Numbers, what_is_too_long_is_no_memory) {
  Term huge = *integer_shift(arena, Term::integer(1), 60'000'000);
  EXPECT_EQ(integer_multiply(arena, huge, huge).error(), NumberFault::kNoMemory);
  EXPECT_EQ(integer_shift(arena, huge, Term::kMaxInteger).error(), NumberFault::kNoMemory);
  EXPECT_EQ(integer_shift(arena, Term::integer(-1), Term::kMinInteger + 1), Term::integer(-1));
}

TEST_F(Numbers, places_are_rounded_and_filled) {
  char out[kPlacesText];
  EXPECT_EQ(float_places(3.14159, FloatForm::kFixed, 2, out), "3.14");
  EXPECT_EQ(float_places(-0.005, FloatForm::kFixed, 2, out), "-0.01");
  EXPECT_EQ(float_places(1e21, FloatForm::kFixed, 1, out), "1000000000000000000000.0");
  EXPECT_EQ(float_places(0, FloatForm::kFixed, 3, out), "0.000");
  EXPECT_EQ(float_places(9.999, FloatForm::kFixed, 0, out), "10");
  EXPECT_EQ(float_places(1e-10, FloatForm::kFixed, 3, out), "0.000");
  EXPECT_EQ(float_places(12345.678, FloatForm::kScientific, 3, out), "1.235e4");
  EXPECT_EQ(float_places(0, FloatForm::kScientific, 2, out), "0.00e0");
  for (int i = 0; i < 5000; i++) {
    auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    int places = static_cast<int>(random() % (kMaxPlaces + 1));
    char expected[512];
    std::snprintf(expected, sizeof expected, "%.*f", places, value);
    EXPECT_EQ(float_places(value, FloatForm::kFixed, places, out), expected);
  }
}

}  // namespace
}  // namespace lona::vm
