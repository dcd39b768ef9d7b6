// SPDX-License-Identifier: BSD-2-Clause
// Is this code safe to run? Instructions check the types of what programs compute; of what the
// compiler promises they check nothing. The verifier does, for code from anywhere else:
//
// - instructions, registers, live maps, natives and functions that are referred to exist, and
//   branches go to instructions;
// - no register is read, or shown to the collector, that does not hold a value on every way there.
//   What a collection may have moved counts as no value unless the live map tells of it;
// - what only works on a tuple, vector, set, map, pid, binary or bit position comes behind
//   its test;
// - calls that do not check arity have it right, every way ends in one of the ends, and nothing
//   repeats but by calls and by looks at further messages, which end a slice.
//
// It is a data-flow analysis with one kind per register, the usual one of bytecode verifiers; it
// ends by giving up on functions whose analysis takes more than a fixed number of steps per
// instruction.
#pragma once

#include "vm/code/function.hpp"

namespace lona::vm {

struct Var;

// What the code may refer to. Null functions accept everything.
struct CodeWorld {
  bool (*term)(void* context, Term t) = nullptr;
  bool (*var)(void* context, const Var* v) = nullptr;
  bool (*function)(void* context, const Function* f) = nullptr;
  // Where the function or box that belongs at this address can be read; null: there.
  const void* (*here)(void* context, Word address) = nullptr;
  void* context = nullptr;

  const void* at(Word address) const {
    return here == nullptr ? reinterpret_cast<const void*>(address) : here(context, address);
  }
  Term box_at(Term box) const {
    return Term::boxed(static_cast<Word*>(const_cast<void*>(at(box.bits() & ~Term::kTagMask))));
  }
};

// Immediates that programs may have; the VM's own marks are none of them, nor is a pid.
bool is_value(Term t);

// Null when the function is safe; else what is wrong with it.
const char* verify(const Function& function, const CodeWorld& world = {});

}  // namespace lona::vm
