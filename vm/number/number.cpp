// SPDX-License-Identifier: BSD-2-Clause
#include "vm/number/number.hpp"

namespace lona::vm {

NumberType number_type_of_box(Term boxed) {
  switch (header_of(boxed).kind()) {
    case Kind::kBignum:
      return NumberType::kInteger;
    case Kind::kRatio:
      return NumberType::kRatio;
    case Kind::kFloat:
      return NumberType::kFloat;
    case Kind::kFloat32:
      return NumberType::kFloat32;
    case Kind::kU64:
      return NumberType::kU64;
    case Kind::kI64:
      return NumberType::kI64;
    default:
      return NumberType::kNone;
  }
}

NumberType number_type_of_special(Term special) {
  switch (static_cast<Term::Special>(special.bits() >> Term::kTagBits & 31)) {
    case Term::Special::kU8:
      return NumberType::kU8;
    case Term::Special::kU16:
      return NumberType::kU16;
    case Term::Special::kU32:
      return NumberType::kU32;
    case Term::Special::kI8:
      return NumberType::kI8;
    case Term::Special::kI16:
      return NumberType::kI16;
    case Term::Special::kI32:
      return NumberType::kI32;
    default:
      return NumberType::kNone;
  }
}

const char* number_type_name(NumberType type) {
  constexpr const char* kNames[] = {"none", "integer", "ratio", "float", "f32", "u8", "u16",
                                    "u32",  "u64",     "i8",    "i16",   "i32", "i64"};
  return kNames[static_cast<unsigned>(type)];
}

Wide fixed_value(Term t) {
  NumberType type = number_type(t);
  Word bits = t.is_boxed() ? payload(t)[0] : t.special_payload();
  return width_of(type).wrap(static_cast<Wide>(bits));
}

Term make_fixed(Heap& heap, NumberType fixed, Wide value) {
  auto bits = static_cast<Word>(value);
  Term::Special kind;
  switch (fixed) {
    case NumberType::kU8:
      kind = Term::Special::kU8;
      break;
    case NumberType::kU16:
      kind = Term::Special::kU16;
      break;
    case NumberType::kU32:
      kind = Term::Special::kU32;
      break;
    case NumberType::kI8:
      kind = Term::Special::kI8;
      break;
    case NumberType::kI16:
      kind = Term::Special::kI16;
      break;
    case NumberType::kI32:
      kind = Term::Special::kI32;
      break;
    default: {
      Word* p = heap.alloc_box(fixed == NumberType::kU64 ? Kind::kU64 : Kind::kI64, 1);
      p[1] = bits;
      return Term::boxed(p);
    }
  }
  return Term::special(kind, bits & ((Word{1} << width_of(fixed).bits) - 1));
}

}  // namespace lona::vm
