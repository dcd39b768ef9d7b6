// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

// The processor's instructions that C++ has no words for, one function each.

namespace lona::kernel::cpu {

inline void out8(std::uint16_t port, std::uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
inline void out16(std::uint16_t port, std::uint16_t value) {
  asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}
inline void out32(std::uint16_t port, std::uint32_t value) {
  asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
inline std::uint8_t in8(std::uint16_t port) {
  std::uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
inline std::uint16_t in16(std::uint16_t port) {
  std::uint16_t value;
  asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
inline std::uint32_t in32(std::uint16_t port) {
  std::uint32_t value;
  asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

inline void write_back_caches() {
  asm volatile("wbinvd" : : : "memory");
}

inline std::uint64_t read_msr(std::uint32_t msr) {
  std::uint32_t low, high;
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
  return (std::uint64_t{high} << 32) | low;
}
inline void write_msr(std::uint32_t msr, std::uint64_t value) {
  asm volatile("wrmsr"
               :
               : "c"(msr), "a"(static_cast<std::uint32_t>(value)),
                 "d"(static_cast<std::uint32_t>(value >> 32))
               : "memory");
}

inline constexpr std::uint32_t kMsrApicBase = 0x1b;
inline constexpr std::uint32_t kMsrPat = 0x277;
inline constexpr std::uint32_t kMsrTscDeadline = 0x6e0;
inline constexpr std::uint32_t kMsrX2ApicFirst = 0x800;
inline constexpr std::uint32_t kMsrEfer = 0xc0000080;
inline constexpr std::uint32_t kMsrStar = 0xc0000081;
inline constexpr std::uint32_t kMsrLstar = 0xc0000082;
inline constexpr std::uint32_t kMsrCstar = 0xc0000083;
inline constexpr std::uint32_t kMsrSfmask = 0xc0000084;
inline constexpr std::uint32_t kMsrFsBase = 0xc0000100;
inline constexpr std::uint32_t kMsrGsBase = 0xc0000101;
// Takes the place of the GS base at SWAPGS: the running thread's while the kernel runs.
inline constexpr std::uint32_t kMsrKernelGsBase = 0xc0000102;

inline constexpr std::uint64_t kEferSyscall = 1 << 0;
inline constexpr std::uint64_t kEferNoExecute = 1 << 11;

inline std::uint64_t read_cr0() {
  std::uint64_t value;
  asm volatile("movq %%cr0, %0" : "=r"(value));
  return value;
}
inline void write_cr0(std::uint64_t value) {
  asm volatile("movq %0, %%cr0" : : "r"(value));
}
inline std::uint64_t read_cr2() {
  std::uint64_t value;
  asm volatile("movq %%cr2, %0" : "=r"(value));
  return value;
}
inline std::uint64_t read_cr3() {
  std::uint64_t value;
  asm volatile("movq %%cr3, %0" : "=r"(value));
  return value;
}
inline void write_cr3(std::uint64_t value) {
  asm volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}
inline std::uint64_t read_cr4() {
  std::uint64_t value;
  asm volatile("movq %%cr4, %0" : "=r"(value));
  return value;
}
inline void write_cr4(std::uint64_t value) {
  asm volatile("movq %0, %%cr4" : : "r"(value));
}

inline constexpr std::uint64_t kCr0MonitorCoprocessor = 1 << 1;
inline constexpr std::uint64_t kCr0Emulation = 1 << 2;
inline constexpr std::uint64_t kCr0TaskSwitched = 1 << 3;
inline constexpr std::uint64_t kCr0NumericError = 1 << 5;
inline constexpr std::uint64_t kCr0AlignmentMask = 1 << 18;
inline constexpr std::uint64_t kCr4GlobalPages = 1 << 7;
inline constexpr std::uint64_t kCr4FxSave = 1 << 9;
inline constexpr std::uint64_t kCr4SimdExceptions = 1 << 10;
inline constexpr std::uint64_t kCr4UserInstructionPrevention = 1 << 11;
inline constexpr std::uint64_t kCr4XSave = 1 << 18;
inline constexpr std::uint64_t kCr4Smep = 1 << 20;
inline constexpr std::uint64_t kCr4Smap = 1 << 21;

inline void invalidate_page(std::uint64_t address) {
  asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

inline std::uint64_t read_tsc() {
  std::uint32_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return (std::uint64_t{high} << 32) | low;
}

struct CpuidResult {
  std::uint32_t eax, ebx, ecx, edx;
};
inline CpuidResult cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  CpuidResult r;
  asm volatile("cpuid"
               : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
               : "a"(leaf), "c"(subleaf));
  return r;
}

inline void pause() {
  asm volatile("pause");
}

[[noreturn]] inline void halt_forever() {
  for (;;) asm volatile("cli; hlt");
}

}  // namespace lona::kernel::cpu
