// SPDX-License-Identifier: BSD-2-Clause
#include "vm/heap/copy.hpp"

#include <cstring>

#include "vm/data/work_stack.hpp"
#include "vm/heap/arena.hpp"
#include "vm/process/process.hpp"
#include "vm/term/object.hpp"

namespace lona::vm {

namespace {

bool is_pointer(Term t) {
  return t.is_pair() || t.is_boxed();
}

const Word* address(Term t) {
  return t.is_pair() ? t.cell() : t.box();
}

// Where the terms of an object of this header start; its end when it has none.
std::size_t first_term(Header h) {
  unsigned raw = kRawWords[static_cast<unsigned>(h.kind())];
  return raw == kAllRaw || raw > h.words() ? h.words() : raw;
}

template <typename Source>
std::optional<std::size_t> size_of(const Source& source, Term root, bool* has_buffer = nullptr) {
  if (!is_pointer(root) || !source.owns(address(root))) return 0;
  // Shared parts are counted each time they are reached: a small value may ask for more than any
  // memory has.
  std::size_t most = platform::memory_figures().limit / sizeof(Word);
  WorkStack<Term, 64> todo;
  std::size_t words = 0;
  todo.must_push(root);
  while (!todo.empty()) {
    Term t = todo.top();
    todo.pop();
    // A list is walked along its rests here, so that only its elements go on the stack.
    for (;;) {
      const Word* p = address(t);
      Term next = Term::nil();
      if (t.is_pair()) {
        words += 2;
        Term first = t.first();
        if (is_pointer(first) && source.owns(address(first)) && !todo.push(first)) return {};
        next = t.rest();
      } else {
        Header h = Header::from_bits(*p);
        words += h.words() + 1;
        if (h.kind() == Kind::kByteBuffer && has_buffer != nullptr) *has_buffer = true;
        for (std::size_t i = first_term(h); i < h.words(); ++i) {
          Term part = Term::from_bits(p[1 + i]);
          if (!is_pointer(part) || !source.owns(address(part))) continue;
          if (next.is_nil()) {
            next = part;
          } else if (!todo.push(part)) {
            return {};
          }
        }
      }
      if (words > most) return {};
      if (!is_pointer(next) || !source.owns(address(next))) break;
      t = next;
    }
  }
  return words;
}

// Breadth first, with the copied objects themselves as the queue.
template <typename Source>
Term copy(const Source& source, Term root, Word* to, Word*& blobs) {
  Word* top = to;
  auto shallow = [&](Term t) {
    if (!is_pointer(t) || !source.owns(address(t))) return t;
    Word* copy = top;
    std::size_t words = t.is_pair() ? 2 : Header::from_bits(*t.box()).words() + 1;
    std::memcpy(copy, address(t), words * sizeof(Word));
    top += words;
    return t.is_pair() ? Term::pair(copy) : Term::boxed(copy);
  };
  Term result = shallow(root);
  for (Word* scan = to; scan < top;) {
    Header h = Header::from_bits(*scan);
    if (h.is_header()) {
      if (h.kind() == Kind::kBlob) OffHeapList::chain_copy(blobs, scan);
      scan += 1 + first_term(h);
    } else {
      *scan = shallow(Term::from_bits(*scan)).bits();
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
  return size_of(source, t);
}
std::optional<std::size_t> copy_size(const Arena& source, Term t) {
  return size_of(source, t);
}
bool holds_byte_buffer(const Process& source, Term t) {
  if (is_kind(t, Kind::kByteBuffer)) return true;
  // Whoever has a byte buffer has its block.
  if (source.off_heap().empty()) return false;
  bool found = false;
  size_of(source, t, &found);
  return found;
}
Term copy_into(const Process& source, Term t, Word* to, Word*& blobs) {
  return copy(source, t, to, blobs);
}
Term copy_into(const Arena& source, Term t, Word* to, Word*& blobs) {
  return copy(source, t, to, blobs);
}
Term copy_to(Heap& target, const Process& source, Term t) {
  return to_heap(target, source, t);
}
Term copy_to(Heap& target, const Arena& source, Term t) {
  return to_heap(target, source, t);
}

}  // namespace lona::vm
