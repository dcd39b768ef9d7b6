// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/copy.hpp"

#include "vm/data/work_stack.hpp"
#include "vm/heap/arena.hpp"
#include "vm/heap/copy_words.hpp"
#include "vm/process/process.hpp"
#include "vm/term/object.hpp"

namespace lona::vm {

namespace {

bool is_pointer(Term t) {
  static_assert(static_cast<unsigned>(Tag::kPair) == 1 && static_cast<unsigned>(Tag::kBoxed) == 2);
  return static_cast<unsigned>(t.tag()) - 1 <= 1;
}

const Word* address(Term t) {
  return t.is_pair() ? t.cell() : t.box();
}

// Where the terms of an object of this header start; its end when it has none.
std::size_t first_term(Header h) {
  unsigned raw = kRawWords[static_cast<unsigned>(h.kind())];
  return raw == kAllRaw || raw > h.words() ? h.words() : raw;
}

// Where the words of a process are, for as long as it does not run: most are in its block or its
// old part, so that is looked at first.
class ProcessWords {
 public:
  explicit ProcessWords(const Process& p)
      : process_(p),
        block_(p.block_),
        block_words_(p.block_words()),
        old_(p.old_),
        old_words_(static_cast<std::size_t>(p.old_top_ - p.old_)) {}
  bool owns(const Word* a) const {
    return within(a, block_, block_words_) || within(a, old_, old_words_) ||
           (process_.has_fragments() && process_.owns(a));
  }

 private:
  static bool within(const Word* a, const Word* start, std::size_t words) {
    return reinterpret_cast<std::uintptr_t>(a) - reinterpret_cast<std::uintptr_t>(start) <
           words * sizeof(Word);
  }
  const Process& process_;
  const Word* block_;
  std::size_t block_words_;
  const Word* old_;
  std::size_t old_words_;
};

// Depth first; what a node has besides the part that is looked at next waits on a stack. A list's
// rest waits, so a list of whatever length takes one place.
template <typename Source>
std::optional<std::size_t> size_of(const Source& source, Term root, bool* has_buffer = nullptr) {
  if (!is_pointer(root) || !source.owns(address(root))) return 0;
  // Shared parts are counted each time they are reached: a small value may ask for more than any
  // memory has.
  std::size_t most = platform::memory_figures().limit / sizeof(Word);
  WorkStack<Term, 64> todo;
  std::size_t words = 0;
  Term t = root;
  for (;;) {
    const Word* p = address(t);
    Term next = Term::nil();
    auto look_at = [&](Term part) __attribute__((always_inline)) {
      if (!is_pointer(part) || !source.owns(address(part))) return true;
      if (!next.is_nil()) return todo.push(part);
      next = part;
      return true;
    };
    if (t.is_pair()) {
      words += 2;
      if (!look_at(t.first()) || !look_at(t.rest())) return {};
    } else {
      Header h = Header::from_bits(*p);
      words += h.words() + 1;
      if (h.kind() == Kind::kByteBuffer && has_buffer != nullptr) *has_buffer = true;
      for (std::size_t i = first_term(h); i < h.words(); ++i) {
        if (!look_at(Term::from_bits(p[1 + i]))) return {};
      }
    }
    if (words > most) return {};
    if (next.is_nil()) {
      if (todo.empty()) return words;
      next = todo.top();
      todo.pop();
    }
    t = next;
  }
}

// Breadth first, with the copied objects themselves as the queue.
template <typename Source>
Term copy(const Source& source, Term root, Word* to, Word*& blobs) {
  Word* top = to;
  auto shallow = [&](Term t) __attribute__((always_inline)) {
    if (!is_pointer(t) || !source.owns(address(t))) return t;
    Word* copy = top;
    if (t.is_pair()) {
      top += 2;
      copy[0] = t.cell()[0];
      copy[1] = t.cell()[1];
      return Term::pair(copy);
    }
    const Word* box = t.box();
    std::size_t words = Header::from_bits(*box).words() + 1;
    top += words;
    copy_words(copy, box, words);
    return Term::boxed(copy);
  };
  Term result = shallow(root);
  for (Word* scan = to; scan < top;) {
    // What is most frequent is asked first.
    Term t = Term::from_bits(*scan);
    if (is_pointer(t)) {
      *scan++ = shallow(t).bits();
    } else if (Header h = Header::from_bits(*scan); h.is_header()) {
      if (h.kind() == Kind::kBlob) OffHeapList::chain_copy(blobs, scan);
      scan += 1 + first_term(h);
    } else {
      scan++;
    }
  }
  return result;
}

template <typename Source>
Term to_heap(Heap& target, const Source& source, Term t) {
  if (!is_pointer(t) || !source.owns(address(t))) return t;
  std::optional<std::size_t> words = size_of(source, t);
  if (!words) return Term::absent();
  Word* to = target.try_alloc(*words);
  if (to == nullptr) return Term::absent();
  Word* blobs = nullptr;
  Term result = copy(source, t, to, blobs);
  target.off_heap().append(blobs);
  return result;
}

}  // namespace

std::optional<std::size_t> copy_size(const Process& source, Term t) {
  return size_of(ProcessWords(source), t);
}
std::optional<std::size_t> copy_size(const Arena& source, Term t) {
  return size_of(source, t);
}
bool holds_byte_buffer(const Process& source, Term t) {
  if (is_kind(t, Kind::kByteBuffer)) return true;
  // Whoever has a byte buffer has its block.
  if (source.off_heap().empty()) return false;
  bool found = false;
  size_of(ProcessWords(source), t, &found);
  return found;
}
Term copy_into(const Process& source, Term t, Word* to, Word*& blobs) {
  return copy(ProcessWords(source), t, to, blobs);
}
Term copy_into(const Arena& source, Term t, Word* to, Word*& blobs) {
  return copy(source, t, to, blobs);
}
Term copy_to(Heap& target, const Process& source, Term t) {
  return to_heap(target, ProcessWords(source), t);
}
Term copy_to(Heap& target, const Arena& source, Term t) {
  return to_heap(target, source, t);
}

}  // namespace lona::vm
