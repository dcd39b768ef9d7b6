// SPDX-License-Identifier: BSD-2-Clause
// What the kernel's answer to a call of an object means, whichever thread has made it.
#pragma once

#include "abi/sel4/invoke.hpp"
#include "vm/platform/kernel_objects.hpp"

namespace lona::vm::platform {

// A capability that somebody took back leaves a value that means nothing from now on.
class Lost {
 public:
  Lost() = default;
  explicit Lost(std::uint64_t target);
  void notice() const;
  // Is it gone? A call or send of nothing is not a fault, but an error or dropped.
  [[nodiscard]] bool gone() const;

 private:
  std::uint32_t slot_ = 0;
  std::uint16_t use_ = 0;  // 0: of no slot
};

// The words beyond the registers are in the buffer of the thread that makes the call.
abi::MessageWords put_words(std::span<const std::uint64_t> words, abi::IpcBuffer& buffer);
void take_words(KernelAnswer& answer, const abi::Message& message, const abi::IpcBuffer& buffer);

}  // namespace lona::vm::platform
