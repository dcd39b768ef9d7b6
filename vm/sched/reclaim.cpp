// SPDX-License-Identifier: BSD-2-Clause
// What keeps code and the values of vars: vars, and whatever a process holds (its heap and stack,
// messages it has not taken, where it failed), and messages that are to be sent later. Forms that
// are being compiled hold some too; but a compilation is over within a slice of its worker, and no
// worker is inside a slice when this is done.
//
// All workers wait meanwhile. The store asks for it so seldom that looking takes little of the time
// that making so much code took.
//
// A realm with children asks them before it frees (CodeStore::retire). The realms' services carry
// questions and answers (lib/lona/realm_code.lona); each realm looks for what it holds of the
// realms above it here. It looks before it asks its own children: what it does not hold then, it
// cannot give to them later.
#include <algorithm>
#include <optional>

#include "vm/code/level.hpp"
#include "vm/heap/collector.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"
#include "vm/sched/workers.hpp"

namespace lona::vm {

namespace {

// Calls f(context, words) for everything that may hold an address of code or of a var's value.
using Visit = void (*)(void* context, std::span<const Word>);

template <typename T>
void visit_object(Visit f, void* context, const T& object) {
  static_assert(sizeof(T) % sizeof(Word) == 0 && alignof(T) == alignof(Word));
  f(context, {reinterpret_cast<const Word*>(&object), sizeof(T) / sizeof(Word)});
}

void visit_messages(Visit f, void* context, const Fragment* list) {
  for (const Fragment* m = list; m != nullptr; m = m->next) {
    visit_object(f, context, m->value);
    f(context, {m->data, m->end()});
  }
}

void visit_process(Visit f, void* context, const Process& p) {
  visit_object(f, context, p);
  if (p.trace_ != nullptr) visit_object(f, context, *p.trace_);
  each_heap_part(p, f, context);
  visit_messages(f, context, p.inbox_);
  const Fragment* arrived = p.arrived_.load();
  if (arrived != Process::closed()) visit_messages(f, context, arrived);
}

void visit_all(const Vm::State& s, Visit f, void* context) {
  s.namespaces.each_writable_var([&](const Var* var) { visit_object(f, context, *var); });
  for (std::uint32_t i = 0; i < s.table.slots(); ++i) {
    if (const Process* p = s.table.at(i)) visit_process(f, context, *p);
  }
  for (unsigned i = 0; i < s.worker_count; ++i) {
    s.workers[i]->message_timers.each(
        [&](const MessageTimer& timer) { visit_messages(f, context, timer.message); });
  }
}

void mark_words(void* store, std::span<const Word> words) {
  static_cast<CodeStore*>(store)->mark(words);
}

// The cells of the realms above that this one may hold something of, as a set with open addressing.
class InheritedCells {
 public:
  InheritedCells() : places_(static_cast<Word*>(platform::map_pages(kBytes))) {}
  ~InheritedCells() {
    if (places_ != nullptr) platform::unmap_pages(places_, kBytes);
  }
  InheritedCells(const InheritedCells&) = delete;
  InheritedCells& operator=(const InheritedCells&) = delete;

  void note(std::span<const Word> words) {
    for (Word word : words) {
      if (is_in_level_above(reinterpret_cast<const void*>(word)) && places_ != nullptr) add(word);
    }
  }
  static void note_words(void* cells, std::span<const Word> words) {
    static_cast<InheritedCells*>(cells)->note(words);
  }
  // Nothing when there are too many.
  std::optional<std::span<const Word>> cells() {
    if (places_ == nullptr || count_ > kMost) return {};
    Word* end = std::remove(places_, places_ + kPlaces, Word{0});
    return std::span<const Word>(places_, end);
  }

 private:
  static constexpr std::size_t kPlaces = 16 * 1024, kMost = kPlaces / 2;
  static constexpr std::size_t kBytes = kPlaces * sizeof(Word);

  void add(Word word) {
    const Word cell = word & ~Word{CodeStore::kCell - 1};
    if (count_ > kMost) return;
    std::size_t i = static_cast<std::size_t>(cell * 0x9e3779b97f4a7c15 >> 32) % kPlaces;
    while (places_[i] != 0 && places_[i] != cell) i = (i + 1) % kPlaces;
    if (places_[i] == 0) count_++;
    places_[i] = cell;
  }

  Word* places_;
  std::size_t count_ = 0;
};

void list_inherited(Worker& w) {
  Vm::State& s = w.vm.state();
  InheritedCells cells;
  {
    AllPaused paused(w);
    if (!paused.all_between_slices(w)) return;
    visit_all(s, &InheritedCells::note_words, &cells);
    s.code.each_block([&](std::span<const Word> words) { cells.note(words); });
  }
  s.inherited_lists.fetch_sub(1, std::memory_order_relaxed);
  s.realms.tell_inherited(w, cells.cells());
}

}  // namespace

void reclaim_code(Worker& w) {
  Vm::State& s = w.vm.state();
  if (s.inherited_lists.load(std::memory_order_relaxed) != 0) list_inherited(w);
  bool ask = false;
  {
    AllPaused paused(w);
    if (!s.code.due() || !paused.all_between_slices(w)) return;
    if (!s.code.is_answered()) {
      visit_all(s, &mark_words, &s.code);
      ask = s.realms.has_children();
    }
    if (ask) {
      s.code.retire();
    } else {
      s.code.sweep();
    }
  }
  // Without a service there is nobody to ask, and with it gone nobody to answer.
  if (ask && !s.realms.tell_retired(w)) s.code.drop_retired();
}

}  // namespace lona::vm
