// SPDX-License-Identifier: BSD-2-Clause
#include "vm/code/namespace.hpp"

#include <algorithm>

#include "vm/code/function.hpp"
#include "vm/code/permanent.hpp"

namespace lona::vm {

namespace {
constexpr std::size_t kFirstEntries = 8;

// The place of a name, or the free one where it belongs; in a block with a free one.
NameTable::Entry& place_of(NameTable::Block& block, Word key) {
  const std::size_t mask = block.capacity - 1;
  for (std::size_t i = (key >> Term::kTagBits) & mask;; i = (i + 1) & mask) {
    const Word here = __atomic_load_n(&block.entries[i].key, __ATOMIC_ACQUIRE);
    if (here == key || here == 0) return block.entries[i];
  }
}
}  // namespace

void* NameTable::find(const SymbolEntry* key) const {
  Block* b = __atomic_load_n(&block_, __ATOMIC_ACQUIRE);
  if (b == nullptr) return nullptr;
  const Entry& entry = place_of(*b, key->id);
  // A free place may have become another name's by now.
  if (__atomic_load_n(&entry.key, __ATOMIC_ACQUIRE) != key->id) return nullptr;
  return __atomic_load_n(&entry.value, __ATOMIC_ACQUIRE);
}

void NameTable::put(PermanentRegion& region, const SymbolEntry* key, void* value) {
  Block* b = block_;
  if (b == nullptr || b->used * 4 >= b->capacity * 3) {
    const std::size_t capacity = b == nullptr ? kFirstEntries : b->capacity * 2;
    auto* bigger = reinterpret_cast<Block*>(
        region.make_array<Word>((sizeof(Block) + capacity * sizeof(Entry)) / sizeof(Word)));
    bigger->capacity = capacity;
    for (std::size_t i = 0; b != nullptr && i < b->capacity; ++i) {
      if (b->entries[i].key == 0) continue;
      place_of(*bigger, b->entries[i].key) = b->entries[i];
      bigger->used++;
    }
    __atomic_store_n(&block_, bigger, __ATOMIC_RELEASE);
    b = bigger;
  }
  Entry& entry = place_of(*b, key->id);
  __atomic_store_n(&entry.value, value, __ATOMIC_RELEASE);
  if (entry.key != 0) return;
  __atomic_store_n(&b->used, b->used + 1, __ATOMIC_RELAXED);
  __atomic_store_n(&entry.key, key->id, __ATOMIC_RELEASE);
}

Namespaces::Namespaces(PermanentRegion& region) : Namespaces(region, own_level(), levels_above()) {}

Namespaces::Namespaces(PermanentRegion& region, LevelHeader& level,
                       std::span<const LevelHeader* const> above)
    : region_(region), above_(above), own_(region.make<NameTable>()) {
  level.namespaces.store(own_, std::memory_order_release);
}

Namespaces::Places::Places(const Namespaces& all) {
  tables[count++] = all.own_;
  for (const LevelHeader* level : all.above_) {
    const NameTable* table = level->namespaces.load(std::memory_order_acquire);
    if (table != nullptr && count < kMostPlaces - 1) tables[count++] = table;
  }
  tables[count++] = &all.image_;
}

Namespace* Namespaces::find_locked(const SymbolEntry* name) const {
  const Places places(*this);
  for (unsigned i = 0; i < places.count; ++i) {
    if (void* ns = places.tables[i]->find(name)) return static_cast<Namespace*>(ns);
  }
  return nullptr;
}

Namespace* Namespaces::find(const SymbolEntry* name) const {
  Guard guard(lock_);
  return find_locked(name);
}

Namespace* Namespaces::make(SymbolEntry* name) {
  auto* ns = region_.make<Namespace>();
  ns->name = name;
  ns->box[0] = Header::make(Kind::kNamespace, 1).bits();
  ns->box[1] = reinterpret_cast<Word>(ns);
  own_->put(region_, name, ns);
  return ns;
}

Namespace* Namespaces::find_or_create(SymbolEntry* name) {
  Guard guard(lock_);
  Namespace* known = find_locked(name);
  return known != nullptr ? known : make(name);
}

// The one in the own level; made when there is none.
Namespace* Namespaces::own_of(const Namespace* ns) {
  auto* own = static_cast<Namespace*>(own_->find(ns->name));
  return own != nullptr ? own : make(ns->name);
}

Var* Namespaces::intern(const Namespace* ns, SymbolEntry* name) {
  Guard guard(lock_);
  for (const NameTable* table : std::initializer_list<const NameTable*>{own_, &image_}) {
    const auto* here = static_cast<const Namespace*>(table->find(ns->name));
    Var* known = here == nullptr ? nullptr : here->find(name);
    const bool written_here = table == own_ || !is_inherited(known);
    if (known != nullptr && known->ns == here && written_here) return known;
  }
  Namespace* own = own_of(ns);
  auto* var = region_.make<Var>();
  var->function = &kNoFunction;
  var->ns = own;
  var->name = name;
  var->box[0] = Header::make(Kind::kVar, 1).bits();
  var->box[1] = reinterpret_cast<Word>(var);
  own->vars.put(region_, name, var);
  return var;
}

void Namespaces::refer(const Namespace* into, const Namespace* from, const Load* view) {
  if (same_name(into->name, from->name)) return;
  Guard guard(lock_);
  Namespace* own = nullptr;
  each_var_locked(from->name, [&](SymbolEntry* name, Var* var) {
    if (!same_name(var->ns->name, from->name) || var->is_private(view) || !var->is_bound(view))
      return;
    const Var* known = find_var_locked(into->name, name, view);
    // What the namespace has defined itself stays.
    if (known == var) return;
    if (known != nullptr && same_name(known->ns->name, into->name) && known->is_bound(view)) return;
    if (own == nullptr) own = own_of(into);
    own->vars.put(region_, name, var);
  });
}

void Namespaces::alias(const Namespace* in, SymbolEntry* alias, Namespace* target) {
  Guard guard(lock_);
  own_of(in)->aliases.put(region_, alias, target);
}

Namespace* Namespaces::aliased_locked(const SymbolEntry* ns, const SymbolEntry* alias) const {
  const Places places(*this);
  for (unsigned i = 0; i < places.count; ++i) {
    const auto* here = static_cast<const Namespace*>(places.tables[i]->find(ns));
    void* target = here == nullptr ? nullptr : here->aliases.find(alias);
    if (target != nullptr) return static_cast<Namespace*>(target);
  }
  return nullptr;
}

Namespace* Namespaces::aliased(const Namespace* ns, const SymbolEntry* alias) const {
  Guard guard(lock_);
  return aliased_locked(ns->name, alias);
}

Var* Namespaces::find_var_locked(const SymbolEntry* ns, const SymbolEntry* name,
                                 const Load* view) const {
  const Places places(*this);
  Var* unbound = nullptr;
  for (unsigned i = 0; i < places.count; ++i) {
    const auto* here = static_cast<const Namespace*>(places.tables[i]->find(ns));
    Var* var = here == nullptr ? nullptr : here->find(name);
    if (var == nullptr) continue;
    if (var->is_bound(view) || var->is_declared()) return var;
    if (unbound == nullptr) unbound = var;
  }
  return unbound;
}

Var* Namespaces::find_var(const Namespace* ns, const SymbolEntry* name, const Load* view) const {
  Guard guard(lock_);
  return find_var_locked(ns->name, name, view);
}

Var* Namespaces::resolve(const Namespace* ns, SymbolEntry* symbol, const Load* view) const {
  Guard guard(lock_);
  return resolve_locked(ns, symbol, view);
}

Var* Namespaces::resolve_locked(const Namespace* ns, SymbolEntry* symbol, const Load* view) const {
  if (symbol->name_offset != 0) {
    const SymbolEntry* prefix = lona::vm::intern(symbol->ns());
    if (const Namespace* target = aliased_locked(ns->name, prefix)) prefix = target->name;
    return find_var_locked(prefix, lona::vm::intern(symbol->name()), view);
  }
  Var* own = find_var_locked(ns->name, symbol, view);
  if (own != nullptr && (own->is_bound(view) || own->is_declared())) return own;
  Var* core = find_var_locked(lona::vm::intern("lona.core"), symbol, view);
  if (core != nullptr && core->is_bound(view) && !core->is_private(view)) return core;
  return own;
}

bool is_special_form(const SymbolEntry* name) {
  static constexpr std::string_view kNames[] = {"def",   "fn*", "match",  "do",
                                                "quote", "var", "receive"};
  for (std::string_view n : kNames) {
    if (name->full() == n) return true;
  }
  return false;
}

SymbolEntry* Namespaces::qualify(const Namespace* ns, SymbolEntry* symbol, const Load* view) const {
  std::string_view text = symbol->full();
  if (is_special_form(symbol) || text == "&" || text == "_" || text == "when" ||
      text.starts_with('.') || text.ends_with('.')) {
    return symbol;
  }
  std::string_view prefix, name = symbol->name();
  if (Var* var = resolve(ns, symbol, view)) {
    prefix = var->ns->name->full();
    name = var->name->full();
  } else if (symbol->name_offset != 0) {
    return symbol;
  } else {
    prefix = ns->name->full();
  }
  constexpr std::size_t kMost = 1024;
  char buffer[kMost];
  if (prefix.size() + 1 + name.size() > kMost) return symbol;
  char* p = std::copy(prefix.begin(), prefix.end(), buffer);
  *p++ = '/';
  p = std::copy(name.begin(), name.end(), p);
  return lona::vm::intern({buffer, static_cast<std::size_t>(p - buffer)});
}

namespace {

// Edit distance of two short names, cut off above `most`; two neighbours exchanged are one edit.
unsigned distance(std::string_view a, std::string_view b, unsigned most) {
  constexpr std::size_t kLongest = 40;
  if (a.size() > kLongest || b.size() > kLongest) return most + 1;
  unsigned rows[3][kLongest + 1];  // of letters i, i-1 and i-2 of `a`, by turns
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = static_cast<unsigned>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    unsigned* row = rows[i % 3];
    const unsigned* last = rows[(i + 2) % 3];
    const unsigned* before = rows[(i + 1) % 3];
    row[0] = static_cast<unsigned>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      unsigned change = last[j - 1] + (a[i - 1] != b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return rows[a.size() % 3][b.size()];
}

}  // namespace

Var* Namespaces::nearest(const Namespace* ns, const SymbolEntry* name) const {
  Var* best = nullptr;
  if (name->name().size() < 3) return nullptr;  // everything short is near
  Guard guard(lock_);
  unsigned most = name->name().size() <= 5 ? 1 : 2;
  for (const SymbolEntry* where : {ns->name, lona::vm::intern("lona.core")}) {
    each_var_locked(where, [&](SymbolEntry* candidate, Var* var) {
      if (!var->is_bound() || same_name(candidate, name)) return;
      unsigned d = distance(name->name(), candidate->full(), most);
      if (d <= most) {
        best = var;
        most = d - 1;
      }
    });
  }
  return best;
}

}  // namespace lona::vm
