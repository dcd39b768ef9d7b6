// SPDX-License-Identifier: BSD-2-Clause
// Namespaces: from unqualified names to vars. Permanent, like the vars in them.
#pragma once

#include <span>

#include "vm/code/var.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm {

class PermanentRegion;

// An open-addressing table from a symbol entry to an address.
class NameTable {
 public:
  struct Entry {
    SymbolEntry* key;
    void* value;
  };
  void* find(const SymbolEntry* key) const;
  void put(PermanentRegion& region, SymbolEntry* key, void* value);
  std::size_t size() const { return used_; }
  // Calls f(SymbolEntry*, void*) for each entry, in no order.
  template <typename F>
  void each(F f) const {
    for (std::size_t i = 0; i < capacity_; ++i)
      if (entries_[i].key) f(entries_[i].key, entries_[i].value);
  }
  // The table as it is in memory, free entries included: for the core image.
  std::span<const Entry> entries() const { return {entries_, capacity_}; }
  NameTable with_entries(Entry* elsewhere) const {
    NameTable table = *this;
    table.entries_ = elsewhere;
    return table;
  }

 private:
  Entry* entries_ = nullptr;
  std::size_t capacity_ = 0, used_ = 0;
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
