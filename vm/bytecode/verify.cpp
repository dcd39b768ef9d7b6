// SPDX-License-Identifier: BSD-2-Clause
#include "vm/bytecode/verify.hpp"

#include "vm/bytecode/verify_parts.hpp"
#include "vm/native/native.hpp"

namespace lona::vm {

bool is_value(Term t) {
  if (t.is_integer()) return true;
  if (!t.is_special()) return false;
  switch (static_cast<Term::Special>(t.bits() >> Term::kTagBits & 31)) {
    case Term::Special::kConstant:
      return t == Term::nil() || t.is_boolean() || t.is_empty_list();
    case Term::Special::kNative:
      return t.special_payload() < native_count();
    case Term::Special::kCharacter:
      return t.special_payload() < 0x110000;
    case Term::Special::kU8:
    case Term::Special::kU16:
    case Term::Special::kU32:
    case Term::Special::kI8:
    case Term::Special::kI16:
    case Term::Special::kI32:
      return t.special_payload() <= 0xffffffff;
    default:
      return false;
  }
}

const char* verify(const Function& function, const CodeWorld& world) {
  return well_formed(function, world) ? follow(function, world) : "malformed code";
}

}  // namespace lona::vm
