// SPDX-License-Identifier: BSD-2-Clause
// The quick cases of all instructions; see dispatch.hpp.
#include "vm/interp/interp.hpp"

#include "vm/data/map.hpp"
#include "vm/data/segment.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/vector.hpp"
#include "vm/heap/fragment.hpp"
#include "vm/interp/dispatch.hpp"
#include "vm/interp/float.hpp"
#include "vm/interp/frame.hpp"
#include "vm/interp/select.hpp"
#include "vm/sched/state.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

namespace {

constexpr Instruction stub(Op op) {
  return {op_code(op), 0, 0, 0};
}
// A call with k = 0 before the end, as for every return address.
constexpr Instruction kProcessEndCode[] = {stub(Op::kCallRegister), {}, stub(Op::kProcessEnd)};
constexpr Instruction kNestedEndCode[] = {stub(Op::kCallRegister), {}, stub(Op::kNestedEnd)};

// The thread sanitizer's calls at a function's begin and end would make tail calls impossible. What
// handlers share with other workers are single words of vars.
#if __has_feature(thread_sanitizer)
#define LONA_HANDLER_ATTRIBUTE __attribute__((disable_sanitizer_instrumentation))
#else
#define LONA_HANDLER_ATTRIBUTE
#endif
#define HANDLER(name)                                                                           \
  LONA_HANDLER_ATTRIBUTE LONA_HANDLER_CONVENTION __attribute__((noinline)) RunResult op_##name( \
      [[maybe_unused]] Word* fp, [[maybe_unused]] const Instruction* pc,                        \
      [[maybe_unused]] Process* p, [[maybe_unused]] std::int64_t reductions,                    \
      [[maybe_unused]] const void* table)
#define JUMP_TO_HANDLER()                                                                       \
  [[clang::musttail]] return static_cast<Handler* const*>(table)[pc->op](fp, pc, p, reductions, \
                                                                         table)
#define NEXT(words)    \
  do {                 \
    pc += (words);     \
    JUMP_TO_HANDLER(); \
  } while (false)
// Registers go down from the frame. There is an addressing mode for an index that goes up, so it is
// worth an instruction to turn the number round: ~i is -i - 1.
template <typename W>
[[gnu::always_inline]] inline W& register_at(W* fp, std::uint32_t i) {
  std::uint64_t index = ~std::uint64_t{i};
  __asm__("" : "+r"(index));  // or the compiler subtracts, with two instructions more
  return fp[static_cast<std::int64_t>(index) + 1];
}
#define R(i) register_at(fp, i)
#define T(i) Term::from_bits(R(i))
// Runs a slow function and goes on where it says.
#define SLOW(call)                      \
  do {                                  \
    p->fp_ = fp;                        \
    p->pc_ = pc;                        \
    p->reductions_left_ = reductions;   \
    Next next = (call);                 \
    if (next != Next::kGo) [[unlikely]] \
      return result_of(next);           \
    fp = p->fp_;                        \
    pc = p->pc_;                        \
    reductions = p->reductions_left_;   \
    JUMP_TO_HANDLER();                  \
  } while (false)

inline RunResult result_of(Next next) {
  return next == Next::kYield  ? RunResult::kYield
         : next == Next::kWait ? RunResult::kWait
                               : RunResult::kExit;
}

// The slow ways have handlers of their own, so that the quick ones need no stack frame.
#define SLOW_HANDLER(name, call) \
  HANDLER(name) {                \
    SLOW(call);                  \
  }
#define TO(name) [[clang::musttail]] return op_##name(fp, pc, p, reductions, table)

constexpr std::uint16_t kNoRegister = 0xffff;

inline bool both_integers(Word a, Word b) {
  return ((a | b) & Term::kTagMask) == 0;
}
inline bool is_in_memory(Word w) {
  Term t = Term::from_bits(w);
  return t.is_pair() || t.is_boxed();
}
inline Word small(std::uint16_t operand) {
  return Term::integer(static_cast<std::int16_t>(operand)).bits();
}

constexpr std::uint16_t kNoResult = 0xffff;

// Fewer than kPoolBytes, with zeros up to the end of the last word.
inline void copy_small(Word* to, const std::uint8_t* from, std::size_t size) {
  for (; size >= sizeof(Word); size -= sizeof(Word), from += sizeof(Word)) {
    __builtin_memcpy(to++, from, sizeof(Word));
  }
  // The eight bytes before the end can be read: at least a header stands before all bytes.
  if (size == 0) return;
  Word last;
  __builtin_memcpy(&last, from + size - sizeof(Word), sizeof(Word));
  *to = last >> 8 * (sizeof(Word) - size);
}

