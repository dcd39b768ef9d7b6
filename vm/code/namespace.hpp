// SPDX-License-Identifier: BSD-2-Clause
// Namespaces: from unqualified names to vars. Permanent, like the vars in them.
#pragma once

#include <initializer_list>
#include <span>

#include "vm/code/level.hpp"
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

// All namespaces that a realm sees. Each realm has namespaces of its own, in its level; by name it
// sees those of the realms above as well, and those of the core image. A namespace may be in
// several of these places: its vars are those of all of them, and where two have a var of one name,
// the nearest that is bound counts. Only what is the realm's own is ever written: who defines
// something in a namespace of a realm above gets a namespace of that name, with the new var in it.
// The vars of the core image can be given new values by the first realm, its tables stay.
//
// Several workers may use it; what it calls back must not.
class Namespaces {
 public:
  // Of this realm.
  explicit Namespaces(PermanentRegion& region);
  // For tests: of one whose level and the levels above are as given.
  Namespaces(PermanentRegion& region, LevelHeader& level,
             std::span<const LevelHeader* const> above);

  // The nearest one of this name, or null.
  Namespace* find(const SymbolEntry* name) const;
  Namespace* find_or_create(SymbolEntry* name);
  // The own var of this name in `ns`, or in the first realm the core image's; made (unbound) when
  // there is none.
  Var* intern(const Namespace* ns, SymbolEntry* name);
  // Every public var that `from` owns becomes visible in `into`; by what a load says of them.
  void refer(const Namespace* into, const Namespace* from, const Load* view = nullptr);
  void alias(const Namespace* in, SymbolEntry* alias, Namespace* target);

  // An own or referred var of a namespace; null when there is none. `name` has no namespace part.
  Var* find_var(const Namespace* ns, const SymbolEntry* name, const Load* view = nullptr) const;
  // What a symbol means in `ns`: a qualified one through aliases and namespace names, an
  // unqualified one in `ns` and then in lona.core. Null when it means nothing yet.
  Var* resolve(const Namespace* ns, SymbolEntry* symbol, const Load* view = nullptr) const;
  // What an alias stands for in `ns`, or null.
  Namespace* aliased(const Namespace* ns, const SymbolEntry* alias) const;
  // The qualified name syntax-quote gives a symbol read in `ns`: that of its var when it has one,
  // the bare name for special forms (def fn* match do quote var receive) and for `&`, `_`, `when`
  // and names with a leading or trailing dot, else `ns/name`.
  SymbolEntry* qualify(const Namespace* ns, SymbolEntry* symbol, const Load* view = nullptr) const;

  // Calls f(Namespace*) for each name, in no order.
  template <typename F>
  void each(F f) const {
    Guard guard(lock_);
    const Places places(*this);
    for (unsigned i = 0; i < places.count; ++i) {
      places.tables[i]->each([&](SymbolEntry* name, void* ns) {
        for (unsigned j = 0; j < i; ++j) {
          if (places.tables[j]->find(name) != nullptr) return;
        }
        f(static_cast<Namespace*>(ns));
      });
    }
  }
  // Calls f(SymbolEntry*, Var*) for each name in a namespace, in no order.
  template <typename F>
  void each_var(const Namespace* ns, F f) const {
    Guard guard(lock_);
    each_var_locked(ns->name, f);
  }
  // Calls f(Var*) for each var that this realm may write; some of them several times.
  template <typename F>
  void each_writable_var(F f) const {
    Guard guard(lock_);
    for (const NameTable* table : std::initializer_list<const NameTable*>{own_, &image_}) {
      table->each([&](SymbolEntry*, void* ns) {
        static_cast<Namespace*>(ns)->vars.each([&](SymbolEntry*, void* value) {
          Var* var = static_cast<Var*>(value);
          if (!is_inherited(var)) f(var);
        });
      });
    }
  }
  // Those of this realm alone.
  const NameTable& own() const { return *own_; }
  void adopt(const NameTable& image) { image_ = image; }

  // The bound var whose name is closest to `name` in ns or lona.core, for error messages; or null.
  Var* nearest(const Namespace* ns, const SymbolEntry* name) const;

 private:
  static constexpr unsigned kMostPlaces = 66;
  // Where namespaces are looked for, in this order.
  struct Places {
    explicit Places(const Namespaces& all);
    const NameTable* tables[kMostPlaces];
    unsigned count = 0;
  };

  template <typename F>
  void each_var_locked(const SymbolEntry* ns_name, F f) const {
    const Places places(*this);
    const Namespace* found[kMostPlaces];
    for (unsigned i = 0; i < places.count; ++i) {
      found[i] = static_cast<const Namespace*>(places.tables[i]->find(ns_name));
      if (found[i] == nullptr) continue;
      found[i]->vars.each([&](SymbolEntry* name, void* value) {
        for (unsigned j = 0; j < i; ++j) {
          const Var* nearer = found[j] == nullptr ? nullptr : found[j]->find(name);
          if (nearer != nullptr && nearer->is_bound()) return;
        }
        f(name, static_cast<Var*>(value));
      });
    }
  }
  Namespace* find_locked(const SymbolEntry* name) const;
  Namespace* aliased_locked(const SymbolEntry* ns, const SymbolEntry* alias) const;
  Namespace* own_of(const Namespace* ns);
  Namespace* make(SymbolEntry* name);
  Var* find_var_locked(const SymbolEntry* ns, const SymbolEntry* name, const Load* view) const;
  Var* resolve_locked(const Namespace* ns, SymbolEntry* symbol, const Load* view) const;

  mutable SpinLock lock_;
  PermanentRegion& region_;
  std::span<const LevelHeader* const> above_;
  NameTable* own_;   // in the own level
  NameTable image_;  // of the core image
};

bool is_special_form(const SymbolEntry* name);

}  // namespace lona::vm
