// SPDX-License-Identifier: BSD-2-Clause
#include "vm/bytecode/disassemble.hpp"

#include "vm/bytecode/opcodes.hpp"
#include "vm/code/namespace.hpp"

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

// Each operand by its kind in opcodes.def: `r` register, `k` first argument, `#` number, `live`.
void write_operands(Line& line, const Instruction* i, std::string_view operands) {
  const std::uint16_t values[] = {i->a, i->b, i->c};
  std::size_t field = 0;
  while (!operands.empty() && operands.front() != ';' && field < 3) {
    std::size_t n = operands.find_first_of(" ;");
    std::string_view kind = operands.substr(0, n);
    if (kind == "off" || kind == "bits32") {
      line.text(kind == "off" ? " to " : " ");
      if (kind == "off") {
        line.text(near_offset(i) < 0 ? "" : "+").number(near_offset(i));
      } else {
        line.term(Term::from_bits(static_cast<Word>(static_cast<std::int64_t>(near_offset(i)))));
      }
      return;
    }
    if (kind == "r" && values[field] != 0xffff) line.text(" r").number(values[field]);
    if (kind == "k") line.text(" r").number(values[field]);
    if (kind == "#") line.text(" ").number(static_cast<std::int16_t>(values[field]));
    field++;
    if (n == std::string_view::npos || operands[n] == ';') return;
    operands.remove_prefix(n + 1);
  }
}

void write_extra(Line& line, const Instruction* i, std::string_view operands) {
  std::size_t start = operands.find(';');
  for (std::size_t n = 1; start != std::string_view::npos; ++n) {
    operands.remove_prefix(start + 2);
    start = operands.find(';');
    std::string_view kind = operands.substr(0, start);
    Word word = extra(i, n);
    if (kind == "off") {
      line.text(" to ").text(static_cast<std::int64_t>(word) < 0 ? "" : "+");
      line.number(static_cast<std::int64_t>(word));
    } else if (kind == "term" || kind == "key") {
      line.text(" ").term(Term::from_bits(word));
    } else if (kind == "var") {
      line.text(" ").term(reinterpret_cast<Var*>(word)->term());
    } else if (kind == "function") {
      const auto* f = reinterpret_cast<const Function*>(word);
      line.text(" ").text(f->name == nullptr ? "?" : f->name->full());
    } else if (kind.starts_with("registers")) {
      auto* registers = reinterpret_cast<const std::uint16_t*>(i + n);
      for (std::uint32_t r = 0; r < i->b; ++r) line.text(" r").number(registers[r]);
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
    write_operands(line, i, info.operands);
    write_extra(line, i, info.operands);
    line.end();
    at += static_cast<std::uint32_t>(instruction_words(i));
  }
  return line.good();
}

}  // namespace lona::vm