HANDLER(Move) {
  R(pc->a) = R(pc->b);
  NEXT(1);
}
HANDLER(LoadImmediate) {
  R(pc->a) = static_cast<Word>(static_cast<std::int64_t>(near_offset(pc)));
  NEXT(1);
}
HANDLER(LoadConstant) {
  R(pc->a) = extra(pc);
  NEXT(2);
}
// What the var of an instruction holds now: one look, because the var may change at any time. The
// thread sanitizer is to see it.
#if __has_feature(thread_sanitizer)
#define LONA_LOOK [[gnu::noinline]]
#else
#define LONA_LOOK [[gnu::always_inline]] inline
#endif
LONA_LOOK Term value_in(const Instruction* pc) {
  return Var::now(reinterpret_cast<const Var*>(extra(pc))->value);
}
LONA_LOOK const Function* function_in(const Instruction* pc) {
  return Var::now(reinterpret_cast<const Var*>(extra(pc))->function);
}

SLOW_HANDLER(LoadVarSlow, load_var_slow(*p))
HANDLER(LoadVar) {
  Term value = value_in(pc);
  if (value == Term::unbound()) [[unlikely]]
    TO(LoadVarSlow);
  R(pc->a) = value.bits();
  NEXT(2);
}
HANDLER(LoadCapture) {
  R(pc->a) = payload(Term::from_bits(fp[2]))[1 + pc->b];
  NEXT(1);
}
HANDLER(LoadSelf) {
  R(pc->a) = fp[2];
  NEXT(1);
}
HANDLER(MakeClosure) {
  SLOW(make_closure(*p));
}

// Calls. The quick case: a closure of fixed arity that fits the call, room on the stack, time left.
HANDLER(EnterLarge) {
  SLOW(enter_large(*p));
}

SLOW_HANDLER(CallSlow, call_slow(*p, false))
SLOW_HANDLER(TailSlow, call_slow(*p, true))
#define ENTER(function, closure)                        \
  const Function* f = (function);                       \
  Word* callee = fp - pc->a;                            \
  if (frame_floor(*p, callee) < p->top()) TO(CallSlow); \
  if (--reductions <= 0) [[unlikely]]                   \
    TO(CallSlow);                                       \
  callee[2] = (closure);                                \
  callee[1] = reinterpret_cast<Word>(pc + kCallWords);  \
  fp = callee;                                          \
  pc = code_behind(f);                                  \
  JUMP_TO_HANDLER()

// A native that a var holds. What it leaves behind but a plain value is for `after_call`.
[[gnu::always_inline]] inline bool is_plain(const Process& p, Term result) {
  bool mark = result == Term::raise() || result == Term::again() || result == Term::call();
  return !mark && !p.in_fragment() && !p.collect_ && !p.oom_ && !p.exit_pending_ &&
         !p.off_heap_due();
}
#define CALL_NATIVE_VAR(closure, slow)                                    \
  Term callee = value_in(pc);                                             \
  std::uint32_t argc = pc->b;                                             \
  if (!callee.is_native()) TO(closure);                                   \
  if (reductions <= 1 || p->collect_ || !p->pending_fn_.is_nil() ||       \
      state_of(*p).options.collect_always) {                              \
    TO(slow);                                                             \
  }                                                                       \
  const Native& native = native_table()[callee.native_index()];           \
  if (argc < native.min_args ||                                           \
      (argc > native.max_args && native.max_args != Native::kVariadic)) { \
    TO(slow);                                                             \
  }                                                                       \
  Word* first = fp - pc->a;                                               \
  Word* floor = frame_floor(*p, fp);                                      \
  p->fp_ = fp;                                                            \
  p->pc_ = pc;                                                            \
  p->reductions_left_ = reductions;                                       \
  p->set_limit(first - argc < floor ? first - argc : floor);              \
  Term result = native.function(*p, Args(first, argc));                   \
  fp = p->fp_ /* the stack moves when a macro runs inside */
// A closure with captured values that a var holds.
#define IS_CLOSURE_FOR(callee, count) \
  (is_closure(callee) && function_of(callee)->direct_arity == (count) && p->pending_fn_.is_nil())
