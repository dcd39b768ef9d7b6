// SPDX-License-Identifier: BSD-2-Clause
// Integers of fixed width: conversion, and arithmetic that does not wrap.
#include "vm/data/sequence.hpp"
#include "vm/native/number_result.hpp"
#include "vm/number/arithmetic.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm::natives {

namespace {

Term convert(Process& p, NumberType fixed, Args args) {
  return or_fault(p, to_fixed(p, fixed, args[0]), number_type_name(fixed), args);
}

struct Exact {
  bool fits;
  Wide nearest;  // of the type's values
};

// `overflow`: the result is not even a Wide, which only positive products of u64 reach.
Exact within(FixedWidth width, Wide result, bool overflow) {
  if (overflow || result > width.most()) return {false, width.most()};
  if (result < width.least()) return {false, width.least()};
  return {true, result};
}

// What gives the exact result of two values, or true for one that is no Wide.
using Step = bool (*)(Wide a, Wide b, Wide* out);
bool sum(Wide a, Wide b, Wide* out) {
  return __builtin_add_overflow(a, b, out);
}
bool difference(Wide a, Wide b, Wide* out) {
  return __builtin_sub_overflow(a, b, out);
}
bool product(Wide a, Wide b, Wide* out) {
  // 64 by 64 bits at most: as numbers without sign the product fits, so no library is needed.
  bool negative = (a < 0) != (b < 0);
  auto x = static_cast<std::uint64_t>(a < 0 ? -a : a),
       y = static_cast<std::uint64_t>(b < 0 ? -b : b);
  auto size = static_cast<unsigned __int128>(x) * y;
  if (size >> 127 != 0) return true;
  *out = negative ? -static_cast<Wide>(size) : static_cast<Wide>(size);
  return false;
}

enum class Otherwise : std::uint8_t { kTell, kSaturate };

Term bounded(Process& p, const char* fn, Args args, Step step, Otherwise otherwise) {
  NumberType type = number_type(args[0]);
  if (!is_fixed(type) || number_type(args[1]) != type) return p.fail_badarg(fn, args);
  Wide result = 0;
  bool overflow = step(fixed_value(args[0]), fixed_value(args[1]), &result);
  Exact exact = within(width_of(type), result, overflow);
  Term value = make_fixed(p, type, exact.nearest);
  if (otherwise == Otherwise::kSaturate) return value;
  if (exact.fits) return make_pair_tuple(p, make_keyword("ok"), value);
  return make_pair_tuple(p, make_keyword("error"), make_keyword("overflow"));
}

}  // namespace

#define LONA_CONVERT(name, type)               \
  Term to_##name(Process& p, Args args) {      \
    return convert(p, NumberType::type, args); \
  }
LONA_CONVERT(u8, kU8)
LONA_CONVERT(u16, kU16)
LONA_CONVERT(u32, kU32)
LONA_CONVERT(u64, kU64)
LONA_CONVERT(i8, kI8)
LONA_CONVERT(i16, kI16)
LONA_CONVERT(i32, kI32)
LONA_CONVERT(i64, kI64)
#undef LONA_CONVERT

Term checked_add(Process& p, Args args) {
  return bounded(p, "checked-add", args, sum, Otherwise::kTell);
}
Term checked_sub(Process& p, Args args) {
  return bounded(p, "checked-sub", args, difference, Otherwise::kTell);
}
Term checked_mul(Process& p, Args args) {
  return bounded(p, "checked-mul", args, product, Otherwise::kTell);
}
Term saturating_add(Process& p, Args args) {
  return bounded(p, "saturating-add", args, sum, Otherwise::kSaturate);
}
Term saturating_sub(Process& p, Args args) {
  return bounded(p, "saturating-sub", args, difference, Otherwise::kSaturate);
}
Term saturating_mul(Process& p, Args args) {
  return bounded(p, "saturating-mul", args, product, Otherwise::kSaturate);
}

}  // namespace lona::vm::natives
