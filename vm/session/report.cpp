// SPDX-License-Identifier: BSD-2-Clause
#include "vm/session/report.hpp"

#include "vm/code/function.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/process/process.hpp"
#include "vm/sched/loads.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {

namespace {

// Keeps what one reason prints within a few screens.
class ShortSink final : public Sink {
 public:
  explicit ShortSink(Sink& below) : Sink(&ShortSink::put), below_(below) {}

 private:
  static bool put(Sink& self, std::string_view text) {
    auto& s = static_cast<ShortSink&>(self);
    if (text.size() <= s.left_) {
      s.left_ -= text.size();
      return s.below_.write(text);
    }
    std::size_t n = s.left_;
    while (n != 0 && utf8::is_continuation(text[n])) --n;
    s.below_.write(text.substr(0, n));
    s.below_.write("…");
    s.left_ = 0;
    return false;
  }

  Sink& below_;
  std::size_t left_ = 4000;
};

void write_number(Sink& sink, std::uint64_t n) {
  char digits[20];
  std::size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + n % 10);
    n /= 10;
  } while (n != 0);
  sink.write({digits + at, sizeof digits - at});
}

bool is_error(Term reason) {
  return is_tuple(reason) && tuple_count(reason) >= 2 && slot(reason, 0) == make_keyword("error");
}

Term field(Term map, std::string_view key) {
  if (!is_map(map)) return Term::nil();
  const Term value = map_get(map, make_keyword(key));
  return value == Term::absent() ? Term::nil() : value;
}

void write_elements(Sink& sink, Term tuple, std::size_t from) {
  for (std::size_t i = from; i < tuple_count(tuple); ++i) {
    if (i != from) sink.write(" ");
    if (!print(sink, slot(tuple, i))) return;
  }
}

// FILE:LINE:COLUMN of an error that was found by reading or compiling.
void write_place(Sink& sink, Term info) {
  const Term file = field(info, "file");
  if (is_string(file)) sink.write(string_text(file));
  for (std::string_view key : {"line", "column"}) {
    const Term n = field(info, key);
    if (!n.is_integer() || n.as_integer() < 0) continue;
    sink.write(":");
    write_number(sink, static_cast<std::uint64_t>(n.as_integer()));
  }
}

void write_trace(Sink& sink, const Trace* trace) {
  if (trace == nullptr) return;
  for (std::uint32_t i = 0; i < trace->count; ++i) {
    sink.write("  in ");
    write_function(sink, *trace->entries[i].function, trace->entries[i].line);
    sink.write("\n");
  }
  if (trace->truncated) sink.write("  …\n");
}

}  // namespace

void write_function(Sink& sink, const Function& function, std::uint32_t line) {
  if (function.ns != nullptr) {
    sink.write(function.ns->full());
    sink.write("/");
  }
  sink.write(function.name != nullptr ? function.name->full() : "fn");
  if (function.file == nullptr) return;
  sink.write(" (");
  sink.write(function.file->full());
  sink.write(":");
  write_number(sink, line);
  sink.write(")");
}

void report_exit(Sink& sink, const Process& process) {
  const Term reason = process.exit_reason();
  ShortSink brief(sink);
  if (!is_error(reason)) {
    sink.write("ended: ");
    print(brief, reason);
    sink.write("\n");
    return;
  }
  sink.write("error: ");
  const Term info = tuple_count(reason) == 3 ? slot(reason, 2) : Term::nil();
  const Term message = field(info, "message");
  if (is_string(message) && field(info, "line").is_integer()) {
    print(sink, slot(reason, 1));
    sink.write(" at ");
    write_place(sink, info);
    sink.write(": ");
    brief.write(string_text(message));
  } else {
    write_elements(brief, reason, 1);
  }
  sink.write("\n");
  write_trace(sink, process.trace());
  if (const std::uint64_t count = dropped_definitions(process); count != 0) {
    sink.write("  the load is dropped, what it defines anew stays as it was (");
    write_number(sink, count);
    sink.write(")\n");
  }
}

void report_exit_line(Sink& sink, const Process& process) {
  const Term reason = process.exit_reason();
  sink.write("ERROR ");
  if (is_error(reason)) {
    write_elements(sink, reason, 1);
  } else {
    print(sink, reason);
  }
}

}  // namespace lona::vm
