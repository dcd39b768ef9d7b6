// SPDX-License-Identifier: BSD-2-Clause
// Segments of binaries that are not quick: sizes known at run time, byte orders, floats, pieces
// that begin within a byte. The operands are in bytecode/opcodes.def.
#include <cstring>

#include "vm/data/segment.hpp"
#include "vm/interp/dispatch.hpp"
#include "vm/interp/frame.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

constexpr std::uint16_t kNoResult = 0xffff;

Next no_match(Process& p) {
  return go(p, static_cast<std::ptrdiff_t>(extra(p.pc_, 2)));
}

// The heap may take `words` without a fragment. Terms in registers may move. Unless this says kGo
// the instruction is executed again.
Next room(Process& p, std::size_t words) {
  Next next = heap_room(p, static_cast<std::uint16_t>(extra(p.pc_, 3)), words);
  p.set_limit(frame_floor(p, p.fp_));
  return next;
}

// After building on the heap as a native does.
bool settle(Process& p) {
  if (p.leave_fragment() || p.off_heap_due()) p.collect_ = true;
  return !p.oom_;
}

// Where the segment is and how large; false when the binary does not have it.
struct Extent {
  std::size_t at, bits;
};
bool find(Process& p, const BitsField& field, Extent& e) {
  const Instruction* pc = p.pc_;
  std::size_t all = 8 * binary_size(Term::from_bits(reg(p, pc->b)));
  e.at = field.offset;
  if (!field.from_start) {
    e.at += static_cast<std::size_t>(Term::from_bits(reg(p, pc->c)).as_integer());
  }
  if (e.at > all) return false;
  if (field.segment.whole) {
    e.bits = all - e.at;
    return e.bits % 8 == 0;
  }
  e.bits = field.segment.size;
  if (field.segment.dynamic) {
    Term size = Term::from_bits(reg(p, field.segment.size));
    if (!size.is_integer() || size.as_integer() < 0) return false;
    e.bits = static_cast<std::size_t>(size.as_integer());
    if (e.bits > all) return false;
  }
  if (field.segment.bytes) e.bits *= 8;
  return e.bits <= all - e.at;
}

void advance(Process& p, const BitsField& field, const Extent& e) {
  if (!field.advance) return;
  reg(p, p.pc_->c) = Term::integer(static_cast<std::int64_t>(e.at + e.bits)).bits();
}

}  // namespace

Next bits_number(Process& p) {
  const Instruction* pc = p.pc_;
  BitsField field = BitsField::decode(extra(pc));
  Extent e;
  if (!find(p, field, e)) return no_match(p);
  if (field.segment.is_float ? e.bits != 32 && e.bits != 64 : e.bits > Segment::kMaxBits) {
    return no_match(p);
  }
  if (pc->a != kNoResult) {
    if (Next next = room(p, field_words(e.bits)); next != Next::kGo) return next;
    Term number = read_field(p, binary_data(Term::from_bits(reg(p, pc->b))), e.at, e.bits,
                             field.segment.field());
    if (!settle(p) || number == Term::absent()) return out_of_memory(p);
    reg(p, pc->a) = number.bits();
  }
  advance(p, field, e);
  return go(p, 4);
}

Next bits_bytes(Process& p) {
  const Instruction* pc = p.pc_;
  BitsField field = BitsField::decode(extra(pc));
  Extent e;
  if (!find(p, field, e)) return no_match(p);
  if (pc->a != kNoResult) {
    if (Next next = room(p, kPoolBytes / sizeof(Word) + 3); next != Next::kGo) return next;
    Term binary = Term::from_bits(reg(p, pc->b));
    Term piece;
    if (e.at % 8 == 0) {
      piece = binary_slice(p, binary, e.at / 8, (e.at + e.bits) / 8);
    } else {
      NewBinary fresh = allocate_binary(p, e.bits / 8);
      piece = fresh.term;
      for (std::size_t i = 0; fresh.bytes != nullptr && i < e.bits / 8; i++) {
        fresh.bytes[i] = static_cast<std::uint8_t>(peek_bits(binary_data(binary), e.at + 8 * i, 8));
      }
    }
    if (!settle(p) || piece == Term::absent()) return out_of_memory(p);
    reg(p, pc->a) = piece.bits();
  }
  advance(p, field, e);
  return go(p, 4);
}

}  // namespace lona::vm
