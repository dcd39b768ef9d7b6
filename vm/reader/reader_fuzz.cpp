// SPDX-License-Identifier: BSD-2-Clause
// Any bytes are read without harm, and what was read prints as text that reads back as an equal
// value. A libFuzzer program; built in the asan preset, where the VM is instrumented for it.
#include <cstdint>
#include <string>

#include "vm/data/string.hpp"
#include "vm/heap/arena.hpp"
#include "vm/platform/platform.hpp"
#include "vm/printer/printer.hpp"
#include "vm/reader/reader.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/hash.hpp"

namespace lona::vm {
namespace {

SymbolEntry* keep(void*, SymbolEntry* symbol) {
  return symbol;
}

void check(bool holds, const char* what) {
  if (!holds) platform::panic(what);
}

void check_form(Arena& arena, Term form) {
  Term text = print_to_string(arena, form);
  Reader again(arena, string_text(text), {.qualify = keep});
  ReadOutcome r = again.next();
  check(r.kind == ReadOutcome::Kind::kForm, "a printed form does not read");
  // A NaN equals nothing, so that what it is part of is told by the order only.
  bool nan = string_text(text).find("##NaN") != std::string_view::npos;
  check(nan || equal(form, r.form), "a printed form reads as another value");
  check(hash_term(form) == hash_term(r.form), "equal forms have different hashes");
  check(compare(form, r.form) == 0, "equal forms are ordered");
  check(again.next().kind == ReadOutcome::Kind::kEnd, "a printed form reads as several");
  check(string_text(print_to_string(arena, r.form)) == string_text(text), "printing is not stable");
}

void read_all(std::string_view bytes) {
  Arena arena;
  PositionTable positions(arena);
  Reader reader(arena, bytes, {.file = "fuzz", .positions = &positions, .qualify = keep});
  std::size_t before = 0;
  for (;;) {
    ReadOutcome r = reader.next();
    if (r.kind == ReadOutcome::Kind::kEnd) return;
    if (r.kind == ReadOutcome::Kind::kForm) {
      check(reader.offset() > before, "a form of no bytes");
      before = reader.offset();
      check_form(arena, r.form);
    } else {
      check(r.error_type != nullptr && !r.error_info.is_nil(), "an error without a type");
    }
  }
}

}  // namespace
}  // namespace lona::vm

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lona::vm::read_all({reinterpret_cast<const char*>(data), size});
  return 0;
}
