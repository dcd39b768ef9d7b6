// SPDX-License-Identifier: BSD-2-Clause
// The compiler of one top-level form: walks the form once and emits code as it goes.
//
//   unit.cpp      expressions: constants, names, calls, do
//   define.cpp    def and fn*
//   branch.cpp    conditions, the intrinsics with instructions of their own
//   bits.cpp      #bits[…]
//   match.cpp     match, receive and patterns (ways.hpp: what their clauses share)
//   macro.cpp     expansion
//
// After an error `failed()` is true and nothing that is emitted matters; the walk then ends by
// itself.
#pragma once

#include "vm/compiler/compiler.hpp"
#include "vm/compiler/emitter.hpp"
#include "vm/compiler/ways.hpp"
#include "vm/data/segment.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

// Where a local name's value is.
struct Place {
  enum class Kind : std::uint8_t { kNone, kRegister, kCapture, kSelf };
  Kind kind = Kind::kNone;
  std::uint16_t index = 0;
};

// A function being compiled.
struct FunctionScope {
  struct Local {
    SymbolEntry* name;
    Register reg;
  };
  struct Capture {
    SymbolEntry* name;
    Place outside;  // in the enclosing function
  };
  FunctionScope(Arena& arena, FunctionScope* outer)
      : outer(outer), emit(arena), locals(arena), captures(arena) {}
  FunctionScope* outer;
  Emitter emit;
  ArenaVector<Local> locals;
  ArenaVector<Capture> captures;
  SymbolEntry* self = nullptr;  // the name the function knows itself by
  std::uint16_t required = 0;
  bool variadic = false;
};

class Unit {
 public:
  Unit(Process& process, const CompileInput& input);
  const Function* compile();
  Term expand(Term form, bool once);  // macro.cpp; raise on failure

 private:
  // A value is wanted in `reg`, or as the function's result.
  struct Want {
    Register reg;
    bool tail;
  };
  static constexpr Want kTail{0, true};
  static constexpr std::uint32_t kNoRegister = kNoOperand;

  Vm::State& state() const { return state_; }
  Emitter& emit() { return fn_->emit; }
  bool failed() const { return failed_; }
  void fail(Term form, std::string_view message);
  Term add_place(Term form, Term info);
  void fail_memory();
  bool too_deep();
  static void check_code(const Function& f);
  // The code of a scope as a function (tables.cpp); null without memory.
  Function* finish(FunctionScope& scope, std::uint16_t entry, std::uint32_t parameters);

  // unit.cpp, define.cpp
  void value(Term form, Want want);
  Register any(Term form);              // in a register of its choice, live
  void operand(Term form, Register r);  // into a register just pushed
  void constant(Term term, Want want);
  Term permanent(Term term);  // a constant, outside the arena
  bool is_constant(Term form, unsigned depth = 0) const;
  void symbol(Term form, Want want);
  void list(Term form, Want want);
  void call(Term form, Want want);
  void call_values(Term head, Term arguments, Want want);
  void body(Term forms, Want want);
  void def(Term form, Want want);
  void function(Term form, Want want);
  void parameters(Term form, Term tuple);
  void load_place(Place place, Register r);
  void build_tuple(Term tuple, Want want);
  void build_with_native(Term form, Fallback native, Want want);
  void done(Register r, Want want);    // the value is in r
  Want inner(Want want, Register& r);  // a register for a value that ends in `done`
  Place find_local(FunctionScope* scope, SymbolEntry* name);
  bool is_local(SymbolEntry* name) { return find_local(fn_, name).kind != Place::Kind::kNone; }
  Var* var_of(SymbolEntry* name);
  SymbolEntry* special_form(Term head);  // null: an ordinary head
  void note_line(Term form);

  // branch.cpp
  bool intrinsic(SymbolEntry* name, Term arguments, Want want);
  static constexpr unsigned kMostFolded = 8;  // levels
  Term folded(Term form, unsigned depth);
  void condition(Term form, Label& target, bool jump_when);
  bool compare_branch(Term form, Label& target);
  const char* intrinsic_name(Term head);
  struct IfShape {
    bool matches = false;
    Term test, then, otherwise;
    SymbolEntry* name;            // bound to the test's value
    SymbolEntry* otherwise_name;  // bound in the second clause, or null
  };
  IfShape if_shape(Term form);
  bool mentions(Term form, SymbolEntry* name, unsigned& budget) const;
  void if_form(const IfShape& shape, Want want);

  // match.cpp
  void match(Term form, Want want);
  struct Clause {
    Term pattern, guard, body;
    bool has_guard = false;
  };
  bool next_clause(Term form, Term& rest, Clause& clause);
  // Emits the clause's tests, `take` when they hold, and its body.
  void clause(const Clause& clause, Register subject, Ways& ways, Want want, bool take);
  // Emit tests and bindings.
  void pattern(Term form, Register value, Ways& ways);
  void tuple_pattern(Term form, Register value, Ways& ways);
  void vector_pattern(Term form, Register value, Ways& ways);
  void map_pattern(Term form, Register value, Ways& ways);
  void set_pattern(Term form, Register value, Ways& ways);
  void list_pattern(Term form, Register value, Ways& ways);
  void constant_pattern(Term form, Register value, Ways& ways);
  void kind_test(Op op, Register subject, Ways& ways);
  void sized_test(Op op, Register value, std::size_t n, Ways& ways);
  void element_pattern(Op op, Register value, std::size_t i, Term form, Ways& ways);
  void bind_name(SymbolEntry* name, Register r) { fn_->locals.push_back({name, r}); }

  // receive.cpp
  void receive(Term form, Want want);
  void receive_mark(Term clauses, std::size_t items);
  Term receive_shapes(Term clauses, std::size_t items);

  // bits.cpp
  struct BitsPart {
    Term value, size;  // size: a form, when the segment's size is dynamic
    Segment segment;
    bool rest = false;  // stands behind &
  };
  struct BitsPlace {
    std::uint32_t position = kNoRegister;
    std::size_t offset = 0;
  };
  static bool is_bits_form(Term form);
  bool next_segment(Term& list, BitsPart& part);
  bool finish_segment(Term form, Term size, bool number, BitsPart& part);
  void bits_expression(Term form, Want want);
  void bits_pattern(Term form, Register subject, Ways& ways);
  void bits_end(Register subject, const BitsPlace& place, bool any_rest, Ways& ways);
  void segment_pattern(BitsPart& part, Register subject, BitsPlace& place, Ways& ways);

  // macro.cpp
  Var* macro_of(Term form);
  Term expand_once(Term form, Var* macro);
  Term expand_all(Term form);
  void tell_place(Term form);

  Process& process_;
  Vm::State& state_;
  const CompileInput& input_;
  FunctionScope* fn_ = nullptr;
  SymbolEntry* name_hint_ = nullptr;
  std::uint32_t line_ = 0;
  bool failed_ = false;
};

// Names the compiler looks for.
bool is_symbol_named(Term t, std::string_view name);
bool is_guard_word(Term t);
std::size_t form_length(Term list);

}  // namespace lona::vm
