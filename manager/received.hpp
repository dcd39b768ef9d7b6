// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <span>

#include "abi/sel4/invoke.hpp"

namespace lona::manager {

// A private copy of a message: the IPC buffer is used again by the work on it.
struct Received {
  explicit Received(const abi::Message& message)
      : label(message.info.label()),
        length(std::min<unsigned>(message.info.length(), abi::kMsgMaxLength)) {
    words[0] = message.words.mr0;
    words[1] = message.words.mr1;
    words[2] = message.words.mr2;
    words[3] = message.words.mr3;
    for (unsigned at = abi::kMsgRegisters; at < length; ++at) {
      words[at] = abi::ipc_buffer().msg[at];
    }
  }
  [[nodiscard]] std::span<const std::uint64_t> content() const { return {words, length}; }

  std::uint64_t label;
  unsigned length;
  std::uint64_t words[abi::kMsgMaxLength];
};

}  // namespace lona::manager
