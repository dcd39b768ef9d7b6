// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/collector.hpp"

#include <cstring>

#include "vm/heap/allocator.hpp"
#include "vm/heap/fragment.hpp"
#include "vm/interp/frame.hpp"
#include "vm/process/worker.hpp"

namespace lona::vm {

std::size_t block_size_for(std::size_t words) {
  std::size_t size = Process::kFirstBlockWords, next = 377;
  while (size < words && size < (1u << 20)) {
    std::size_t sum = size + next;
    size = next;
    next = sum;
  }
  while (size < words) size += size / 5;
  return size;
}

namespace {

enum class Kindness : bool { kMinor, kMajor };

class Evacuation {
 public:
  Evacuation(Process& p, Kindness kind, Word* young, Word* old)
      : p_(p), kind_(kind), young_(young), young_top_(young), old_from_(old), old_top_(old) {}

  void run(std::uint16_t live);
  // After run: the Blobs of the process.
  void sweep_off_heap();
  Word* young_top() const { return young_top_; }
  Word* old_top() const { return old_top_; }

 private:
  bool is_young(const Word* a) const {
    if (a >= p_.block_ && a < p_.heap_top()) return true;
    for (const Fragment* f = p_.fragments_; f != nullptr; f = f->next) {
      if (f->holds(a)) return true;
    }
    return false;
  }
  bool in_young_copy(const Word* a) const { return a >= young_ && a < young_top_; }
  // The place for an object's copy, or null when the object stays where it is.
  Word** target(const Word* a) {
    if (a >= p_.block_ && a < p_.heap_top()) {
      return kind_ == Kindness::kMinor && a < p_.high_water_ ? &old_top_ : &young_top_;
    }
    if (a >= p_.old_ && a < p_.old_top_) {
      return kind_ == Kindness::kMajor ? &young_top_ : nullptr;
    }
    return p_.fragments_ != nullptr && is_young(a) ? &young_top_ : nullptr;
  }
  Term move(Term t);
  void root(Word& slot) { slot = move(Term::from_bits(slot)).bits(); }
  void root(Term& slot) { slot = move(slot); }
  Word* scan(Word* from, Word*& top);
  void frames(std::uint16_t live);

