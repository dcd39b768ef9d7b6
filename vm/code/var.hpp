// SPDX-License-Identifier: BSD-2-Clause
// A var: the named place a `def` fills. Vars are permanent, and code refers to them by address, so
// a definition is seen by all code at once (late binding costs one load).
#pragma once

#include "vm/term/object.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {

struct Function;
struct Namespace;

struct Var {
  // The value, or Term::unbound(): then the slow path looks at the flags (never defined, or bound
  // per process).
  Term value = Term::unbound();
  // When `value` is a closure without captured values: its function, which is all that a call needs
  // to know; else one no call site fits.
  const Function* function;
  Namespace* ns;
  SymbolEntry* name;        // without namespace
  Term meta = Term::nil();  // map or nil, permanent
  // Of a process-bound var: the value without a binding; see kLocal, too.
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
  };

  bool is_macro() const { return flags & kMacro; }
  bool is_private() const { return flags & kPrivate; }
  bool is_process_bound() const { return flags & kProcessBound; }
  bool is_declared() const { return flags & kDeclared; }
  bool is_bound() const { return value != Term::unbound() || looks_up(); }
  // The value is not in `value`: binding_of knows it.
  bool looks_up() const { return flags & (kProcessBound | kLocal); }
  Term term() { return Term::boxed(box); }
  // The value must be permanent (or an immediate).
  void set_value(Term permanent_value);
  // Likewise, of a value that means something else in realms below.
  void set_local(Term permanent_value);
  // A map or nil; sets the flags it asks for.
  void set_meta(Term permanent_meta);
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
