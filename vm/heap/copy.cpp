// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/copy.hpp"

#include <algorithm>
#include <utility>

#include "vm/data/work_stack.hpp"
#include "vm/heap/arena.hpp"
#include "vm/heap/copy_words.hpp"
#include "vm/heap/fragment.hpp"
#include "vm/process/process.hpp"
#include "vm/term/object.hpp"

namespace lona::vm {

namespace {

bool is_pointer(Term t) {
  static_assert(static_cast<unsigned>(Tag::kPair) == 1 && static_cast<unsigned>(Tag::kBoxed) == 2);
  return ((t.bits() + 1) & 6) == 2;
}

const Word* address(Term t) {
  return t.is_pair() ? t.cell() : t.box();
}

// Where the terms of an object of this header start; its end when it has none.
std::size_t first_term(Header h) {
  return std::min<std::size_t>(kRawWords[static_cast<unsigned>(h.kind())], h.words());
}

// A range of memory, asked with the bits of a pointer: its tag is less than a word.
class Range {
 public:
  Range() = default;
  Range(const Word* from, const Word* to)
      : start_(reinterpret_cast<Word>(from)), bytes_(reinterpret_cast<Word>(to) - start_) {}
  bool holds(Term pointer) const { return pointer.bits() - start_ < bytes_; }

 private:
  Word start_ = 0, bytes_ = 0;
};

// Where the words of a process are, for as long as it does not run: in its block, its old part and
// its fragments. Two of them are asked at once; a fragment where something was found takes the
// block's place until something is looked for there.
class ProcessWords {
 public:
  explicit ProcessWords(const Process& p)
      : process_(p), near_(p.block_, p.block_end_), old_(p.old_, p.old_top_) {}
  [[gnu::always_inline]] bool owns(Term pointer) {
    if (near_.holds(pointer)) [[likely]]
      return true;
    if (old_.holds(pointer)) [[unlikely]]
      return true;
    if (!process_.has_fragments()) return false;
    const Range found = look(process_, pointer);
    if (!found.holds(pointer)) return false;
    near_ = found;
    return true;
  }

 private:
  [[gnu::noinline]] static Range look(const Process& p, Term pointer) {
    if (const Range block(p.block_, p.block_end_); block.holds(pointer)) return block;
    const Fragment* f = p.fragment_of(address(pointer));
    return f != nullptr ? Range(f->data, f->top) : Range();
  }

  const Process& process_;
  Range near_, old_;
};

class ArenaWords {
 public:
  explicit ArenaWords(const Arena& arena) : arena_(arena) {}
  bool owns(Term pointer) const { return arena_.owns(address(pointer)); }