  Process& p_;
  Kindness kind_;
  Word* young_;
  Word* young_top_;
  Word* old_from_;
  Word* old_top_;
};

Term Evacuation::move(Term t) {
  if (t.is_pair()) {
    Word* cell = t.cell();
    Word** top = target(cell);
    if (top == nullptr) return t;
    if (Term::from_bits(cell[0]) == Term::moved()) return Term::from_bits(cell[1]);
    Word* copy = *top;
    *top += 2;
    copy[0] = cell[0];
    copy[1] = cell[1];
    Term moved = Term::pair(copy);
    cell[0] = Term::moved().bits();
    cell[1] = moved.bits();
    return moved;
  }
  if (t.is_boxed()) {
    Word* box = t.box();
    Word** top = target(box);
    if (top == nullptr) return t;
    Header h = Header::from_bits(box[0]);
    if (!h.is_header()) return Term::from_bits(box[0]);
    Word* copy = *top;
    *top += h.words() + 1;
    std::memcpy(copy, box, (h.words() + 1) * sizeof(Word));
    Term moved = Term::boxed(copy);
    box[0] = moved.bits();
    return moved;
  }
  return t;
}

Word* Evacuation::scan(Word* from, Word*& top) {
  while (from < top) {
    Header h = Header::from_bits(*from);
    if (!h.is_header()) {
      root(*from++);
      continue;
    }
    unsigned raw = kRawWords[static_cast<unsigned>(h.kind())];
    from += 1 + (raw == kAllRaw || raw > h.words() ? h.words() : raw);
  }
  return from;
}

void Evacuation::frames(std::uint16_t live) {
  each_frame(p_, [&](Word* fp, const Instruction* call, std::uint32_t base) {
    // Before the closure moves: its header may become a forwarding pointer.
    const Function* f = running_function(fp);
    std::size_t map = std::size_t{call == nullptr ? live : call->c} * f->live_words;
    for (std::uint16_t w = 0; w < f->live_words; ++w) {
      std::uint64_t bits = f->live_maps[map + w];
      while (bits != 0) {
        std::uint32_t reg = w * 64u + static_cast<std::uint32_t>(__builtin_ctzll(bits));
        bits &= bits - 1;
        if (reg < base) root(fp[-static_cast<std::ptrdiff_t>(reg)]);
      }
    }
  });
  each_frame(p_, [&](Word* fp, const Instruction*, std::uint32_t) { root(fp[2]); });
}

void Evacuation::run(std::uint16_t live) {
  frames(live);
  root(p_.exit_reason_);
  root(p_.result_);
  root(p_.pending_fn_);
  root(p_.pending_args_);
  root(p_.bindings_);
  Word* young = young_;
  Word* old = old_from_;
  while (young < young_top_ || old < old_top_) {
    young = scan(young, young_top_);
    old = scan(old, old_top_);
  }
}

void Evacuation::sweep_off_heap() {
  auto fate = [this](Word* blob) -> Word* {
    if (target(blob) == nullptr) return blob;
    Header h = Header::from_bits(blob[0]);
    return h.is_header() ? nullptr : Term::from_bits(blob[0]).box();
  };
  auto old = [this](const Word* blob) { return kind_ == Kindness::kMinor && !in_young_copy(blob); };
  p_.off_heap().sweep(kind_ == Kindness::kMajor, fate, old);
}

// A block of `words`: the one inside the process when it fits and is free.
Word* take_block(Process& p, std::size_t words) {
  if (words <= Process::kFirstBlockWords && p.block_ != p.first_block()) return p.first_block();
  return static_cast<Word*>(allocator_of(p).allocate(words * sizeof(Word)));
}

void free_block(Process& p, Word* block, std::size_t words) {
  if (block == nullptr || block == p.first_block()) return;
  allocator_of(p).release(block, words * sizeof(Word));
}

void free_fragments(Process& p) {
  while (p.fragments_ != nullptr) {
    Fragment* f = p.fragments_;
    p.fragments_ = f->next;
    free_fragment(p, f);
  }
  p.overflow_ = nullptr;
  p.fragment_count_ = 0;
  p.fragment_words_ = 0;
}

void free_old(Process& p) {
  if (p.old_ != nullptr) allocator_of(p).release(p.old_, p.old_words() * sizeof(Word));
  p.old_ = p.old_top_ = p.old_end_ = nullptr;
}

// The lowest stack word in use.
Word* stack_floor(Process& p) {
  return p.fp_ - p.slack_;
}

bool over_limit(const Process& p, std::size_t words) {
  return p.max_heap_words_ != 0 && words > p.max_heap_words_;
}

// Copies the living part to a fresh block of `words`, the mature part to the old heap (minor).
bool evacuate(Process& p, Kindness kind, std::uint16_t live, std::size_t words) {
  Word* block = take_block(p, words);
  if (block == nullptr) return false;
  Word* floor = stack_floor(p);
  auto stack = static_cast<std::size_t>(p.block_end_ - floor);
  std::size_t before = static_cast<std::size_t>(p.heap_top() - p.block_) + p.fragment_words_ +
                       static_cast<std::size_t>(p.old_top_ - p.old_);

  Evacuation e(p, kind, block, kind == Kindness::kMinor ? p.old_top_ : nullptr);
  e.run(live);
  e.sweep_off_heap();

  Word* end = block + words;
  std::memcpy(end - stack, floor, stack * sizeof(Word));
  p.fp_ = end - (p.block_end_ - p.fp_);
  Word* old_block = p.block_;
  std::size_t old_block_words = p.block_words();
  if (kind == Kindness::kMajor) {
    free_old(p);
    p.major_collections_++;
    p.minors_since_major_ = 0;
  } else {
    p.old_top_ = e.old_top();
    p.minor_collections_++;
    p.minors_since_major_++;
  }
  p.block_ = block;
  p.block_end_ = end;
  p.block_top_ = nullptr;
  p.set_top(e.young_top());
  p.high_water_ = p.peeking_ ? block : e.young_top();
  free_block(p, old_block, old_block_words);
  free_fragments(p);
  std::size_t after =
      static_cast<std::size_t>(p.top() - p.block_) + static_cast<std::size_t>(p.old_top_ - p.old_);
  p.reclaimed_words_ += before > after ? before - after : 0;
  return true;
}

// Room in the old part for everything mature; a new old part when there is none.
bool old_has_room(Process& p) {
  auto mature = static_cast<std::size_t>(p.high_water_ - p.block_);
  if (mature == 0) return true;
  if (p.old_ != nullptr) return mature <= static_cast<std::size_t>(p.old_end_ - p.old_top_);
  std::size_t words = block_size_for(mature * 2 > p.block_words() ? mature * 2 : p.block_words());
  if (over_limit(p, words + p.block_words())) return false;
  p.old_ = static_cast<Word*>(allocator_of(p).allocate(words * sizeof(Word)));
  if (p.old_ == nullptr) return false;
  p.old_top_ = p.old_;
  p.old_end_ = p.old_ + words;
  return true;
}

}  // namespace

// So many minor collections may pass before what has died in the old part is looked for too.
constexpr std::uint32_t kMinorsBetweenMajors = 65'535;

bool major_due(const Process& p) {
  return p.collect_all_ || p.minors_since_major_ >= kMinorsBetweenMajors;
}

bool collect(Process& p, std::uint16_t live, std::size_t need) {
  p.collect_ = false;
  auto young = static_cast<std::size_t>(p.heap_top() - p.block_) + p.fragment_words_;
  auto stack = static_cast<std::size_t>(p.block_end_ - stack_floor(p));

  Kindness kind = major_due(p) || !old_has_room(p) ? Kindness::kMajor : Kindness::kMinor;
  p.collect_all_ = false;
  std::size_t most = young + stack;
  if (kind == Kindness::kMajor) most += static_cast<std::size_t>(p.old_top_ - p.old_);
  std::size_t words = block_size_for(most);
  if (words < p.block_words() && most * 2 > p.block_words())
    words = block_size_for(p.block_words());
  if (!evacuate(p, kind, live, words)) {
    // What must be copied at most is seldom what lives; but without room for it we cannot know.
    return false;
  }

  // What lives and is needed now decides the size: between a quarter and three quarters full.
  auto alive = static_cast<std::size_t>(p.top() - p.block_);
  std::size_t wanted = alive + stack + need;
  std::size_t size = p.block_words();
  std::size_t fit = size;
  if (wanted > size / 4 * 3) {
    fit = block_size_for(wanted + wanted / 3 + 1);
  } else if (wanted < size / 8 && size > Process::kFirstBlockWords) {
    fit = block_size_for(wanted * 3);
  }
  std::size_t elsewhere = p.old_words() + p.off_heap_words();
  if (over_limit(p, fit + elsewhere)) {
    fit = p.max_heap_words_ > elsewhere ? p.max_heap_words_ - elsewhere : 0;
    if (fit < wanted) return false;
    if (fit < size && wanted <= size) fit = size;
  }
  if (fit == size) return true;
  // This second copy is not a collection of its own: nothing ages by it.
  std::uint32_t minor = p.minor_collections_;
  Word* mark = p.high_water_;
  bool peeking = p.peeking_;
  p.high_water_ = p.block_;
  bool moved = evacuate(p, Kindness::kMinor, live, fit);
  p.minor_collections_ = minor;
  if (moved) {
    p.high_water_ = peeking ? p.block_ : p.top();
  } else {
    p.high_water_ = mark;
  }
  return moved || wanted <= size;
}

void free_heap(Process& p) {
  p.off_heap().release_all();
  free_fragments(p);
  free_old(p);
  free_block(p, p.block_, p.block_words());
  p.block_ = nullptr;
}

}  // namespace lona::vm
