// SPDX-License-Identifier: BSD-2-Clause
// Calls that debug kernels have. In another kernel the call is an unknown one, which the manager
// makes end with kCallFailed for the first realm.
#include <algorithm>
#include <cstring>

#include "vm/platform/kernel_objects.hpp"
#include "vm/platform/sel4/manager.hpp"

namespace lona::vm::platform {

namespace {

abi::Syscall syscall_of(DebugCall call) {
  switch (call) {
    case DebugCall::kPutChar:
      return abi::Syscall::kDebugPutChar;
    case DebugCall::kDumpScheduler:
      return abi::Syscall::kDebugDumpScheduler;
    case DebugCall::kNameThread:
      return abi::Syscall::kDebugNameThread;
    case DebugCall::kHalt:
      break;
  }
  return abi::Syscall::kDebugHalt;
}

}  // namespace

RealmError debug_call(DebugCall call, std::uint64_t argument, std::string_view name) {
  if (start_block().parent != abi::kNoRealm) return RealmError::kNotAllowed;
  auto* text = reinterpret_cast<char*>(abi::ipc_buffer().msg);
  const std::size_t length = std::min(name.size(), sizeof(abi::ipc_buffer().msg) - 1);
  std::memcpy(text, name.data(), length);
  text[length] = 0;
  const abi::Message answer = abi::system_call(syscall_of(call), argument, abi::MessageInfo());
  return answer.info.raw() == abi::kCallFailed ? RealmError::kUnsupported : RealmError::kNone;
}

}  // namespace lona::vm::platform
