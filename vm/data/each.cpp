// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/each.hpp"

#include "vm/data/binary.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/data/vector.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

bool is_seqable(Term t) {
  t = bare(t);
  if (t.is_list() || t.is_nil()) return true;
  if (!t.is_boxed()) return false;
  switch (header_of(t).kind()) {
    case Kind::kTuple:
    case Kind::kVector:
    case Kind::kMap:
    case Kind::kSet:
    case Kind::kString:
    case Kind::kText:
    case Kind::kBinary:
    case Kind::kSlice:
      return true;
    default:
      return false;
  }
}

std::size_t seqable_count(Term t) {
  t = bare(t);
  if (!t.is_boxed()) return list_count(t);
  switch (header_of(t).kind()) {
    case Kind::kTuple:
      return tuple_count(t);
    case Kind::kVector:
      return vector_count(t);
    case Kind::kMap:
      return map_count(t);
    case Kind::kSet:
      return set_count(t);
    case Kind::kBinary:
    case Kind::kSlice:
      return binary_size(t);
    default:
      return string_count(t);
  }
}

Each::Each(Heap& heap, Term seqable) : heap_(heap) {
  Term t = bare(seqable);
  if (!t.is_boxed()) {
    if (t.is_pair()) term_ = t;
    return;
  }
  term_ = t;
  end_ = seqable_count(t);
  switch (header_of(t).kind()) {
    case Kind::kTuple:
      source_ = Source::kWords;
      words_ = payload(t);
      return;
    case Kind::kVector:
      source_ = Source::kVector;
      return;
    case Kind::kMap:
      source_ = Source::kEntries;
      cursor_ = MapCursor(t);
      return;
    case Kind::kSet:
      source_ = Source::kElements;
      cursor_ = MapCursor(set_map(t));
      return;
    case Kind::kBinary:
    case Kind::kSlice:
      source_ = Source::kBytes;
      return;
    default:
      source_ = Source::kText;
      end_ = string_bytes(t);
  }
}

bool Each::next(Term& element) {
  switch (source_) {
    case Source::kList:
      if (!term_.is_pair()) return false;
      element = term_.first();
      term_ = term_.rest();
      return true;
    case Source::kWords:
      if (at_ == end_) return false;
      element = Term::from_bits(words_[at_++]);
      return true;
    case Source::kVector:
      if (at_ == end_) return false;
      if (at_ == words_end_) {
        auto chunk = vector_chunk(term_, at_);
        words_ = chunk.data();
        words_end_ = at_ + chunk.size();
      }
      element = Term::from_bits(*words_++);
      at_++;
      return true;
    case Source::kEntries:
      if (cursor_.done()) return false;
      element = make_pair_tuple(heap_, cursor_.key(), cursor_.value());
      cursor_.next();
      return true;
    case Source::kElements:
      if (cursor_.done()) return false;
      element = cursor_.key();
      cursor_.next();
      return true;
    case Source::kBytes:
      if (at_ == end_) return false;
      element = Term::integer(binary_data(term_)[at_++]);
      return true;
    case Source::kText:
      break;
  }
  if (at_ == end_) return false;
  utf8::Decoded d = utf8::decode(string_text(term_).substr(at_));
  element = Term::character(d.code_point);
  at_ += d.bytes;
  return true;
}

Term to_list(Heap& heap, Term seqable) {
  Term t = bare(seqable);
  if (t.is_list()) return t;
  ListBuilder builder(heap);
  Each each(heap, t);
  for (Term e; !builder.failed() && each.next(e);) builder.add(e);
  return builder.take();
}

Term to_vector(Heap& heap, Term seqable) {
  Term t = bare(seqable);
  if (is_vector(t)) return t;
  VectorBuilder builder(heap);
  Each each(heap, t);
  for (Term e; !builder.failed() && each.next(e);) builder.add(e);
  return builder.take();
}

Term to_tuple(Heap& heap, Term seqable) {
  Term t = bare(seqable);
  if (is_tuple(t)) return t;
  Word* p = allocate_tuple(heap, seqable_count(t));
  if (p == nullptr) return Term::absent();
  Word* at = p;
  Each each(heap, t);
  for (Term e; each.next(e);) *at++ = e.bits();
  return tuple_of_payload(p);
}

}  // namespace lona::vm
