// SPDX-License-Identifier: BSD-2-Clause
// The copying at the heart of a collection (Cheney's algorithm): roots first, then the copies
// themselves are the queue. It can be done in steps, as the process does not run meanwhile.
#pragma once

#include "vm/process/process.hpp"

namespace lona::vm {

enum class Kindness : bool { kMinor, kMajor };

class Evacuation {
 public:
  // Copies of young objects go to `young`, those of mature ones to `old`: to the end of the old
  // part (minor), or to a new old part, together with what lives of the present one (major).
  Evacuation(Process& p, Kindness kind, Word* young, Word* old)
      : p_(p),
        kind_(kind),
        young_(young),
        young_scan_(young),
        young_top_(young),
        old_(old),
        old_scan_(old),
        old_top_(old) {}

  // All roots; `live` is the live map of the current instruction.
  void roots(std::uint16_t live);
  // Goes on for about `words`; true when everything has been copied.
  bool step(std::size_t words);
  // At the end: the Blobs of the process.
  void sweep_off_heap();

  Kindness kind() const { return kind_; }
  Word* young_top() const { return young_top_; }
  Word* old_top() const { return old_top_; }
  std::size_t copied() const {
    return static_cast<std::size_t>(young_top_ - young_) +
           static_cast<std::size_t>(old_top_ - old_);
  }

 private:
  bool in_fragment(const Word* a) const;
  // The place for an object's copy, or null when the object stays where it is.
  Word** target(const Word* a);
  Term move(Term t);
  void root(Word& slot) { slot = move(Term::from_bits(slot)).bits(); }
  void root(Term& slot) { slot = move(slot); }
  // `top` moves on meanwhile.
  Word* scan(Word* from, Word* const& top, std::size_t words);

  Process& p_;
  Kindness kind_;
  Word* young_;
  Word* young_scan_;
  Word* young_top_;
  Word* old_;
  Word* old_scan_;
  Word* old_top_;
};

}  // namespace lona::vm
