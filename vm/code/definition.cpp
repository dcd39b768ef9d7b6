// SPDX-License-Identifier: BSD-2-Clause
#include "vm/code/definition.hpp"

#include "vm/code/var.hpp"

namespace lona::vm {

void Definition::set_meta(Term permanent_meta) {
  meta = permanent_meta;
  flags = (flags & (Var::kLocal | Var::kBound)) | (meta_flag(meta, "macro") ? Var::kMacro : 0u) |
          (meta_flag(meta, "private") ? Var::kPrivate : 0u) |
          (meta_flag(meta, "process-bound") ? Var::kProcessBound : 0u);
}

void Definition::set_value(Term permanent_value, bool local) {
  value = local ? Term::unbound() : permanent_value;
  root = local ? permanent_value : Term::unbound();
  flags = local ? flags | Var::kLocal : flags & ~std::uint32_t{Var::kLocal};
  if (permanent_value != Term::unbound()) flags |= Var::kBound;
}

const Definition& effective(const HeldDefinition* chain, const Load* view) {
  const HeldDefinition* best = nullptr;
  std::uint64_t latest = 0;
  for (const HeldDefinition* at = chain;; at = at->next) {
    if (at->load == nullptr) return best != nullptr ? best->definition : at->definition;
    const std::uint64_t outcome = at->load->outcome.load(std::memory_order_acquire);
    if (outcome == Load::kDropped) continue;
    if (outcome == Load::kOpen) {
      if (at->load == view) return at->definition;
    } else if (outcome > latest) {
      latest = outcome;
      best = at;
    }
  }
}

}  // namespace lona::vm
