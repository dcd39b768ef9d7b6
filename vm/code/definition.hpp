// SPDX-License-Identifier: BSD-2-Clause
// What defines a var, and how many definitions come into effect in one instant.
//
// While a process loads a file, what it defines is held back: it sees the new definitions itself,
// all others the old ones, until one store (Load::outcome) puts all into effect. Readers take no
// lock, those in realms below not either, and a var in use is still read with one look:
//
// - A var with a definition that is held back has no plain value and no function (Var::hold), so
//   readers go the slow way, where they find a chain of definitions: one for each load that is not
//   over, and at the end what the var holds without them. They take the one of their own load, else
//   that of the load which came into effect last, else the end of the chain.
// - After the store every var of the load is given its plain value again (Var::put), which changes
//   nothing that a reader can see.
//
// A chain is never changed, only replaced. It lies in the code store, which takes nothing back that
// was reachable since a reader has begun its slice (sched/reclaim.cpp).
#pragma once

#include <atomic>

#include "vm/term/symbol.hpp"

namespace lona::vm {

struct Var;

struct Definition {
  Term value = Term::unbound();
  Term root = Term::unbound();  // see Var::root
  Term meta = Term::nil();      // map or nil
  std::uint32_t flags = 0;      // Var::Flag
  std::uint32_t line = 0;
  SymbolEntry* file = nullptr;
  Term source = Term::nil();

  // A map or nil; sets the flags it asks for.
  void set_meta(Term permanent_meta);
  // Local: it means something else in realms below (Var::kLocal).
  void set_value(Term permanent_value, bool local);
};

// A load: a file with all that it loads, or several of them.
struct Load {
  static constexpr std::uint64_t kOpen = 0, kDropped = ~std::uint64_t{0};
  // A var with a definition of this load that is held back.
  struct Entry {
    Var* var;
    Entry* next;
  };

  // Which of all loads it was to come into effect, from 1 on, or one of those two.
  std::atomic<std::uint64_t> outcome{kOpen};
  Term owner;  // the process that it is over with
  Entry* entries = nullptr;
  bool holds_new = false;  // also what had no value before
  std::uint64_t count = 0;

  bool is_open() const { return outcome.load(std::memory_order_acquire) == kOpen; }
};

struct HeldDefinition {
  Definition definition;
  const Load* load;  // null: without a load; the end of the chain
  const HeldDefinition* next;
};

// The one that counts for a process that belongs to the load `view` (or to none: null).
const Definition& effective(const HeldDefinition* chain, const Load* view);

}  // namespace lona::vm