 private:
  const Arena& arena_;
};

// A term that is to be looked at, and where its copy is wanted.
struct Part {
  Term value;
  Word* slot;
};

// What a walk through all of a value that the source owns does with it.
enum class Does : bool { kCount, kCopy };

struct Walked {
  enum class End : std::uint8_t { kDone, kFull, kNoMemory } end;
  Term result;
  std::size_t words;
};

// Depth first; what an object has besides the part that is looked at next waits on a stack. Of a
// pair the rest waits, so a list of whatever length takes one place. Full: it is more than `room`
// words. `note` is told of objects with raw words. All that is used for each word is local and
// leaves no address behind, so that it stays in registers: the time of messages is spent here.
template <Does kDoes, typename Source, typename Note>
Walked walk(Source source, Term root, Word* to, std::size_t room, Note note) {
  using End = Walked::End;
  constexpr bool kCopies = kDoes == Does::kCopy;
  const auto needs_copy = [&](Term t) __attribute__((always_inline)) {
    return is_pointer(t) && source.owns(t);
  };
  if (!needs_copy(root)) return {End::kDone, root, 0};
  WorkStack<Part, 64> stack;
  Part* top = stack.data();
  Part* limit = top + stack.capacity();
  const auto push = [&](Part part) __attribute__((always_inline)) {
    if (top == limit) [[unlikely]] {
      const std::size_t count = stack.capacity();
      if (!stack.grow_full()) return false;
      top = stack.data() + count;
      limit = stack.data() + stack.capacity();
    }
    *top++ = part;
    return true;
  };
  std::size_t left = room;
  // Nowhere, when nothing is copied.
  const auto behind = [](Word* at, std::size_t words)
                          __attribute__((always_inline)) { return kCopies ? at + words : nullptr; };
  const auto take = [&](std::size_t words) __attribute__((always_inline)) {
    left -= words;
    return std::exchange(to, behind(to, words));
  };
  Word result = root.bits();
  Part at{root, &result};
  for (;;) {
    if (at.value.is_pair()) {
      if (left < 2) return {End::kFull, root, room};
      Word* copy = take(2);
      const Term first = at.value.first(), rest = at.value.rest();
      if constexpr (kCopies) {
        *at.slot = Term::pair(copy).bits();
        copy[0] = first.bits();
        copy[1] = rest.bits();
      }
      const bool more = needs_copy(rest);
      if (needs_copy(first)) {
        if (more && !push({rest, behind(copy, 1)})) return {End::kNoMemory, root, room};
        at = {first, copy};
        continue;
      }
      if (more) {
        at = {rest, behind(copy, 1)};
        continue;
      }
    } else {
      const Word* from = at.value.box();
      const Header h = Header::from_bits(*from);
      const std::size_t words = h.words() + 1;
      if (left < words) return {End::kFull, root, room};
      Word* copy = take(words);
      if constexpr (kCopies) {
        *at.slot = Term::boxed(copy).bits();
        *copy = h.bits();
      }
      std::size_t i = first_term(h) + 1;
      if (i != 1) note(h, from, copy, i);
      Part next{};
      for (; i < words; ++i) {
        const Term part = Term::from_bits(from[i]);
        if constexpr (kCopies) copy[i] = part.bits();
        if (!needs_copy(part)) continue;
        if (!next.value.is_nil() && !push(next)) return {End::kNoMemory, root, room};
        next = {part, behind(copy, i)};
      }
      if (!next.value.is_nil()) {
        at = next;
        continue;
      }
    }
    if (top == stack.data()) return {End::kDone, Term::from_bits(result), room - left};
    at = *--top;
  }
}

// Shared parts are counted each time they are reached: a small value may ask for more than any
// memory has.
template <typename Source, typename Owner>
[[gnu::noinline]] std::optional<std::size_t> size_of(const Owner& owner, Term t, std::size_t most,
                                                     const Word** buffer = nullptr) {
  const auto note = [buffer](Header h, const Word* from, Word*, std::size_t) {
    if (buffer != nullptr && h.kind() == Kind::kByteBuffer) *buffer = from;
  };
  const Walked walked = walk<Does::kCount>(Source(owner), t, nullptr, most, note);
  if (walked.end != Walked::End::kDone) return {};
  return walked.words;
}

std::size_t words_of_memory() {
  return platform::memory_figures().limit / sizeof(Word);
}

template <typename Source, typename Owner>
[[gnu::noinline]] Copied copy(const Owner& owner, Term t, std::span<Word> to, Word*& blobs) {
  const auto note = [&blobs](Header h, const Word* from, Word* copy, std::size_t words) {
    copy_words(copy + 1, from + 1, words - 1);
    if (h.kind() == Kind::kBlob) OffHeapList::chain_copy(blobs, copy);
  };
  const Walked walked = walk<Does::kCopy>(Source(owner), t, to.data(), to.size(), note);
  if (walked.end == Walked::End::kDone) return {walked.result, walked.words, false};
  return {Term::absent(), 0, walked.end == Walked::End::kFull};
}

template <typename Source, typename Owner>
Term to_heap(Heap& target, const Owner& owner, Term t) {
  std::optional<std::size_t> words = size_of<Source>(owner, t, words_of_memory());
  if (!words) return Term::absent();
  if (*words == 0) return t;
  Word* to = target.try_alloc(*words);
  if (to == nullptr) return Term::absent();
  Word* blobs = nullptr;
  const Copied copied = copy<Source>(owner, t, {to, *words}, blobs);
  if (copied.value == Term::absent()) {
    OffHeapList::release_chain(blobs);
  } else {
    target.off_heap().append(blobs);
  }
  return copied.value;
}

}  // namespace

std::optional<std::size_t> copy_size(const Process& source, Term t) {
  if (!is_pointer(t)) return 0;
  return size_of<ProcessWords>(source, t, words_of_memory());
}
std::optional<std::size_t> copy_size(const Arena& source, Term t) {
  if (!is_pointer(t)) return 0;
  return size_of<ArenaWords>(source, t, words_of_memory());
}
std::optional<std::size_t> copy_size(const Process& source, Term t, std::size_t most) {
  if (!is_pointer(t)) return 0;
  return size_of<ProcessWords>(source, t, most);
}
Term byte_buffer_in(const Process& source, Term t) {
  if (is_kind(t, Kind::kByteBuffer)) return t;
  // Whoever has a byte buffer has its block.
  if (source.off_heap().empty()) return Term::absent();
  const Word* found = nullptr;
  size_of<ProcessWords>(source, t, words_of_memory(), &found);
  return found == nullptr ? Term::absent() : Term::boxed(const_cast<Word*>(found));
}
Copied copy_into(const Process& source, Term t, std::span<Word> to, Word*& blobs) {
  if (!is_pointer(t)) return {t, 0, false};
  return copy<ProcessWords>(source, t, to, blobs);
}
Copied copy_into(const Arena& source, Term t, std::span<Word> to, Word*& blobs) {
  if (!is_pointer(t)) return {t, 0, false};
  return copy<ArenaWords>(source, t, to, blobs);
}
Term copy_to(Heap& target, const Process& source, Term t) {
  return to_heap<ProcessWords>(target, source, t);
}
Term copy_to(Heap& target, const Arena& source, Term t) {
  return to_heap<ArenaWords>(target, source, t);
}

}  // namespace lona::vm
