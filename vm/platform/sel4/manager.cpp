// SPDX-License-Identifier: BSD-2-Clause
#include "vm/platform/sel4/manager.hpp"

#include <algorithm>

#include "vm/platform/sel4/kernel_answer.hpp"

namespace lona::vm::platform {

abi::Status Exchange::ask(abi::Request request, unsigned length) {
  const abi::MessageInfo info(static_cast<std::uint64_t>(request), 0, 0, length);
  const abi::Message answer =
      abi::call(abi::kRealmSlotManager, info, put_words({words, length}, abi::ipc_buffer()));
  const abi::Word first[] = {answer.words.mr0, answer.words.mr1, answer.words.mr2,
                             answer.words.mr3};
  for (unsigned at = 0; at < std::max(answer.info.length(), abi::kMsgRegisters); ++at) {
    const bool in_register = at < abi::kMsgRegisters;
    words[at] = at >= answer.info.length() ? 0
                : in_register              ? first[at]
                                           : abi::ipc_buffer().msg[at];
  }
  return static_cast<abi::Status>(answer.info.label());
}

}  // namespace lona::vm::platform
