// SPDX-License-Identifier: BSD-2-Clause
// print, println, pr, prn, read-line and the like.
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/process/process.hpp"
#include "vm/session/console.hpp"

namespace lona::vm::natives {

namespace {

using platform::Stream;

enum class End : std::uint8_t { kNothing, kLine };

Term write_values(Process& process, Args args, Stream stream, Style style, End end) {
  ConsoleSink sink(stream);
  bool good = true;
  for (std::uint32_t i = 0; i < args.size() && good; ++i) {
    good = (i == 0 || sink.write(" ")) && print(sink, args[i], style);
  }
  if (end == End::kLine) sink.write("\n");
  if (!sink.finish() || !good) return process.fail("output-closed");
  process.charge(20);
  return Term::nil();
}

Term string_or_oom(Process& process, Term string) {
  return string == Term::absent() ? process.fail_oom() : string;
}

Term input_result(Process& process, Console::Input input, std::string_view text) {
  switch (input) {
    case Console::Input::kText:
      process.charge(static_cast<std::uint32_t>(20 + text.size() / 16));
      return string_or_oom(process, make_string_repaired(process, text));
    case Console::Input::kWait:
      return process.wait_for_console();
    case Console::Input::kEnd:
      return Term::nil();
    case Console::Input::kNoMemory:
      return process.fail_oom();
  }
  return Term::nil();
}

}  // namespace

Term print_values(Process& process, Args args) {
  return write_values(process, args, Stream::kOutput, Style::kDisplay, End::kNothing);
}
Term println_values(Process& process, Args args) {
  return write_values(process, args, Stream::kOutput, Style::kDisplay, End::kLine);
}
Term pr_values(Process& process, Args args) {
  return write_values(process, args, Stream::kOutput, Style::kReadable, End::kNothing);
}
Term prn_values(Process& process, Args args) {
  return write_values(process, args, Stream::kOutput, Style::kReadable, End::kLine);
}
Term newline(Process& process, Args args) {
  return write_values(process, args, Stream::kOutput, Style::kDisplay, End::kLine);
}
Term eprintln_values(Process& process, Args args) {
  return write_values(process, args, Stream::kError, Style::kDisplay, End::kLine);
}

Term flush_output(Process&, Args) {
  Console::the().flush();
  return Term::nil();
}

Term read_line(Process& process, Args) {
  std::string_view line;
  const Console::Input input = Console::the().read_line(line);
  return input_result(process, input, line);
}

Term read_text(Process& process, Args args) {
  if (!args[0].is_integer() || args[0].as_integer() <= 0 || args[0].as_integer() > (1 << 30)) {
    return process.fail_badarg("read-text", args);
  }
  std::string_view piece;
  const auto wanted = static_cast<std::size_t>(args[0].as_integer());
  const Console::Input input = Console::the().read_piece(wanted, piece);
  return input_result(process, input, piece);
}

Term archive_text(Process& process, Args args) {
  if (!is_string(args[0])) return process.fail_type("archive-text", "string", args[0]);
  const auto file = platform::archive_file(string_text(args[0]));
  if (file.data() == nullptr) return Term::nil();
  const std::string_view text{reinterpret_cast<const char*>(file.data()), file.size()};
  return string_or_oom(process, make_string_repaired(process, text));
}

Term terminal_size(Process& process, Args) {
  const platform::Terminal terminal = platform::terminal();
  if (!terminal.interactive) return Term::nil();
  const Term size =
      make_pair_tuple(process, Term::integer(terminal.columns), Term::integer(terminal.rows));
  return size == Term::absent() ? process.fail_oom() : size;
}

}  // namespace lona::vm::natives
