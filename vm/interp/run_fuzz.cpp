// SPDX-License-Identifier: BSD-2-Clause
// Whatever program there is, it ends in a value, an error or a timeout; and whatever code the
// verifier accepts does no harm. A libFuzzer program of the asan preset. The first byte of an input
// chooses:
//
// - even: the other bytes choose a program out of a grammar, which is compiled (and verified, as in
//   all builds with assertions) and run;
// - odd: they change the code of a function that the compiler has made. When the verifier accepts
//   it still, it is run with arguments of many kinds.
#include <cstdint>
#include <string>
#include <vector>

#include "vm/bytecode/opcodes.hpp"
#include "vm/bytecode/verify.hpp"
#include "vm/platform/platform.hpp"
#include "vm/sched/test_vm.hpp"

namespace lona::vm {
namespace {

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  unsigned next(unsigned below) { return at_ == end_ ? 0 : *at_++ % below; }
  bool done() const { return at_ == end_; }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

// A program by the bytes' choice. When they are used up, the first alternatives end everything.
class Programs {
 public:
  explicit Programs(Bytes& bytes) : bytes_(bytes) {}

  std::string expression(unsigned depth) {
    static constexpr const char* kAtoms[] = {"nil",
                                             "a",
                                             "b",
                                             "0",
                                             "1",
                                             "-3",
                                             "true",
                                             ":k",
                                             "\"text\"",
                                             "1/3",
                                             "2.5",
                                             "'sym",
                                             "(self)",
                                             "1152921504606846975",
                                             "99999999999999999999",
                                             "#bytes[1 2 3]",
                                             "\\x",
                                             "()",
                                             "%{:k 1}",
                                             "f"};
    static constexpr const char* kOne[] = {"first", "rest",   "count", "str",      "not",  "nil?",
                                           "list",  "f",      "g",     "vector",   "hash", "empty?",
                                           "type",  "->list", "eval",  "make-ref", "keys", "abs"};
    static constexpr const char* kTwo[] = {
        "+",   "-",       "*",     "<",  "=",   "quot", "nth", "get", "list",    "f",
        "mod", "prepend", "apply", "<=", "str", "rem",  "put", "max", "compare", "g"};
    if (depth == 0 || bytes_.done()) return kAtoms[bytes_.next(std::size(kAtoms))];
    const auto e = [&] { return expression(depth - 1); };
    switch (bytes_.next(20)) {
      case 0:
      case 1:
        return kAtoms[bytes_.next(std::size(kAtoms))];
      case 2:
      case 3:
        return std::string("(") + kOne[bytes_.next(std::size(kOne))] + " " + e() + ")";
      case 4:
      case 5:
      case 6:
        return std::string("(") + kTwo[bytes_.next(std::size(kTwo))] + " " + e() + " " + e() + ")";
      case 7:
        return "(if " + e() + " " + e() + " " + e() + ")";
      case 8:
      case 9:
        return "(match " + e() + clauses(depth) + ")";
      case 10:
        return "[" + e() + " " + e() + "]";
      case 11:
        return "{" + e() + " " + e() + "}";
      case 12:
        return "%{" + e() + " " + e() + "}";
      case 13:
        return "(do " + e() + " " + e() + ")";
      case 14:
        return "((fn* self [a b] " + e() + ") " + e() + " " + e() + ")";
      case 15:
        return "(fn* [a" + std::string(bytes_.next(2) != 0 ? " & b" : "") + "] " + e() + ")";
      case 16:
        return "(receive" + clauses(depth) + " :after " + std::to_string(bytes_.next(2)) + " " +
               e() + ")";
      case 17:
        return "(send (self) " + e() + ")";
      case 18:
        return "(def h " + e() + ")";
      default:
        return bytes_.next(2) == 0 ? "(spawn (fn* [] " + e() + "))" : "'(" + e() + " " + e() + ")";
    }
  }

  std::string pattern(unsigned depth) {
    static constexpr const char* kAtoms[] = {"_",   "a",        "b",    "1",  ":k",
                                             "nil", "\"text\"", "'sym", "()", "2.5"};
    if (depth == 0 || bytes_.done()) return kAtoms[bytes_.next(std::size(kAtoms))];
    const auto p = [&] { return pattern(depth - 1); };
    switch (bytes_.next(9)) {
      case 0:
      case 1:
        return kAtoms[bytes_.next(std::size(kAtoms))];
      case 2:
        return "[" + p() + " " + p() + "]";
      case 3:
        return "[" + p() + " & " + p() + "]";
      case 4:
        return "{" + p() + " " + p() + "}";
      case 5:
        return "%{:k " + p() + "}";
      case 6:
        return "#{a b}";
      case 7:
        return "#bits[a:8 b:a/bytes & _]";
      default:
        return "(pid " + p() + " " + p() + ")";
    }
  }

 private:
  std::string clauses(unsigned depth) {
    std::string text;
    for (unsigned n = 1 + bytes_.next(3); n > 0; --n) {
      text += " " + pattern(2);
      if (bytes_.next(3) == 0) text += " when " + expression(depth - 1);
      text += " " + expression(depth - 1);
    }
    return text;
  }

