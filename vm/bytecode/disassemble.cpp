// SPDX-License-Identifier: BSD-2-Clause
#include "vm/bytecode/disassemble.hpp"

#include "vm/bytecode/opcodes.hpp"
#include "vm/code/namespace.hpp"
#include "vm/data/sequence.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

// Writes the parts of one instruction; remembers a refusal.
class Line {
 public:
  explicit Line(Sink& sink) : sink_(sink) {}
  bool good() const { return good_; }

  Line& text(std::string_view t) {
    good_ = good_ && sink_.write(t);
    column_ += t.size();
    return *this;
  }
  Line& number(std::int64_t n) {
    char buffer[24];
    char* at = buffer + sizeof(buffer);
    std::uint64_t left = n < 0 ? -static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);
    do {
      *--at = static_cast<char>('0' + left % 10);
      left /= 10;
    } while (left != 0);
    if (n < 0) *--at = '-';
    return text({at, static_cast<std::size_t>(buffer + sizeof(buffer) - at)});
  }
  Line& term(Term t) {
    good_ = good_ && print(sink_, t);
    return *this;
  }
  Line& column(std::size_t wanted) {
    do {
      text(" ");
    } while (column_ < wanted);
    return *this;
  }
  Line& end() {
    text("\n");
    column_ = 0;
    return *this;
  }

 private:
  Sink& sink_;
  std::size_t column_ = 0;
  bool good_ = true;
};

void write_distance(Line& line, std::int64_t distance) {
  line.text(" to ").text(distance < 0 ? "" : "+").number(distance);
}

void write_fields(Line& line, const Instruction* i, const OpInfo& info) {
  const std::uint16_t values[] = {i->a, i->b, i->c};
  for (std::size_t field = 0; field < 3; ++field) {
    const std::uint16_t value = values[field];
    switch (info.fields[field]) {
      case Operand::kMaybeRegister:
        if (value == kNoOperand) break;
        [[fallthrough]];
      case Operand::kRegister:
      case Operand::kArguments:
        line.text(" r").number(value);
        break;
      case Operand::kNumber:
        line.text(" ").number(static_cast<std::int16_t>(value));
        break;
      case Operand::kNear:
        write_distance(line, near_offset(i));
        break;
      case Operand::kImmediate:
        line.text(" ");
        line.term(Term::from_bits(static_cast<Word>(static_cast<std::int64_t>(near_offset(i)))));
        break;
      default:
        break;
    }
  }
}

void write_table(Line& line, Term table) {
  line.text(" (");
  bool first = true;
  for (std::size_t i = 0; i < tuple_count(table); i += 2) {
    const std::int64_t distance = slot(table, i + 1).as_integer();
    if (distance == 0) continue;
    line.text(first ? "" : ", ").term(slot(table, i));
    write_distance(line, distance);
    first = false;
  }
  line.text(")");
}

void write_extra(Line& line, const Instruction* i, const OpInfo& info) {
  for (std::size_t n = 1; n <= info.extra.size(); ++n) {
    switch (info.extra[n - 1]) {
      case Operand::kFar:
        write_distance(line, static_cast<std::int64_t>(extra(i, n)));
        break;
      case Operand::kTerm:
      case Operand::kShapes:
        line.text(" ").term(Term::from_bits(extra(i, n)));
        break;
      case Operand::kTable:
        write_table(line, Term::from_bits(extra(i, n)));
        break;
      case Operand::kVar:
        line.text(" ").term(reinterpret_cast<Var*>(extra(i, n))->term());
        break;
      case Operand::kFunction: {
        const auto* f = reinterpret_cast<const Function*>(extra(i, n));
        line.text(" ").text(f->name == nullptr ? "?" : f->name->full());
        break;
      }
      case Operand::kFallback:
        line.text(" ").text(fallback_name(static_cast<unsigned>(extra(i, n))));
        break;
      case Operand::kRegisters: {
        auto* registers = reinterpret_cast<const std::uint16_t*>(i + n);
        for (std::uint32_t r = 0; r < i->b; ++r) line.text(" r").number(registers[r]);
        break;
      }
      default:
        break;
    }
  }
}

}  // namespace

bool disassemble(Sink& sink, const Function& f) {
  Line line(sink);
  line.text(f.name == nullptr ? "?" : f.name->full()).text(": ").number(f.required);
  line.text(f.variadic ? " or more" : "").text(" parameters, ").number(f.frame_words);
  line.text(" registers, ").number(f.captures).text(" captured").end();
  for (std::uint32_t at = 0; at < f.code_words && line.good();) {
    const Instruction* i = f.code + at;
    const OpInfo& info = op_info(static_cast<Op>(i->op));
    line.text("  ").number(at).column(8).text(info.name).column(30);
    write_fields(line, i, info);
    write_extra(line, i, info);
    line.end();
    at += static_cast<std::uint32_t>(instruction_words(i));
  }
  return line.good();
}

}  // namespace lona::vm
