// SPDX-License-Identifier: BSD-2-Clause
// Namespaces: from unqualified names to vars. Permanent, like the vars in them.
#pragma once

#include "vm/code/var.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm {

class PermanentRegion;

// An open-addressing table from a name to an address. Realms below read it while its owner changes
// it: an entry's value is there before its key, and entries that have got too many for their block
// move to a new one, which one pointer makes visible. Old blocks stay.
class NameTable {
 public:
  struct Entry {
    Word key;  // the name's number; 0: free
    void* value;
  };
  struct Block {
    std::size_t capacity, used;
    Entry entries[];
  };

  void* find(const SymbolEntry* key) const;
  void put(PermanentRegion& region, const SymbolEntry* key, void* value);
  std::size_t size() const {
    const Block* b = block();
    return b == nullptr ? 0 : __atomic_load_n(&b->used, __ATOMIC_RELAXED);
  }

  // Calls f(SymbolEntry*, void*) for each entry, in no order.
  template <typename F>
  void each(F f) const {
    const Block* b = block();
    for (std::size_t i = 0; b != nullptr && i < b->capacity; ++i) {
      const Word key = __atomic_load_n(&b->entries[i].key, __ATOMIC_ACQUIRE);
      if (key != 0) f(name_of(key), __atomic_load_n(&b->entries[i].value, __ATOMIC_ACQUIRE));
    }
  }

  // As it is in memory, or null: for the core image.
  const Block* block() const { return __atomic_load_n(&block_, __ATOMIC_ACQUIRE); }
  static NameTable of_block(Block* block) {
    NameTable table;
    table.block_ = block;
    return table;
  }

 private:
  Block* block_ = nullptr;
};

struct Namespace {
  SymbolEntry* name;
  NameTable vars;     // own and referred: Var*
  NameTable aliases;  // Namespace*
  Word box[2];        // the boxed object (Kind::kNamespace) that stands for it in terms

  Term term() { return Term::boxed(box); }
  // An own or referred var; null when there is none. `name` has no namespace part.
  Var* find(const SymbolEntry* name) const { return static_cast<Var*>(vars.find(name)); }
};

inline Namespace* as_namespace(Term t) {
  return reinterpret_cast<Namespace*>(payload(t)[0]);
}
inline bool is_namespace(Term t) {
  return is_kind(t, Kind::kNamespace);
}

// All namespaces of a realm. Several workers may use it; what it calls back must not.
class Namespaces {
 public:
  explicit Namespaces(PermanentRegion& region) : region_(region) {}
  Namespace* find(const SymbolEntry* name) const;
  Namespace* find_or_create(SymbolEntry* name);
  // The var of this name owned by `ns`; made (unbound) when it does not exist or is a referred one.
  Var* intern(Namespace* ns, SymbolEntry* name);
  // Every public var that `from` owns becomes visible in `into`.
  void refer(Namespace* into, Namespace* from);
  void alias(Namespace* in, SymbolEntry* alias, Namespace* target);

  // What a symbol means in `ns`: a qualified one through aliases and namespace names, an
  // unqualified one in `ns` and then in lona.core. Null when it means nothing yet.
  Var* resolve(Namespace* ns, SymbolEntry* symbol) const;
  // The qualified name syntax-quote gives a symbol read in `ns`: that of its var when it has one,
  // the bare name for special forms (def fn* match do quote var receive) and for `&`, `_`, `when`
  // and names with a leading or trailing dot, else `ns/name`.
  SymbolEntry* qualify(Namespace* ns, SymbolEntry* symbol) const;

  // Calls f(Namespace*) for each, in no order.
  template <typename F>
  void each(F f) const {
    Guard guard(lock_);
    all_.each([&](SymbolEntry*, void* ns) { f(static_cast<Namespace*>(ns)); });
  }
  // Calls f(SymbolEntry*, Var*) for each name in a namespace, in no order.
  template <typename F>
  void each_var(const Namespace& ns, F f) const {
    Guard guard(lock_);
    ns.vars.each([&](SymbolEntry* name, void* var) { f(name, static_cast<Var*>(var)); });
  }

  const NameTable& all() const { return all_; }
  void adopt(const NameTable& all) { all_ = all; }

  // The bound var whose name is closest to `name` in ns or lona.core, for error messages; or null.
  Var* nearest(Namespace* ns, const SymbolEntry* name) const;

 private:
  Namespace* find_locked(const SymbolEntry* name) const;
  Var* resolve_locked(Namespace* ns, SymbolEntry* symbol) const;

  mutable SpinLock lock_;
  PermanentRegion& region_;
  NameTable all_;
  mutable Namespace* core_ = nullptr;
};

bool is_special_form(const SymbolEntry* name);

}  // namespace lona::vm
