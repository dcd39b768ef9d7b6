// SPDX-License-Identifier: BSD-2-Clause
// #bits[…]: as a pattern, instructions that take a binary apart; as an expression, a call of
// build-bits. The reader gives (lona.core/bits segment …), where a segment is a value or a tuple
// [value size :modifier …] (vm/reader/bits.cpp).
//
// Within a pattern the place of a segment is a number of bits known here, behind what a register
// holds once a segment had a size that is known at run time only.
#include "vm/compiler/unit.hpp"
#include "vm/data/binary.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {

namespace {

bool is_byte_constant(Term t) {
  return is_string(t) || is_binary(t);
}
std::size_t constant_bytes(Term t) {
  return is_string(t) ? string_bytes(t) : binary_size(t);
}

bool apply_modifier(Segment& s, bool& number, Term modifier) {
  if (!modifier.is_keyword()) return false;
  std::string_view name = modifier.entry()->full();
  if (name == "le" || name == "native") {
    s.little = true;
  } else if (name == "be") {
    s.little = false;
  } else if (name == "signed") {
    number = s.is_signed = true;
  } else if (name == "unsigned") {
    number = true;
    s.is_signed = false;
  } else if (name == "float") {
    s.is_float = true;
  } else if (name == "bytes") {
    s.bytes = true;
  } else {
    return false;
  }
  return true;
}

// The bytes of a constant as a binary.
Term as_binary(Heap& heap, Term t) {
  if (!is_string(t)) return t;
  std::string_view text = string_text(t);
  return make_binary(heap, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

}  // namespace

bool Unit::is_bits_form(Term form) {
  return form.is_pair() && is_symbol_named(form.first(), "lona.core/bits");
}

// Takes the next segment off the list. False: the form is wrong.
bool Unit::next_segment(Term& list, BitsPart& part) {
  Term form = list;
  part = {};
  part.value = bare(list.first());
  list = list.rest();
  if (is_symbol_named(part.value, "&")) {
    if (!list.is_pair() || list.rest().is_pair()) {
      fail(form, "& stands before the last part of #bits[…]");
      return false;
    }
    part.value = bare(list.first());
    list = list.rest();
    part.segment.bytes = part.segment.whole = part.rest = true;
    return true;
  }
  Term size;
  bool number = false;
  if (is_tuple(part.value) && tuple_count(part.value) >= 2) {
    Term tuple = part.value;
    part.value = bare(slot(tuple, 0));
    size = bare(slot(tuple, 1));
    for (std::size_t i = 2; i < tuple_count(tuple); i++) {
      if (!apply_modifier(part.segment, number, slot(tuple, i))) {
        fail(form, "modifiers in #bits[…] are be le native signed unsigned float bytes");
        return false;
      }
    }
  }
  return finish_segment(form, size, number, part);
}

bool Unit::finish_segment(Term form, Term size, bool number, BitsPart& part) {
  Segment& s = part.segment;
  s.bytes = s.bytes || is_byte_constant(part.value);
  if (s.bytes && (s.is_float || number)) {
    fail(form, "a part of #bits[…] is either bytes or a number");
    return false;
  }
  if (size.is_nil()) {
    s.whole = s.bytes;
    s.size = s.is_float ? 64 : 8;
    return true;
  }
  if (!size.is_integer()) {
    s.dynamic = true;
    part.size = size;
    return true;
  }
  std::int64_t n = size.as_integer();
  bool good = n >= 0 && n <= static_cast<std::int64_t>(Segment::kMaxBits / 8) &&
              (!s.is_float || n == 32 || n == 64);
  if (!good) fail(form, s.is_float ? "a float has 32 or 64 bits" : "no such size in #bits[…]");
  s.size = static_cast<std::uint32_t>(n);
  return good;
}

// --- Expressions --------------------------------------------------------------------------------

void Unit::bits_expression(Term form, Want want) {
  ArenaVector<Term> codes(input_.arena), arguments(input_.arena);
  for (Term list = form.rest(); list.is_pair();) {
    BitsPart part;
    if (!next_segment(list, part)) return;
    codes.push_back(Term::integer(static_cast<std::int64_t>(part.segment.encode())));
    arguments.push_back(part.value);
    if (part.segment.dynamic) arguments.push_back(part.size);
  }
  Term layout = make_tuple(input_.arena, {codes.begin(), codes.size()});
  Term list = make_list(input_.arena, {arguments.begin(), arguments.size()});
  if (layout == Term::absent() || list == Term::absent()) return fail_memory();
  Term call = input_.arena.cons(layout, list);
  value(input_.arena.cons(make_symbol("lona.core/build-bits"), call), want);
}

// --- Patterns -----------------------------------------------------------------------------------

void Unit::bits_pattern(Term form, Register subject, Ways& ways) {
  kind_test(Op::kBranchNotBinary, subject, ways);
  ways.arrive();  // the fields' positions belong to one clause
  BitsPlace place;
  bool rest = false;
  for (Term list = form.rest(); list.is_pair() && !failed_;) {
    Term here = list;
    BitsPart part;
    if (!next_segment(list, part)) return;
    rest = part.rest;
    if (part.segment.whole && !rest && !is_byte_constant(part.value)) {
      if (list.is_pair()) {
        fail(here, "bytes without a size stand at the end of a pattern");
        return;
      }
      rest = true;
    }
    if (rest && place.position == kNoRegister && place.offset % 8 != 0 &&
        !is_symbol_named(part.value, "_")) {
      fail(here, "what & stands for begins with a whole byte");
      return;
    }
    segment_pattern(part, subject, place, ways);
    if (place.offset >= BitsField::kMaxOffset) fail(here, "a pattern of too many bits");
    if (rest) return;
  }
  bits_end(subject, place, false, ways);
}

// Fails unless the subject ends here (or does not end before, when `any_rest`).
void Unit::bits_end(Register subject, const BitsPlace& place, bool any_rest, Ways& ways) {
  BitsField field{.segment = {}, .offset = place.offset};
  field.from_start = place.position == kNoRegister;
  field.segment.whole = any_rest;
  std::uint32_t at = emit().here();
  emit().op_extra(Op::kBranchNotBitsEnd, subject, place.position, 0, field.encode());
  emit().word(0);
  emit().use(ways.otherwise(), at, 2);
}

void Unit::segment_pattern(BitsPart& part, Register subject, BitsPlace& place, Ways& ways) {
  Segment& s = part.segment;
  bool ignored = is_symbol_named(part.value, "_");
  bool constant = is_byte_constant(part.value);
  if (constant && s.whole) {
    s.whole = false;
    s.size = static_cast<std::uint32_t>(constant_bytes(part.value));
  }
  if (s.whole && ignored) return bits_end(subject, place, true, ways);
  std::size_t bits = s.bytes ? std::size_t{8} * s.size : s.size;
  if (ignored && !s.dynamic) {
    place.offset += bits;
    return;
  }
  BitsField field{.segment = s, .offset = place.offset};
  if (s.dynamic) field.segment.size = any(part.size);
  field.from_start = place.position == kNoRegister;
  if (s.dynamic && place.position == kNoRegister) place.position = emit().push();
  field.advance = s.dynamic;
  std::uint32_t result = ignored ? kNoRegister : emit().push();
  bool quick = !s.bytes && !s.dynamic && !s.little && !s.is_float && s.size > 0 && s.size <= 57;
  std::uint16_t live = emit().live_map();
  std::uint32_t at = emit().here();
  bool quick_float = s.is_float && !s.little && !s.dynamic && s.size == 64 && !ignored;
  emit().op_extra(quick         ? Op::kBitsInteger
                  : quick_float ? Op::kBitsFloat
                  : s.whole     ? Op::kBitsRest
                  : s.bytes     ? Op::kBitsBytes
                                : Op::kBitsNumber,
                  result, subject, place.position, field.encode());
  emit().word(0);
  if (!quick) emit().word(live);
  emit().use(ways.otherwise(), at, 2);
  place.offset = s.dynamic ? 0 : place.offset + bits;
  if (s.dynamic) emit().set_live(static_cast<Register>(place.position));
  if (ignored) return;
  auto r = static_cast<Register>(result);
  emit().set_live(r);
  if (constant) {
    Term bytes = as_binary(input_.arena, part.value);
    if (bytes == Term::absent()) return fail_memory();
    constant_pattern(bytes, r, ways);
  } else {
    pattern(part.value, r, ways);
  }
}

}  // namespace lona::vm
