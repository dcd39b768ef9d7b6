// SPDX-License-Identifier: BSD-2-Clause
#include "vm/sched/loads.hpp"

#include <new>

#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

template <typename T>
T* make(CodeStore& code) {
  static_assert(sizeof(T) % sizeof(Word) == 0 && alignof(T) <= alignof(Word));
  Word* memory = code.allocate(sizeof(T) / sizeof(Word));
  return memory == nullptr ? nullptr : new (memory) T();
}

bool owns_load(const Process& p) {
  return p.load_ != nullptr && p.load_->owner == p.pid();
}

const HeldDefinition* part_of(const HeldDefinition* chain, const Load* load) {
  while (chain != nullptr && chain->load != load) chain = chain->next;
  return chain;
}

// `next`, with a definition before it. Null without memory, or when `next` is null for want of it.
HeldDefinition* add(CodeStore& code, const HeldDefinition* next, const Load* load,
                    const Definition& definition) {
  auto* added = next == nullptr && load != nullptr ? nullptr : make<HeldDefinition>(code);
  if (added != nullptr) *added = {definition, load, next};
  return added;
}

// Another chain for a var: what is over is left out, `base` stands at its end, and of `load` there
// is nothing in it. Null without memory.
HeldDefinition* renew(CodeStore& code, const HeldDefinition* old, const Load* load,
                      const Definition& base) {
  HeldDefinition* chain = add(code, nullptr, nullptr, base);
  for (; old != nullptr && old->load != nullptr && chain != nullptr; old = old->next) {
    if (old->load == load || !old->load->is_open()) continue;
    chain = add(code, chain, old->load, old->definition);
  }
  return chain;
}

bool any_open(const HeldDefinition* chain) {
  for (; chain->load != nullptr; chain = chain->next) {
    if (chain->load->is_open()) return true;
  }
  return false;
}

bool put_now(Vm::State& s, Var& var, const Definition& definition) {
  const HeldDefinition* held = var.held();
  if (held == nullptr) {
    var.put(definition);
    return true;
  }
  const HeldDefinition* chain = renew(s.code, held, nullptr, definition);
  if (chain == nullptr) return false;
  var.hold(chain);
  return true;
}

bool define_later(Vm::State& s, Load& load, Var& var, const Definition& definition) {
  const HeldDefinition* held = var.held();
  if (part_of(held, &load) == nullptr) {
    auto* entry = make<Load::Entry>(s.code);
    if (entry == nullptr) return false;
    *entry = {&var, load.entries};
    load.entries = entry;
    load.count++;
  }
  const HeldDefinition* rest = renew(s.code, held, &load, var.definition(nullptr));
  const HeldDefinition* chain = add(s.code, rest, &load, definition);
  if (chain == nullptr) return false;
  var.hold(chain);
  var.undeclare();  // only to whom it means something already
  return true;
}

// Before, it is to be as if nothing of it had been defined; from the store on all of it counts.
void finish(Load& load, std::uint64_t outcome) {
  load.outcome.store(outcome, std::memory_order_release);
  for (Load::Entry* entry = load.entries; entry != nullptr; entry = entry->next) {
    const HeldDefinition* held = entry->var->held();
    // With another load that is not over the chain stays: it says the same.
    if (held != nullptr && !any_open(held)) entry->var->put(effective(held, nullptr));
  }
  load.entries = nullptr;
}

}  // namespace

bool hold_definitions(Process& p, NewNames names) {
  if (!owns_load(p) || !p.load_->is_open()) {
    auto* load = make<Load>(state_of(p).code);
    if (load == nullptr) return false;
    load->owner = p.pid();
    load->holds_new = names == NewNames::kHeld;
    p.load_ = load;
    p.load_depth_ = 0;
  }
  p.load_depth_++;
  return true;
}

bool release_definitions(Process& p) {
  if (!owns_load(p) || p.load_depth_ == 0) return false;
  if (--p.load_depth_ != 0) return true;
  Vm::State& s = state_of(p);
  Guard guard(s.definitions_lock, s.several);
  p.charge(static_cast<std::uint32_t>(p.load_->count * 10));
  finish(*p.load_, ++s.loads_over);
  p.load_ = nullptr;
  return true;
}

void drop_definitions(Process& p) {
  if (!owns_load(p) || !p.load_->is_open()) return;
  Vm::State& s = state_of(p);
  Guard guard(s.definitions_lock, s.several);
  finish(*p.load_, Load::kDropped);
}

std::uint64_t dropped_definitions(const Process& p) {
  return owns_load(p) && !p.load_->is_open() ? p.load_->count : 0;
}

bool define_var(Process& p, Var& var, const Definition& definition) {
  Vm::State& s = state_of(p);
  Guard guard(s.definitions_lock, s.several);
  const bool later =
      p.load_ != nullptr && p.load_->is_open() && (p.load_->holds_new || var.is_bound(p.load_));
  return later ? define_later(s, *p.load_, var, definition) : put_now(s, var, definition);
}

bool define_now(Vm::State& s, Var& var, const Definition& definition) {
  Guard guard(s.definitions_lock, s.several);
  return put_now(s, var, definition);
}

}  // namespace lona::vm
