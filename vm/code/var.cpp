// SPDX-License-Identifier: BSD-2-Clause
#include "vm/code/var.hpp"

#include "vm/code/function.hpp"
#include "vm/data/map.hpp"

namespace lona::vm {

const Function kNoFunction{};

void Var::set_value(Term permanent_value) {
  // Callers load `function` alone: it is always one or the other function, never null.
  const Function* f = is_closure(permanent_value) ? function_of(permanent_value) : &kNoFunction;
  if (f->closure == 0) f = &kNoFunction;
  __atomic_store_n(reinterpret_cast<Word*>(&value), permanent_value.bits(), __ATOMIC_RELEASE);
  __atomic_store_n(&function, f, __ATOMIC_RELEASE);
  // Who has seen no value before looks at it once more.
  if (flags & kLocal) __atomic_store_n(&flags, flags & ~std::uint32_t{kLocal}, __ATOMIC_RELEASE);
}

void Var::set_local(Term permanent_value) {
  __atomic_store_n(reinterpret_cast<Word*>(&root), permanent_value.bits(), __ATOMIC_RELEASE);
  __atomic_store_n(&flags, flags | kLocal, __ATOMIC_RELEASE);
  __atomic_store_n(reinterpret_cast<Word*>(&value), Term::unbound().bits(), __ATOMIC_RELEASE);
  __atomic_store_n(&function, &kNoFunction, __ATOMIC_RELEASE);
}

bool meta_flag(Term meta, std::string_view name) {
  if (!is_map(meta)) return false;
  Term value = map_get(meta, make_keyword(name));
  return value != Term::absent() && value.is_truthy();
}

void Var::set_meta(Term permanent_meta) {
  meta = permanent_meta;
  flags = (flags & kLocal) | (meta_flag(meta, "macro") ? kMacro : 0u) |
          (meta_flag(meta, "private") ? kPrivate : 0u) |
          (meta_flag(meta, "process-bound") ? kProcessBound : 0u);
}

}  // namespace lona::vm