HANDLER(CallVarClosure) {
  Term callee_term = value_in(pc);
  if (!IS_CLOSURE_FOR(callee_term, pc->b)) [[unlikely]]
    TO(CallSlow);
  ENTER(function_of(callee_term), callee_term.bits());
}
HANDLER(CallVarNative) {
  CALL_NATIVE_VAR(CallVarClosure, CallSlow);
  if (!is_plain(*p, result)) SLOW(after_call(*p, result, false));
  reductions -= p->charged_ + 1;
  p->charged_ = 0;
  R(pc->a - kHeaderWords) = result.bits();
  NEXT(kCallWords);
}

HANDLER(CallVar) {
  const Function* callee_function = function_in(pc);
  if (callee_function->direct_arity != pc->b) [[unlikely]]
    TO(CallVarNative);
  ENTER(callee_function, callee_function->closure);
}
HANDLER(CallRegister) {
  Term callee_term = T(pc->a - kHeaderWords);
  if (!is_closure(callee_term) || function_of(callee_term)->direct_arity != pc->b) [[unlikely]]
    TO(CallSlow);
  ENTER(function_of(callee_term), callee_term.bits());
}
HANDLER(CallSelf) {
  ENTER(running_function(fp), fp[2]);
}
HANDLER(CallNative) {
  SLOW(call_native(*p, state_of(*p).fallbacks[extra(pc)], false));
}

// A tail call's arguments go to where its own were.
[[gnu::always_inline]] inline void move_arguments(Word* fp, std::uint32_t k, std::uint32_t n) {
  const Word* from = fp - k;
#pragma clang loop unroll(disable) vectorize(disable)
  for (Word *to = fp, *end = fp - n; to != end; --to, --from) *to = *from;
}
#define ENTER_TAIL(function, closure) \
  const Function* f = (function);     \
  if (--reductions > 0) [[likely]] {  \
    Word self = (closure);            \
    move_arguments(fp, pc->a, pc->b); \
    fp[2] = self;                     \
    pc = code_behind(f);              \
    JUMP_TO_HANDLER();                \
  }                                   \
  TO(TailSlow)

HANDLER(TailVarClosure) {
  Term callee_term = value_in(pc);
  if (!IS_CLOSURE_FOR(callee_term, pc->b)) [[unlikely]]
    TO(TailSlow);
  ENTER_TAIL(function_of(callee_term), callee_term.bits());
}
HANDLER(TailVarNative) {
  CALL_NATIVE_VAR(TailVarClosure, TailSlow);
  if (!is_plain(*p, result)) SLOW(after_call(*p, result, true));
  reductions -= p->charged_ + 1;
  p->charged_ = 0;
  pc = return_address(fp);
  fp[2] = result.bits();
  fp += (pc - kCallWords)->a;
  JUMP_TO_HANDLER();
}
HANDLER(TailVar) {
  const Function* callee_function = function_in(pc);
  if (callee_function->direct_arity != pc->b) [[unlikely]]
    TO(TailVarNative);
  ENTER_TAIL(callee_function, callee_function->closure);
}
HANDLER(TailRegister) {
  Term callee_term = T(pc->a - kHeaderWords);
  if (!is_closure(callee_term) || function_of(callee_term)->direct_arity != pc->b) [[unlikely]]
    TO(TailSlow);
  ENTER_TAIL(function_of(callee_term), callee_term.bits());
}
HANDLER(TailSelf) {
  ENTER_TAIL(running_function(fp), fp[2]);
}
HANDLER(Return) {
  Word value = R(pc->a);
  pc = return_address(fp);
  fp[2] = value;
  fp += (pc - kCallWords)->a;
  JUMP_TO_HANDLER();
}

HANDLER(Jump) {
  NEXT(near_offset(pc));
}
HANDLER(BranchFalse) {
  NEXT(T(pc->a).is_truthy() ? 1 : near_offset(pc));
}
HANDLER(BranchTrue) {
  NEXT(T(pc->a).is_truthy() ? near_offset(pc) : 1);
}

