// SPDX-License-Identifier: BSD-2-Clause
// A var: the named place a `def` fills. Vars are permanent, and code refers to them by address, so
// a definition is seen by all code at once (late binding costs one load).
//
// One at a time writes a var (sched/loads.hpp); anybody reads it meanwhile, without a lock, also
// realms below. So each word is written whole, in the order that `put` and `hold` say.
#pragma once

#include "vm/code/definition.hpp"
#include "vm/term/object.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {

struct Function;
struct Namespace;

struct Var {
  // The value, or Term::unbound(): then the slow path looks further (never defined, bound per
  // process, or held back; value_of in interp/slow.cpp).
  Term value = Term::unbound();
  // When `value` is a closure without captured values: its function, which is all that a call needs
  // to know; else one no call site fits.
  const Function* function;
  Namespace* ns;
  SymbolEntry* name;        // without namespace
  Term meta = Term::nil();  // map or nil, permanent
  // Of a process-bound var: the value without a binding; see kLocal, too. While a definition is
  // held back it is `held`, with the tag that no value has.
  Term root = Term::unbound();
  std::uint32_t flags = 0;
  std::uint32_t line = 0;  // of the definition, in `file` (null: unknown)
  SymbolEntry* file = nullptr;
  Term source = Term::nil();  // the text of the definition, unless the archive has it in `file`
  Word box[2];                // the boxed object (Kind::kVar) that stands for this var in terms

  enum Flag : std::uint32_t {
    kMacro = 1,
    kPrivate = 2,
    kProcessBound = 4,
    kLocal = 16,    // `root` is the value: it holds pids or references, which realms below must not
                    // take for their own
    kDeclared = 8,  // a function of this name is being defined: its body means this var by it
    kBound = 32,    // it has had a value of its own: so it has one, whatever `value` says
  };

  bool is_declared() const { return now(flags) & kDeclared; }
  // Whether there is a value for a process that belongs to the load `view`, or to none.
  bool is_bound(const Load* view = nullptr) const {
    constexpr std::uint32_t kAny = kBound | kProcessBound | kLocal;
    return ((now(flags) & kAny) != 0) || ((flags_in(view) & kAny) != 0);
  }
  Term term() { return Term::boxed(box); }

  // What defines it for a process that belongs to the load `view`, or to none.
  Definition definition(const Load* view) const;
  std::uint32_t flags_in(const Load* view) const;
  bool is_macro(const Load* view) const { return flags_in(view) & kMacro; }
  bool is_private(const Load* view) const { return flags_in(view) & kPrivate; }
  bool is_process_bound(const Load* view) const { return flags_in(view) & kProcessBound; }
  // Of a var that is not looked up for a process: its plain value, or unbound.
  Term value_in(const Load* view) const {
    const Term plain = now(value);
    return plain != Term::unbound() ? plain : definition(view).value;
  }

  // The definitions that are held back, or null.
  const HeldDefinition* held() const {
    const Word word = now(root).bits();
    return (word & Term::kTagMask) == static_cast<Word>(Tag::kHeader)
               ? reinterpret_cast<const HeldDefinition*>(word & ~Term::kTagMask)
               : nullptr;
  }
  void hold(const HeldDefinition* chain);
  // All of its terms are permanent. What was held back is over.
  void put(const Definition& definition);
  // Only a value: for what nobody else defines.
  void set_value(Term permanent_value);
  void declare() { store(flags, flags | kDeclared); }
  void undeclare() { store(flags, flags & ~std::uint32_t{kDeclared}); }

  template <typename T>
  static T now(const T& word) {
    T copy;
    __atomic_load(&word, &copy, __ATOMIC_ACQUIRE);
    return copy;
  }

 private:
  template <typename T>
  static void store(T& word, T next) {
    __atomic_store(&word, &next, __ATOMIC_RELEASE);
  }
};

// Whether a metadata map says something other than nil or false for this keyword.
bool meta_flag(Term meta, std::string_view name);

inline Var* as_var(Term t) {
  return reinterpret_cast<Var*>(payload(t)[0]);
}
inline bool is_var(Term t) {
  return is_kind(t, Kind::kVar);
}

}  // namespace lona::vm
