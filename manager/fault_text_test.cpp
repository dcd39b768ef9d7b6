// SPDX-License-Identifier: BSD-2-Clause
#include "manager/fault_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "abi/sel4/fault.hpp"

namespace lona::manager {
namespace {

std::string text_of(abi::FaultKind kind, std::vector<std::uint64_t> words) {
  RegionTable regions;
  EXPECT_TRUE(regions.add({{0, 0x1000}, RegionType::null_guard, RegionRights::none}));
  EXPECT_TRUE(regions.add({{0x2000, 0x1000}, RegionType::vm_text, RegionRights::read_execute}));
  base::FixedText<300> text;
  describe_fault(text, "init", static_cast<std::uint64_t>(kind), words, regions, nullptr);
  return std::string(text.text());
}

TEST(FaultText, NamesAccessAddressAndRegion) {
  EXPECT_EQ(text_of(abi::FaultKind::kVm, {0x2010, 0x2020, 0, 7}),
            "realm init faulted: write of 0x2020: write to read-only memory (VM text), at 0x2010");
  EXPECT_EQ(text_of(abi::FaultKind::kVm, {0x2010, 0x8, 0, 4}),
            "realm init faulted: read of 0x8: null pointer (null guard), at 0x2010");
  EXPECT_EQ(text_of(abi::FaultKind::kVm, {0x9000, 0x9000, 1, 0x14}),
            "realm init faulted: execute of 0x9000: outside of every region, at 0x9000");
}

TEST(FaultText, AFaultOfTheManagerNamesWhatAndWhere) {
  base::FixedText<300> text;
  const FunctionNames nobody(0, {});
  describe_own_fault(text, static_cast<std::uint64_t>(abi::FaultKind::kVm),
                     std::vector<std::uint64_t>{0x2010, 0x8, 0, 6}, nobody);
  text << "; ";
  describe_own_fault(text, static_cast<std::uint64_t>(abi::FaultKind::kUserException),
                     std::vector<std::uint64_t>{0x2010, 0, 0, 6, 0}, nobody);
  EXPECT_EQ(text.text(),
            "write of 0x8, at 0x2010; invalid instruction (vector 6, code 0x0), at 0x2010");
}

TEST(FaultText, NamesExceptionsAndOtherFaults) {
  EXPECT_EQ(text_of(abi::FaultKind::kUserException, {0x2010, 0, 0, 0, 0}),
            "realm init faulted: division by zero (vector 0, code 0x0), at 0x2010");
  std::vector<std::uint64_t> syscall(abi::unknown_syscall::kLength);
  syscall[abi::unknown_syscall::kSyscall] = ~0ULL - 98;
  EXPECT_EQ(text_of(abi::FaultKind::kUnknownSyscall, syscall),
            "realm init faulted: unknown system call -99, at 0x0");
  EXPECT_EQ(text_of(static_cast<abi::FaultKind>(99), {}), "realm init faulted: unknown fault 99");
}

TEST(FaultText, AShortMessageIsNoTrouble) {
  EXPECT_EQ(text_of(abi::FaultKind::kVm, {}),
            "realm init faulted: read of 0x0: null pointer (null guard), at 0x0");
}

}  // namespace
}  // namespace lona::manager