  Bytes& bytes_;
};

void run(TestVm& vm, const std::string& body) {
  vm.run("(match (spawn-monitor (fn* [] " + body +
         ") %{:max-heap-size 400000})"
         " [p r] (receive [:DOWN q s t reason] when (= q r) reason"
         "               :after 40 (do (exit p :kill) :timeout)))");
  vm.vm().kill_all(Term::nil());
}

void run_program(TestVm& vm, Bytes& bytes) {
  Programs programs(bytes);
  vm.run("(def f (fn* [a b] " + programs.expression(3) + "))");
  vm.run("(def g (fn* [a & b] " + programs.expression(3) + "))");
  run(vm, "((fn* [a b] " + programs.expression(5) + ") 1 [:k \"text\"])");
}

// --- Changed code -------------------------------------------------------------------------------

constexpr std::string_view kSources[] = {
    "(def f (fn* [a b] (match a [x y & z] when (< x b) (list a z) {p q} p %{:k v} v _ 1)))",
    "(def f (fn* [a b] (fn* [c] [a b c {a b} #{c}])))",
    "(def f (fn* [a b] (match a #bits[n:8 m:n/bytes k:4 j:4 & r] [n m k j r] #bits[x:64/float] x"
    "  #bits[n:16/le m:n] [n m] #{x} x (pid r l) [r l] _ b)))",
    "(def f (fn* [a b] (do (send (self) a) (receive [:a x] x [r y] when (= r b) y :after 1 b))))",
    "(def f (fn* [a b] (match a 0 1 1 b :a 2 :b [b] nil 3 \"text\" 4 9 5 :k 6 x x)))",
    "(def f (fn* g [a b] (if (= a 0) b (+ 1 (g 0 (- b 1))))))",
    "(def f (fn* [a b] (do (def g (prepend (list b) a)) (str (first g) (rest g) (empty? g)))))",
    "(def f (fn* [a b] [(list a 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25"
    "  26 27 28 29 30 31 32 33 34) [b a [b a]]]))",
};
constexpr const char* kArguments[] = {"0 5",       ":a :b",     "[1 2 3] 9",
                                      "{1 2} nil", "%{:k 1} 1", "#bytes[2 7 8 0x12 9 9 9 9 9 9] 0",
                                      "#{7} 1",    "(self) 1",  "\"text\" \"t\"",
                                      "'(1 2) 2.5"};

// The addresses in the code as it was: a changed one may refer to these only.
struct Known {
  std::vector<Word> terms, vars, functions;
  static bool has(const std::vector<Word>& words, Word w) {
    for (Word each : words) {
      if (each == w) return true;
    }
    return false;
  }
  CodeWorld world() {
    return {.term = [](void* k, Term t) { return has(static_cast<Known*>(k)->terms, t.bits()); },
            .var =
                [](void* k, const Var* v) {
                  return has(static_cast<Known*>(k)->vars, reinterpret_cast<Word>(v));
                },
            .function =
                [](void* k, const Function* f) {
                  return has(static_cast<Known*>(k)->functions, reinterpret_cast<Word>(f));
                },
            .context = this};
  }
};

Known addresses_in(const Function& f) {
  Known known;
  for (std::uint32_t at = 0; at < f.code_words;
       at += static_cast<std::uint32_t>(instruction_words(f.code + at))) {
    const OpInfo& info = op_info(static_cast<Op>(f.code[at].op));
    for (std::size_t n = 1; n <= info.extra.size(); ++n) {
      const Operand kind = info.extra[n - 1];
      if (is_term(kind)) known.terms.push_back(extra(f.code + at, n));
      if (info.extra[n - 1] == Operand::kVar) known.vars.push_back(extra(f.code + at, n));
      if (info.extra[n - 1] == Operand::kFunction) known.functions.push_back(extra(f.code + at, n));
    }
  }
  return known;
}

void run_changed(TestVm& vm, Bytes& bytes) {
  vm.run(kSources[bytes.next(std::size(kSources))]);
  const Function* f = vm.vm().namespaces().find(intern("lona.user"))->find(intern("f"))->function;
  Known known = addresses_in(*f);
  auto* fields = reinterpret_cast<std::uint16_t*>(const_cast<Instruction*>(f->code));
  const std::vector<std::uint16_t> before(fields, fields + std::size_t{f->code_words} * 4);
  const char* arguments = kArguments[bytes.next(std::size(kArguments))];
  do {
    const std::size_t where = (bytes.next(256) << 8 | bytes.next(256)) % before.size();
    const unsigned how = bytes.next(4);
    if (how == 0) fields[where] = static_cast<std::uint16_t>(bytes.next(256));
    if (how == 1) fields[where] = static_cast<std::uint16_t>(fields[where] + bytes.next(5) - 2);
    if (how == 2) fields[where] = before[(bytes.next(256) << 8 | bytes.next(256)) % before.size()];
    if (how == 3) fields[where] = static_cast<std::uint16_t>(1u << bytes.next(16));
  } while (!bytes.done());
  if (verify(*f, known.world()) == nullptr) run(vm, std::string("(f ") + arguments + ")");
  std::copy(before.begin(), before.end(), fields);
}

}  // namespace
}  // namespace lona::vm

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lona::vm;
  static TestVm vm;
  if (size < 2) return 0;
  Bytes bytes(data + 1, size - 1);
  data[0] % 2 == 0 ? run_program(vm, bytes) : run_changed(vm, bytes);
  return 0;
}
