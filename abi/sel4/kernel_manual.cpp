// SPDX-License-Identifier: BSD-2-Clause
// Writes docs/kernel-manual.md from syscalls.def and methods.def: one argument, the file to write.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "abi/sel4/labels.hpp"

namespace lona::abi {
namespace {

struct ErrorText {
  std::string_view code, text;
};
struct Entry {
  Method method;
  std::string_view object, name, caps, words, results, text;
  std::vector<ErrorText> errors;
};
struct Interface {
  std::string_view id, title, text;
};

struct Reader {
  std::vector<Interface> interfaces;
  std::vector<Entry> entries;

  Reader() {
#define INTERFACE(id, title, text) interfaces.push_back({#id, title, text});
#define METHOD(id, object, name, option, caps, words, results, text) \
  entries.push_back({Method::id, #object, name, caps, words, results, text, {}});
#define ERROR(code, text)                        \
  static_assert(Error::k##code != Error::kNone); \
  entries.back().errors.push_back({#code, text});
#include "abi/sel4/methods.def"
  }
};

struct SyscallText {
  long number;
  std::string_view name, option, arguments, results, text;
};
constexpr SyscallText kSyscalls[] = {
#define SYSCALL(id, number, name, option, arguments, results, text) \
  {number, name, #option, arguments, results, text},
#include "abi/sel4/syscalls.def"
};

constexpr std::string_view kIntroduction = R"(# The kernel's calls

<!-- Made from abi/sel4/syscalls.def and methods.def by
     `cmake --build build/host --target kernel-manual`. -->

The kernel speaks the interface of seL4 16.0.0 (MCS, x86_64). This page lists every system call, and
every method of every kernel object, with its number, its arguments and its errors. What the objects
mean is told in the seL4 manual; which configuration this is, in `0001-kernel-configuration.md`.

## System calls

The number is in `rdx`; `abi/sel4/syscall.hpp` lists the registers of the arguments and results. A
message is its info word (label, number of words and capabilities) and its words, the first four in
registers, the others and the capabilities in the IPC buffer. A number that the kernel does not have
is a fault of the caller: unknown system call.
)";

constexpr std::string_view kMethodIntroduction = R"(
## How a method is called

System call `Call` (or `Send` and `NBSend`, without an answer) on a capability to the object. The
message's label is the method's number, its words and extra capabilities are the arguments in the
order given here. The answer's label is 0, or the number of an error; its words are the results, or
what the error says. The C++ stubs are in `abi/sel4/objects.hpp`.

Numbers differ with the kernel's options; the first one is that of the default kernel.

## Errors

| number | error | words of the answer |
|---:|---|---|
| 1 | InvalidArgument | which word of the message |
| 2 | InvalidCapability | which capability: 0 is the invoked one, extra ones count from 1 |
| 3 | IllegalOperation | |
| 4 | RangeError | smallest and largest value allowed |
| 5 | AlignmentError | |
| 6 | FailedLookup | 1 if the source's slot was looked up, 0 otherwise; then the lookup failure |
| 7 | TruncatedMessage | |
| 8 | DeleteFirst | |
| 9 | RevokeFirst | |
| 10 | NotEnoughMemory | bytes that are left |

A lookup failure is 1 (the root is no CNode), 2 and the bits left (nothing in the slot), 3, the bits
left and the bits the CNode takes (it takes more or less than there are), or 4, the bits left, the
guard and its size (another guard).

Three errors can come from any method and are not repeated: InvalidCapability 0, the slot is empty;
IllegalOperation, the method belongs to another kind of object; TruncatedMessage, a word or a
capability is missing. A number in front of an error's explanation is word 0 of its answer.
)";

std::string number_text(Method method, const Configuration& configuration) {
  if (!has_option(configuration, info_of(method).option)) return "–";
  return std::to_string(label_number(method, configuration));
}

// "a b c*" as a list of code words.
std::string names(std::string_view list) {
  std::string out;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(' ', at), list.size());
    std::string name(list.substr(at, end - at));
    if (!out.empty()) out += ", ";
    const bool many = name.ends_with('*');
    if (many) name.pop_back();
    out += "`" + name + "`" + (many ? " …" : "");
    at = end + 1;
  }
  return out;
}

constexpr std::size_t kColumns = 100;

// The text in lines of at most kColumns; those after the first are indented.
void write_wrapped(std::ostream& out, std::string_view text, std::string_view indent) {
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (column != 0 && column + 1 + word.size() > kColumns) {
      out << "\n" << indent;
      column = indent.size();
    } else if (column != 0) {
      out << " ";
      ++column;
    }
    out << word;
    column += word.size();
    at = end + 1;
  }
  out << "\n";
}

void write_row(std::ostream& out, const std::string& title, const std::string& text) {
  if (!text.empty()) write_wrapped(out, "- " + title + " " + text, "  ");
}

void write_entry(std::ostream& out, const Entry& entry) {
  out << "\n### " << entry.object << "_" << entry.name << "\n\n";
  write_wrapped(out, entry.text, "");
  out << "\n";
  write_row(out, "number:",
            number_text(entry.method, {}) + " (with I/O spaces " +
                number_text(entry.method, {.iommu = true}) + ", with hardware debugging " +
                number_text(entry.method, {.hardware_debug = true}) + ")");
  write_row(out, "capabilities:", names(entry.caps));
  write_row(out, "words:", names(entry.words));
  write_row(out, "results:", names(entry.results));
  for (const ErrorText& error : entry.errors) {
    write_row(out, "**" + std::string(error.code) + "**", std::string(error.text));
  }
}

std::string_view kernels_with(std::string_view option) {
  if (option == "Debug") return " (debug kernels)";
  if (option == "Benchmark") return " (benchmark kernels)";
  if (option == "Lona") return " (debug kernels of this project)";
  return "";
}

void write_syscall(std::ostream& out, const SyscallText& call) {
  out << "\n### " << call.name << "\n\n";
  write_wrapped(out, call.text, "");
  out << "\n";
  write_row(out, "number:", std::to_string(call.number) + std::string(kernels_with(call.option)));
  write_row(out, "arguments:", names(call.arguments));
  write_row(out, "results:", names(call.results));
}

void write_manual(std::ostream& out) {
  const Reader reader;
  out << kIntroduction;
  for (const SyscallText& call : kSyscalls) write_syscall(out, call);
  out << kMethodIntroduction;
  for (const Interface& interface : reader.interfaces) {
    out << "\n## " << interface.title << "\n\nA capability of this kind stands for "
        << interface.text << ".\n";
    for (const Entry& entry : reader.entries) {
      if (entry.object == interface.id) write_entry(out, entry);
    }
  }
}

}  // namespace
}  // namespace lona::abi

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: kernel_manual FILE\n", stderr);
    return 2;
  }
  std::ofstream out(arguments[1]);
  lona::abi::write_manual(out);
  out.close();
  return out ? 0 : 1;
}
