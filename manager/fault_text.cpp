// SPDX-License-Identifier: BSD-2-Clause
#include "manager/fault_text.hpp"

#include "abi/sel4/fault.hpp"
#include "base/function_name.hpp"

namespace lona::manager {

namespace {

using base::Hex;
using base::TextWriter;

std::uint64_t word(std::span<const std::uint64_t> words, std::size_t at) {
  return at < words.size() ? words[at] : 0;
}

// `names`: of functions; null, a file, or the manager's own.
template <typename Names>
void write_place(TextWriter& out, std::uint64_t ip, const Names* names) {
  out << ", at " << Hex{ip};
  if (names == nullptr) {
    return;
  }
  if (const auto symbol = names->nearest_symbol(ip)) {
    out << " (" << base::FunctionName{symbol->name} << '+' << Hex{ip - symbol->address} << ')';
  }
}

Access access_of(std::span<const std::uint64_t> words) {
  const std::uint64_t status = word(words, abi::vm_fault::kStatus);
  return word(words, abi::vm_fault::kInstruction) != 0 ? Access::execute
         : (status & abi::vm_fault::kStatusWrite) != 0 ? Access::write
                                                       : Access::read;
}

void describe_vm_fault(TextWriter& out, std::span<const std::uint64_t> words,
                       const RegionTable& regions, const base::ElfFile* image) {
  const std::uint64_t address = word(words, abi::vm_fault::kAddress);
  const Access access = access_of(words);
  out << describe(access) << " of " << Hex{address} << ": "
      << describe(regions.classify(address, access));
  if (const Region* region = regions.find(address)) {
    out << " (" << describe(region->type) << ')';
  }
  write_place(out, word(words, abi::vm_fault::kIp), image);
}

std::string_view exception_name(std::uint64_t number) {
  switch (number) {
    case 0:
      return "division by zero";
    case 1:
      return "debug trap";
    case 3:
      return "breakpoint";
    case 6:
      return "invalid instruction";
    case 13:
      return "general protection";
    case 16:
      return "x87 floating point";
    case 17:
      return "misaligned access";
    case 19:
      return "SIMD floating point";
    default:
      return "processor exception";
  }
}

template <typename Names>
void describe_other_fault(TextWriter& out, std::uint64_t label,
                          std::span<const std::uint64_t> words, const Names* names) {
  switch (static_cast<abi::FaultKind>(label)) {
    case abi::FaultKind::kUserException: {
      const std::uint64_t number = word(words, abi::user_exception::kNumber);
      out << exception_name(number) << " (vector " << number << ", code "
          << Hex{word(words, abi::user_exception::kCode)} << ')';
      write_place(out, word(words, abi::user_exception::kFaultIp), names);
      return;
    }
    case abi::FaultKind::kUnknownSyscall:
      out << "unknown system call "
          << static_cast<std::int64_t>(word(words, abi::unknown_syscall::kSyscall));
      write_place(out, word(words, abi::unknown_syscall::kFaultIp), names);
      return;
    case abi::FaultKind::kCap:
      out << "use of the capability " << Hex{word(words, abi::cap_fault::kAddress)}
          << " that it does not have";
      write_place(out, word(words, abi::cap_fault::kIp), names);
      return;
    case abi::FaultKind::kTimeout:
      out << "its time budget is used up";
      return;
    case abi::FaultKind::kDebug:
      out << "a debug exception";
      return;
    case abi::FaultKind::kNull:
    case abi::FaultKind::kVm:
      break;
  }
  out << "unknown fault " << label;
}

}  // namespace

void describe_fault(TextWriter& out, std::string_view realm, std::uint64_t label,
                    std::span<const std::uint64_t> words, const RegionTable& regions,
                    const base::ElfFile* image) {
  out << "realm " << realm << " faulted: ";
  if (static_cast<abi::FaultKind>(label) == abi::FaultKind::kVm) {
    describe_vm_fault(out, words, regions, image);
  } else {
    describe_other_fault(out, label, words, image);
  }
}

void describe_own_fault(TextWriter& out, std::uint64_t label, std::span<const std::uint64_t> words,
                        const FunctionNames& names) {
  if (static_cast<abi::FaultKind>(label) == abi::FaultKind::kVm) {
    out << describe(access_of(words)) << " of " << Hex{word(words, abi::vm_fault::kAddress)};
    write_place(out, word(words, abi::vm_fault::kIp), &names);
  } else {
    describe_other_fault(out, label, words, &names);
  }
}

}  // namespace lona::manager
