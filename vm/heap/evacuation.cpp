// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/evacuation.hpp"

#include <algorithm>

#include "vm/heap/copy_words.hpp"
#include "vm/heap/fragment.hpp"
#include "vm/interp/frame.hpp"

namespace lona::vm {

bool Evacuation::in_fragment(const Word* a) const {
  for (const Fragment* f = p_.fragments_; f != nullptr; f = f->next) {
    if (f->holds(a)) return true;
  }
  return false;
}

Word** Evacuation::target(const Word* a) {
  if (a >= p_.block_ && a < p_.heap_top()) return a < p_.high_water_ ? &old_top_ : &young_top_;
  if (a >= p_.old_ && a < p_.old_top_) return kind_ == Kindness::kMajor ? &old_top_ : nullptr;
  return p_.fragments_ != nullptr && in_fragment(a) ? &young_top_ : nullptr;
}

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
    copy_words(copy, box, h.words() + 1);
    Term moved = Term::boxed(copy);
    box[0] = moved.bits();
    return moved;
  }
  return t;
}

// What is raw costs nothing here: its copying has been paid for.
Word* Evacuation::scan(Word* from, Word* const& top, std::size_t words) {
  constexpr std::ptrdiff_t kAhead = 16;
  while (from < top && words != 0) {
    // What the copies refer to lies anywhere: it is fetched while those before it are copied.
    if (from + kAhead < top) {
      const Term ahead = Term::from_bits(from[kAhead]);
      if (ahead.is_pair() || ahead.is_boxed()) __builtin_prefetch(ahead.box());
    }
    Header h = Header::from_bits(*from);
    if (!h.is_header()) {
      root(*from++);
      --words;
      continue;
    }
    unsigned raw = kRawWords[static_cast<unsigned>(h.kind())];
    from += 1 + (raw == kAllRaw || raw > h.words() ? h.words() : raw);
  }
  return from;
}

void Evacuation::roots(std::uint16_t live) {
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
  root(p_.exit_reason_);
  root(p_.result_);
  root(p_.pending_fn_);
  root(p_.pending_args_);
  root(p_.bindings_);
}

bool Evacuation::step(std::size_t words) {
  constexpr std::size_t kPiece = 1024;
  while (young_scan_ != young_top_ || old_scan_ != old_top_) {
    if (words == 0) return false;
    std::size_t before = copied();
    young_scan_ = scan(young_scan_, young_top_, kPiece);
    if (old_scan_ != old_top_) old_scan_ = scan(old_scan_, old_top_, kPiece);  // there may be none
    words -= std::min(words, kPiece + copied() - before);
  }
  return true;
}

void Evacuation::sweep_off_heap() {
  auto fate = [this](Word* blob) -> Word* {
    if (target(blob) == nullptr) return blob;
    Header h = Header::from_bits(blob[0]);
    return h.is_header() ? nullptr : Term::from_bits(blob[0]).box();
  };
  auto old = [this](const Word* blob) { return blob < young_ || blob >= young_top_; };
  p_.off_heap().sweep(kind_ == Kindness::kMajor, fate, old);
}

}  // namespace lona::vm