#define FALL_BACK(name, ...)                                                          \
  p->fp_ = fp;                                                                        \
  p->pc_ = pc;                                                                        \
  Term result = fall_back(*p, static_cast<unsigned>(Fallback::k##name), __VA_ARGS__); \
  if (result == Term::raise()) [[unlikely]] {                                         \
    raise_exit(*p);                                                                   \
    return RunResult::kExit;                                                          \
  }                                                                                   \
  reductions = after_fall_back(*p, reductions);
#define COMPARE_BRANCH(name, fallback, op)                                                     \
  HANDLER(name##Slow) {                                                                        \
    FALL_BACK(fallback, T(pc->a), T(pc->b))                                                    \
    NEXT(result.is_truthy() ? 2 : static_cast<std::ptrdiff_t>(extra(pc)));                     \
  }                                                                                            \
  HANDLER(name##Float) {                                                                       \
    FloatPair pair = ordered_pair(R(pc->a), R(pc->b));                                         \
    if (!pair.good) [[unlikely]]                                                               \
      TO(name##Slow);                                                                          \
    NEXT(pair.a op pair.b ? 2 : static_cast<std::ptrdiff_t>(extra(pc)));                       \
  }                                                                                            \
  HANDLER(name) {                                                                              \
    Word a = R(pc->a), b = R(pc->b);                                                           \
    if (!both_integers(a, b)) [[unlikely]] {                                                   \
      if (!both_floats(a, b)) TO(name##Float);                                                 \
      NEXT(float_of_word(a) op float_of_word(b) ? 2 : static_cast<std::ptrdiff_t>(extra(pc))); \
    }                                                                                          \
    NEXT(static_cast<std::int64_t>(a) op static_cast<std::int64_t>(b)                          \
             ? 2                                                                               \
             : static_cast<std::ptrdiff_t>(extra(pc)));                                        \
  }
#define COMPARE_BRANCH_SMALL(name, fallback, op)                                          \
  HANDLER(name##Slow) {                                                                   \
    FALL_BACK(fallback, T(pc->a), Term::from_bits(small(pc->b)))                          \
    NEXT(result.is_truthy() ? 2 : static_cast<std::ptrdiff_t>(extra(pc)));                \
  }                                                                                       \
  HANDLER(name##Float) {                                                                  \
    FloatPair pair = ordered_pair(R(pc->a), small(pc->b));                                \
    if (!pair.good) [[unlikely]]                                                          \
      TO(name##Slow);                                                                     \
    NEXT(pair.a op pair.b ? 2 : static_cast<std::ptrdiff_t>(extra(pc)));                  \
  }                                                                                       \
  HANDLER(name) {                                                                         \
    Word a = R(pc->a);                                                                    \
    if ((a & Term::kTagMask) != 0) [[unlikely]]                                           \
      TO(name##Float);                                                                    \
    if (static_cast<std::int64_t>(a) op static_cast<std::int64_t>(small(pc->b))) NEXT(2); \
    NEXT(static_cast<std::ptrdiff_t>(extra(pc)));                                         \
  }
COMPARE_BRANCH(BranchNotLess, Less, <)
COMPARE_BRANCH(BranchNotLessEqual, LessEqual, <=)
COMPARE_BRANCH_SMALL(BranchNotLessI, Less, <)
COMPARE_BRANCH_SMALL(BranchNotLessEqualI, LessEqual, <=)
COMPARE_BRANCH_SMALL(BranchNotGreaterI, Greater, >)
COMPARE_BRANCH_SMALL(BranchNotGreaterEqualI, GreaterEqual, >=)

HANDLER(BranchNotEqualSlow) {
  if (equal(T(pc->a), T(pc->b))) NEXT(2);
  NEXT(static_cast<std::ptrdiff_t>(extra(pc)));
}
HANDLER(BranchNotEqual) {
  Word a = R(pc->a), b = R(pc->b);
  if (is_in_memory(a) || is_in_memory(b)) TO(BranchNotEqualSlow);
  if (a == b) NEXT(2);
  NEXT(static_cast<std::ptrdiff_t>(extra(pc)));
}
HANDLER(BranchNotEqualISlow) {
  if (equal(T(pc->a), Term::from_bits(small(pc->b)))) NEXT(2);
  NEXT(static_cast<std::ptrdiff_t>(extra(pc)));
}
HANDLER(BranchNotEqualI) {
  Word a = R(pc->a);
  if (a == small(pc->b)) NEXT(2);
  if (is_in_memory(a)) [[unlikely]]
    TO(BranchNotEqualISlow);
  NEXT(static_cast<std::ptrdiff_t>(extra(pc)));
}

// Patterns.
HANDLER(BranchNotBits) {
  if (R(pc->a) == extra(pc)) NEXT(2);
  NEXT(near_offset(pc));
}
HANDLER(BranchNotValue) {
  if (equal(T(pc->a), Term::from_bits(extra(pc)))) NEXT(2);
  NEXT(near_offset(pc));
}
HANDLER(Select) {
  const std::ptrdiff_t distance = select::find(Term::from_bits(extra(pc)).box(), T(pc->a));
  if (distance != 0) [[likely]]
    NEXT(distance);
  NEXT(near_offset(pc));
}
HANDLER(BranchNotTuple) {
  Term t = T(pc->a);
  if (t.is_boxed() && t.box()[0] == Header::make(Kind::kTuple, pc->b).bits()) NEXT(2);
  NEXT(static_cast<std::ptrdiff_t>(extra(pc)));
}
HANDLER(BranchNotTupleMin) {
  Term t = T(pc->a);
  if (is_tuple(t) && tuple_count(t) >= pc->b) NEXT(2);
  NEXT(static_cast<std::ptrdiff_t>(extra(pc)));
}
HANDLER(TupleGet) {
  R(pc->a) = payload(T(pc->b))[pc->c];
  NEXT(1);
}
HANDLER(TupleTail) {
  SLOW(tuple_tail(*p));
}
HANDLER(BranchNotVector) {
  Term t = T(pc->a);
  if (is_vector(t) && vector_count(t) == pc->b) NEXT(2);
  NEXT(static_cast<std::ptrdiff_t>(extra(pc)));
}
HANDLER(VectorGet) {
  R(pc->a) = vector_get(T(pc->b), pc->c).bits();
  NEXT(1);
}
HANDLER(BranchNotMap) {
  NEXT(is_map(T(pc->a)) ? 1 : near_offset(pc));
}
HANDLER(MapGet) {
  Term value = map_get(T(pc->b), Term::from_bits(extra(pc)));
  if (value == Term::absent()) NEXT(static_cast<std::ptrdiff_t>(extra(pc, 2)));
  R(pc->a) = value.bits();
  NEXT(3);
}
HANDLER(BranchNotSet) {
  Term t = T(pc->a);
  if (is_set(t) && set_count(t) == pc->b) NEXT(2);
  NEXT(static_cast<std::ptrdiff_t>(extra(pc)));
}
HANDLER(SetGet) {
  SLOW(set_get(*p));
}
HANDLER(BranchNotPid) {
  NEXT(T(pc->a).is_pid() ? 1 : near_offset(pc));
}
HANDLER(PidPart) {
  Term pid = T(pc->b);
  R(pc->a) = (pc->c == 0 ? own_realm(*p) : Term::integer(pid.pid_slot())).bits();
  NEXT(1);
}
// Bits. The position is a small integer.
HANDLER(BranchNotBinary) {
  NEXT(is_binary(T(pc->a)) ? 1 : near_offset(pc));
}
HANDLER(BitsInteger) {
  Term t = T(pc->b);
  BitsField field = BitsField::decode(extra(pc));
  std::size_t at = field.offset;
  if (!field.from_start) at += static_cast<std::size_t>(T(pc->c).as_integer());
  unsigned bits = field.segment.size;
  if (at + bits > 8 * binary_size(t)) NEXT(static_cast<std::ptrdiff_t>(extra(pc, 2)));
  std::uint64_t value = peek_bits(binary_data(t), at, bits);
  if (field.segment.is_signed) {
    value =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(value << (64 - bits)) >> (64 - bits));
  }
  R(pc->a) = Term::integer(static_cast<std::int64_t>(value)).bits();
  NEXT(3);
}
SLOW_HANDLER(BitsNumber, bits_number(*p))
SLOW_HANDLER(BitsBytesSlow, bits_bytes(*p))

// A field's place, in bits.
inline std::size_t field_at(Word field, const Word* fp, const Instruction* pc) {
  std::size_t at = field & (BitsField::kMaxOffset - 1);
  if ((field & BitsField::kFromStart) == 0) {
    at += static_cast<std::size_t>(T(pc->c).as_integer());
  }
  return at;
}
inline bool heap_has(Process& p, const Word* fp, std::size_t words) {
  return frame_floor(p, fp) - p.top() >= static_cast<std::ptrdiff_t>(words) && !p.collect_;
}
// A piece of a binary from a whole byte on; there is room for it.
inline std::size_t piece_words(std::size_t size) {
  return size < kPoolBytes ? (size + 7) / 8 + 2 : 4;
}
inline Term make_piece(Process& p, Term binary, std::size_t begin, std::size_t size) {
  std::size_t words = piece_words(size);
  Word* box = p.top();
  p.set_top(box + words);
  const std::uint8_t* from = binary_data(binary) + begin;
  box[1] = size;
  if (size < kPoolBytes) {
    box[0] = Header::make(Kind::kBinary, words - 1).bits();
    copy_small(box + 2, from, size);
  } else {
    box[0] = Header::make(Kind::kSlice, 3).bits();
    box[2] = reinterpret_cast<Word>(from);
    box[3] = slot(binary, 2).bits();
  }
  return Term::boxed(box);
}

HANDLER(BitsFloat) {
  Term t = T(pc->b);
  std::size_t at = field_at(extra(pc), fp, pc);
  if (at + 64 > 8 * binary_size(t)) NEXT(static_cast<std::ptrdiff_t>(extra(pc, 2)));
  if (at % 8 != 0 || !heap_has(*p, fp, 2)) [[unlikely]]
    TO(BitsNumber);
  Word* box = p->top();
  p->set_top(box + 2);
  Word word;
  __builtin_memcpy(&word, binary_data(t) + at / 8, sizeof word);
  box[0] = Header::make(Kind::kFloat, 1).bits();
  box[1] = __builtin_bswap64(word);
  R(pc->a) = Term::boxed(box).bits();
  NEXT(4);
}
HANDLER(BitsRest) {
  Term t = T(pc->b);
  std::size_t at = field_at(extra(pc), fp, pc), bits = 8 * binary_size(t);
  if (at > bits || at % 8 != 0) NEXT(static_cast<std::ptrdiff_t>(extra(pc, 2)));
  std::size_t size = (bits - at) / 8;
  if (!heap_has(*p, fp, piece_words(size))) [[unlikely]]
    TO(BitsBytesSlow);
  R(pc->a) = make_piece(*p, t, at / 8, size).bits();
  NEXT(4);
}
HANDLER(BitsBytes) {
  Term t = T(pc->b);
  Word field = extra(pc);
  std::size_t at = field_at(field, fp, pc), bits = 8 * binary_size(t);
  std::size_t size = field >> BitsField::kSizeShift;
  if ((field & BitsField::kDynamic) != 0) {
    Term dynamic = T(size);
    if (!dynamic.is_integer()) NEXT(static_cast<std::ptrdiff_t>(extra(pc, 2)));
    size = static_cast<std::size_t>(dynamic.as_integer());  // negative: more than there is
  }
  if (at > bits || size > (bits - at) / 8) NEXT(static_cast<std::ptrdiff_t>(extra(pc, 2)));
  if (pc->a != kNoResult) {
    if (at % 8 != 0 || !heap_has(*p, fp, piece_words(size))) [[unlikely]]
      TO(BitsBytesSlow);
    R(pc->a) = make_piece(*p, t, at / 8, size).bits();
  }
  if ((field & BitsField::kAdvance) != 0) {
    R(pc->c) = Term::integer(static_cast<std::int64_t>(at + 8 * size)).bits();
  }
  NEXT(4);
}
HANDLER(BranchNotBitsEnd) {
  BitsField field = BitsField::decode(extra(pc));
  std::size_t at = field.offset;
  if (!field.from_start) at += static_cast<std::size_t>(T(pc->b).as_integer());
  std::size_t bits = 8 * binary_size(T(pc->a));
  if (at == bits || (field.segment.whole && at < bits)) NEXT(3);
  NEXT(static_cast<std::ptrdiff_t>(extra(pc, 2)));
}
HANDLER(BadMatch) {
  SLOW(bad_match(*p));
}

// Intrinsics.
#define BINARY_SLOW(name, fallback, second) \
  HANDLER(name##Slow) {                     \
    FALL_BACK(fallback, T(pc->b), (second)) \
    R(pc->a) = result.bits();               \
    NEXT(1);                                \
  }
#define GO_SLOW(name) [[clang::musttail]] return op_##name##Slow(fp, pc, p, reductions, table)
// A float as the result. When little room is left on the heap, a collection is asked for at the
// next call; when there is none, the native makes the float.
#define FLOAT_ARITHMETIC(name, op, operand_word)                              \
  HANDLER(name##Mixed) {                                                      \
    FloatPair pair = float_pair(R(pc->b), (operand_word));                    \
    Word* top = p->top();                                                     \
    if (!pair.good || frame_floor(*p, fp) - top < kFloatWords) GO_SLOW(name); \
    if (frame_floor(*p, fp) - top < kFewFloats) {                             \
      p->collect_ = true;                                                     \
      reductions = after_fall_back(*p, reductions);                           \
    }                                                                         \
    p->set_top(top + kFloatWords);                                            \
    R(pc->a) = write_float(top, pair.a op pair.b);                            \
    NEXT(1);                                                                  \
  }
// The same without a look at anything else: first in the instruction itself.
#define TRY_FLOATS(op)                                                                    \
  if (Word* top = p->top(); both_floats(a, b) && frame_floor(*p, fp) - top >= kFewFloats) \
      [[likely]] {                                                                        \
    p->set_top(top + kFloatWords);                                                        \
    R(pc->a) = write_float(top, float_of_word(a) op float_of_word(b));                    \
    NEXT(1);                                                                              \
  }
#define ARITHMETIC(name, fallback, builtin, op, operand_word, operand_term)                        \
  BINARY_SLOW(name, fallback, operand_term)                                                        \
  FLOAT_ARITHMETIC(name, op, operand_word)                                                         \
  HANDLER(name) {                                                                                  \
    Word a = R(pc->b), b = (operand_word);                                                         \
    std::int64_t result;                                                                           \
    if (!both_integers(a, b)) {                                                                    \
      TRY_FLOATS(op)                                                                               \
      TO(name##Mixed);                                                                             \
    }                                                                                              \
    if (builtin(static_cast<std::int64_t>(a), static_cast<std::int64_t>(b), &result)) [[unlikely]] \
      TO(name##Mixed);                                                                             \
    R(pc->a) = static_cast<Word>(result);                                                          \
    NEXT(1);                                                                                       \
  }
ARITHMETIC(Add, Add, __builtin_add_overflow, +, R(pc->c), T(pc->c))
ARITHMETIC(Subtract, Subtract, __builtin_sub_overflow, -, R(pc->c), T(pc->c))
ARITHMETIC(AddI, Add, __builtin_add_overflow, +, small(pc->c), Term::from_bits(small(pc->c)))
ARITHMETIC(SubtractI, Subtract, __builtin_sub_overflow, -, small(pc->c),
           Term::from_bits(small(pc->c)))
BINARY_SLOW(Multiply, Multiply, T(pc->c))
FLOAT_ARITHMETIC(Multiply, *, R(pc->c))
HANDLER(Multiply) {
  Word a = R(pc->b), b = R(pc->c);
  std::int64_t result;
  if (!both_integers(a, b)) {
    TRY_FLOATS(*)
    TO(MultiplyMixed);
  }
  if (__builtin_mul_overflow(Term::from_bits(a).as_integer(), static_cast<std::int64_t>(b),
                             &result)) [[unlikely]]
    TO(MultiplyMixed);
  R(pc->a) = static_cast<Word>(result);
  NEXT(1);
}
#define COMPARISON(name, op)                                                                       \
  BINARY_SLOW(name, name, T(pc->c))                                                                \
  HANDLER(name##Float) {                                                                           \
    FloatPair pair = ordered_pair(R(pc->b), R(pc->c));                                             \
    if (!pair.good) [[unlikely]]                                                                   \
      GO_SLOW(name);                                                                               \
    R(pc->a) = Term::boolean(pair.a op pair.b).bits();                                             \
    NEXT(1);                                                                                       \
  }                                                                                                \
  HANDLER(name) {                                                                                  \
    Word a = R(pc->b), b = R(pc->c);                                                               \
    if (!both_integers(a, b)) [[unlikely]]                                                         \
      TO(name##Float);                                                                             \
    R(pc->a) = Term::boolean(static_cast<std::int64_t>(a) op static_cast<std::int64_t>(b)).bits(); \
    NEXT(1);                                                                                       \
  }
COMPARISON(Less, <)
COMPARISON(LessEqual, <=)
COMPARISON(Greater, >)
COMPARISON(GreaterEqual, >=)
HANDLER(Equal) {
  R(pc->a) = Term::boolean(equal(T(pc->b), T(pc->c))).bits();
  NEXT(1);
}
HANDLER(Not) {
  R(pc->a) = Term::boolean(!T(pc->b).is_truthy()).bits();
  NEXT(1);
}
#define UNARY_SLOW(name)      \
  HANDLER(name##Slow) {       \
    FALL_BACK(name, T(pc->b)) \
    R(pc->a) = result.bits(); \
    NEXT(1);                  \
  }
UNARY_SLOW(First)
HANDLER(First) {
  Term t = T(pc->b);
  if (!t.is_pair()) [[unlikely]]
    GO_SLOW(First);
  R(pc->a) = t.first().bits();
  NEXT(1);
}
UNARY_SLOW(Rest)
HANDLER(Rest) {
  Term t = T(pc->b);
  if (!t.is_pair() || !t.rest().is_list()) [[unlikely]]
    GO_SLOW(Rest);
  R(pc->a) = t.rest().bits();
  NEXT(1);
}
UNARY_SLOW(IsEmpty)
HANDLER(IsEmpty) {
  Term t = T(pc->b);
  if (!t.is_pair() && !t.is_empty_list()) [[unlikely]]
    GO_SLOW(IsEmpty);
  R(pc->a) = Term::boolean(!t.is_pair()).bits();
  NEXT(1);
}
HANDLER(IsNil) {
  R(pc->a) = Term::boolean(T(pc->b).is_nil()).bits();
  NEXT(1);
}
SLOW_HANDLER(PrependSlow, prepend_slow(*p))
HANDLER(Prepend) {
  Term list = T(pc->b);
  Word* top = p->top();
  if (!list.is_list() || frame_floor(*p, fp) - top < 2 || p->collect_) [[unlikely]]
    TO(PrependSlow);
  p->set_top(top + 2);
  top[0] = R(pc->c);
  top[1] = list.bits();
  R(pc->a) = Term::pair(top).bits();
  NEXT(2);
}
SLOW_HANDLER(MakeTupleSlow, make_tuple_slow(*p))
HANDLER(MakeTuple) {
  std::uint64_t n = pc->c;
  Word* top = p->top();
  Word* end = top + n + 1;
  if (end > frame_floor(*p, fp) || p->collect_) [[unlikely]]
    TO(MakeTupleSlow);
  p->set_top(end);
  top[0] = Header::make(Kind::kTuple, n).bits();
  const Word* from = &R(pc->b);
#pragma clang loop unroll(disable) vectorize(disable)
  for (Word* to = top + 1; to != end; ++to) *to = *from--;
  R(pc->a) = Term::boxed(top).bits();
  NEXT(2);
}

HANDLER(Define) {
  SLOW(define(*p));
}
HANDLER(Declare) {
  SLOW(declare(*p));
}

// Messages.
HANDLER(ReceivePeek) {
  Fragment* message = *p->scan_;
  if (message == nullptr) NEXT(near_offset(pc));
  R(pc->a) = message->value.bits();
  p->peeking_ = true;
  NEXT(1);
}
HANDLER(ReceiveTake) {
  receive_take(*p);
  if (p->collect_) {
    p->reductions_saved_ = reductions;
    reductions = 0;
  }
  NEXT(1);
}
HANDLER(ReceiveNext) {
  SLOW(receive_next(*p));
}
SLOW_HANDLER(ReceiveWaitSlow, receive_wait(*p))
HANDLER(ReceiveWait) {
  // `:after 0` needs no clock.
  if (p->arrived_.load(std::memory_order_relaxed) != nullptr) TO(ReceiveWaitSlow);
  if (*p->scan_ != nullptr) NEXT(near_offset(pc));
  if (pc->a == kNoRegister || R(pc->a) != Term::integer(0).bits()) TO(ReceiveWaitSlow);
  p->wait_deadline_ = 0;
  p->scan_ = &p->inbox_;
  NEXT(static_cast<std::ptrdiff_t>(extra(pc)));
}
SLOW_HANDLER(ReceiveTimerSlow, receive_timer(*p))
HANDLER(ReceiveTimer) {
  bool good = pc->a == kNoRegister || (T(pc->a).is_integer() && T(pc->a).as_integer() >= 0);
  if (!good || p->peeking_) [[unlikely]]
    TO(ReceiveTimerSlow);
  p->scan_ = &p->inbox_;
  p->wait_deadline_ = 0;
  NEXT(1);
}
HANDLER(ReceiveMark) {
  Term t = T(pc->a);
  if (is_kind(t, Kind::kRef) && payload(t)[0] == p->mark_ref_) p->scan_ = p->mark_;
  NEXT(1);
}

HANDLER(ProcessEnd) {
  p->fp_ = fp;
  p->pc_ = pc;
  p->exit_reason_ = state_of(*p).normal;
  return RunResult::kExit;
}
HANDLER(NestedEnd) {
  p->fp_ = fp;
  p->result_ = Term::from_bits(fp[2]);
  p->reductions_left_ = reductions;
  return RunResult::kNested;
}

Handler* const kTable[] = {
#define LONA_OPCODE(name, words, operands, effect) op_##name,
#include "vm/bytecode/opcodes.def"
#undef LONA_OPCODE
};

}  // namespace

const Instruction* const kProcessEnd = kProcessEndCode + kCallWords;
const Instruction* const kNestedEnd = kNestedEndCode + kCallWords;

RunResult run_slice(Process& p, std::int64_t reductions) {
  p.reductions_left_ = reductions;
  const Instruction* pc = p.pc_;
  return kTable[pc->op](p.fp_, pc, &p, reductions, kTable);
}

}  // namespace lona::vm
