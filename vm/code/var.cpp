// SPDX-License-Identifier: BSD-2-Clause
#include "vm/code/var.hpp"

#include "vm/code/function.hpp"
#include "vm/data/map.hpp"

namespace lona::vm {

const Function kNoFunction{};

void Var::set_value(Term permanent_value) {
  // Callers load `function` alone: it is always one or the other function, never null.
  // The value first: who sees the function sees its closure too.
  const Function* f = is_closure(permanent_value) ? function_of(permanent_value) : &kNoFunction;
  __atomic_store_n(reinterpret_cast<Word*>(&value), permanent_value.bits(), __ATOMIC_RELEASE);
  __atomic_store_n(&function, f, __ATOMIC_RELEASE);
}

bool meta_flag(Term meta, std::string_view name) {
  if (!is_map(meta)) return false;
  Term value = map_get(meta, make_keyword(name));
  return value != Term::absent() && value.is_truthy();
}

void Var::set_meta(Term permanent_meta) {
  meta = permanent_meta;
  flags = (meta_flag(meta, "macro") ? kMacro : 0u) | (meta_flag(meta, "private") ? kPrivate : 0u) |
          (meta_flag(meta, "process-bound") ? kProcessBound : 0u);
}

}  // namespace lona::vm
