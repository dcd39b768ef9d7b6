// SPDX-License-Identifier: BSD-2-Clause
// Integers from and to digits.
#include <cstring>

#include "vm/number/integer.hpp"

namespace lona::vm {

namespace {

unsigned char digit_value(char c) {
  return static_cast<unsigned char>(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

// What every digit of a number fits in.
unsigned digit_bits(unsigned radix) {
  return static_cast<unsigned>(std::bit_width(radix - 1));
}

NumberResult parse_long(Heap& heap, std::string_view digits, std::size_t count, unsigned radix,
                        bool negative) {
  std::size_t limbs = count / kLimbBits * digit_bits(radix) + digit_bits(radix) + 1;
  NewInteger r(heap, limbs);
  if (!r) return base::fail(NumberFault::kNoMemory);
  NewInteger values(heap, count / sizeof(Limb) + 1);
  if (!values) return base::fail(NumberFault::kNoMemory);
  auto* bytes = reinterpret_cast<unsigned char*>(values.limbs());
  for (std::size_t i = 0, n = 0; i < digits.size(); i++) {
    if (digits[i] != '_') bytes[n++] = digit_value(digits[i]);
  }
  std::size_t size = 0;
  bool done = with_work_space([&] {
    size = static_cast<std::size_t>(mpn_set_str(r.limbs(), bytes, count, static_cast<int>(radix)));
  });
  if (!done) return base::fail(NumberFault::kNoMemory);
  mpn_zero(r.limbs() + size, static_cast<mp_size_t>(limbs - size));
  values.drop();
  return r.finish(negative);
}

}  // namespace

NumberResult integer_parse(Heap& heap, std::string_view digits, unsigned radix, bool negative) {
  while (digits.size() > 1 && (digits[0] == '0' || digits[0] == '_')) digits.remove_prefix(1);
  std::size_t count = 0;
  std::uint64_t value = 0;
  bool large = false;
  for (char c : digits) {
    if (c == '_') continue;
    count++;
    large = large || value > (~std::uint64_t{0} - digit_value(c)) / radix;
    if (!large) value = value * radix + digit_value(c);
  }
  if (large) return parse_long(heap, digits, count, radix, negative);
  return integer_from(heap, negative ? -static_cast<Wide>(value) : static_cast<Wide>(value));
}

std::size_t integer_text_size(Term a, unsigned radix) {
  IntegerView x(a);
  if (x.is_zero()) return 1;
  return mpn_sizeinbase(x.limbs(), static_cast<mp_size_t>(x.size()), static_cast<int>(radix)) + 1;
}

std::string_view integer_text(Term a, unsigned radix, std::span<char> out) {
  IntegerView x(a);
  if (x.is_zero()) {
    out[0] = '0';
    return {out.data(), 1};
  }
  auto n = static_cast<mp_size_t>(x.size());
  Scratch copy(x.size() + 1);  // mpn_get_str destroys its argument
  if (copy.data() == nullptr) return {};
  mpn_copyi(copy.data(), x.limbs(), n);
  auto* digits = reinterpret_cast<unsigned char*>(out.data()) + x.negative();
  std::size_t count = 0;
  if (!with_work_space(
          [&] { count = mpn_get_str(digits, static_cast<int>(radix), copy.data(), n); })) {
    return {};
  }
  std::size_t zeros = 0;  // there may be one in front
  while (zeros + 1 < count && digits[zeros] == 0) zeros++;
  for (std::size_t i = zeros; i < count; i++) {
    digits[i - zeros] =
        static_cast<unsigned char>("0123456789abcdefghijklmnopqrstuvwxyz"[digits[i]]);
  }
  if (x.negative()) out[0] = '-';
  return {out.data(), count - zeros + x.negative()};
}

}  // namespace lona::vm
