// SPDX-License-Identifier: BSD-2-Clause
#include "vm/code/var.hpp"

#include "vm/code/function.hpp"
#include "vm/data/map.hpp"

namespace lona::vm {

const Function kNoFunction{};

namespace {
// Callers load Var::function alone: it is always one or the other function, never null.
const Function* function_for(Term value) {
  const Function* f = is_closure(value) ? function_of(value) : &kNoFunction;
  return f->closure == 0 ? &kNoFunction : f;
}
}  // namespace

Definition Var::definition(const Load* view) const {
  for (;;) {
    if (const HeldDefinition* chain = held()) return effective(chain, view);
    const Definition plain{now(value), now(root), now(meta),  now(flags),
                           now(line),  now(file), now(source)};
    // Held back since the first look, or only until before the second one.
    constexpr std::uint32_t kHasValue = kBound, kElsewhere = kProcessBound | kLocal;
    const bool missed =
        plain.value == Term::unbound() && (plain.flags & (kHasValue | kElsewhere)) == kHasValue;
    if (held() == nullptr && !missed) return plain;
  }
}

std::uint32_t Var::flags_in(const Load* view) const {
  const HeldDefinition* chain = held();
  return chain == nullptr ? now(flags) : effective(chain, view).flags;
}

// Who sees no value looks at the chain.
void Var::hold(const HeldDefinition* chain) {
  store(root, Term::from_bits(reinterpret_cast<Word>(chain) | static_cast<Word>(Tag::kHeader)));
  store(value, Term::unbound());
  store(function, &kNoFunction);
}

// Who sees no value looks at `root` (the chain says the same as the new words), then at the flags;
// when neither has a value, at all of it once more, as long as kBound says that there is one.
void Var::put(const Definition& d) {
  store(meta, d.meta);
  store(line, d.line);
  store(file, d.file);
  store(source, d.source);
  const bool plain = d.value != Term::unbound();
  const std::uint32_t known = flags & kBound;
  const std::uint32_t next = (d.flags & ~std::uint32_t{kDeclared}) | known | (plain ? kBound : 0u);
  if (plain) {
    store(value, d.value);
    store(function, function_for(d.value));
    store(flags, next);
    store(root, d.root);
  } else if (held() != nullptr) {
    store(flags, next);
    store(root, d.root);
  } else {
    store(root, d.root);
    store(flags, next);
    store(value, Term::unbound());
    store(function, &kNoFunction);
  }
}

void Var::set_value(Term permanent_value) {
  Definition d = definition(nullptr);
  d.set_value(permanent_value, false);
  put(d);
}

bool meta_flag(Term meta, std::string_view name) {
  if (!is_map(meta)) return false;
  Term value = map_get(meta, make_keyword(name));
  return value != Term::absent() && value.is_truthy();
}

}  // namespace lona::vm
