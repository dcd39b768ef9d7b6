// SPDX-License-Identifier: BSD-2-Clause
#include "vm/data/sequence.hpp"

namespace lona::vm {

Word* allocate_tuple(Heap& heap, std::size_t count) {
  Word* p = count < Heap::kLargeWords ? heap.alloc(count + 1) : heap.try_alloc(count + 1);
  if (p == nullptr) return nullptr;
  p[0] = Header::make(Kind::kTuple, count).bits();
  return p + 1;
}

Term make_tuple(Heap& heap, std::span<const Term> elements) {
  Word* p = allocate_tuple(heap, elements.size());
  if (p == nullptr) return Term::absent();
  for (std::size_t i = 0; i < elements.size(); i++) p[i] = elements[i].bits();
  return tuple_of_payload(p);
}

Term make_list(Heap& heap, std::span<const Term> elements, Term tail) {
  ListBuilder builder(heap);
  for (Term t : elements) builder.add(t);
  return builder.take(tail);
}

std::size_t list_count(Term list) {
  std::size_t n = 0;
  for (; list.is_pair(); list = list.rest()) n++;
  return n;
}

Word* ListBuilder::take_cell() {
  if (failed_) return nullptr;
  // A long list asks politely, so that running out of memory is seen here and not in the reserve.
  Word* cell = count_ < Heap::kLargeWords / 2 ? heap_.alloc(2) : heap_.try_alloc(2);
  failed_ = cell == nullptr;
  return cell;
}

}  // namespace lona::vm
