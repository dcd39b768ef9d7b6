// SPDX-License-Identifier: BSD-2-Clause
// What the parts of the console share: console.cpp (device, frames, waiting, input), output.cpp and
// user_file.cpp. It belongs to the first worker, but for what others have printed.
#pragma once

#include <atomic>
#include <span>

#include "vm/platform/sel4/carrier.hpp"
#include "vm/platform/sel4/file_transfer.hpp"
#include "vm/platform/sel4/host_request.hpp"
#include "vm/platform/sel4/link.hpp"
#include "vm/platform/sel4/manager.hpp"
#include "vm/platform/sel4/platform_state.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm::platform {

// A realm without a console has little output at a time.
inline constinit std::uint8_t g_little_output[1024] = {};

// Standard output that was not sent yet.
struct Output {
  std::span<std::uint8_t> bytes = g_little_output;
  std::size_t used = 0;
};

// Standard output of the other workers, which the first one takes over when it looks: so nobody
// waits for it, unless there is more than fits.
struct OthersOutput {
  SpinLock lock;
  std::atomic<std::size_t> used{0};
  std::uint8_t bytes[kFramePayloadMax] = {};
};

// The one file that is on its way. Belongs to the first worker, like the console.
struct FileRequest {
  const void* asker = nullptr;
  bool others_wait = false;
  FileTransfer transfer;
};

// What only a realm with a console needs: most of the realms have none.
struct Buffers {
  FrameDecoder decoder;
  InputQueue input;
  HostRequest request;
  OthersOutput others;
  std::uint8_t output[kFramePayloadMax] = {};
};

struct Console {
  abi::ConsoleKind kind = abi::ConsoleKind::kNone;
  Carrier carrier;
  Buffers* buffers = nullptr;  // null: there is no console
  Output output;
  OutputWindow window;
  FileRequest file;
  Terminal terminal{.interactive = true, .color = true, .columns = 80, .rows = 24};
  bool end_of_input = false;
  bool interrupt = false;
  bool event = false;  // something has come since the last wait ended, or its end
  bool realm_event = false;
  std::atomic<bool> roused{false};
  bool last_was_cr = false;
  bool irq_unacknowledged = true;  // whatever came before we looked
  std::uint64_t armed_tick = abi::kNoDeadlineTick;
  std::uint64_t next_poll = 0;
};

extern constinit Console g_console;

void send_frame(ToHost type, std::span<const std::uint8_t> payload);
// Text as the console takes it, or as the parent does when there is none.
void send_text(ToHost type, std::span<const std::uint8_t> bytes);

}  // namespace lona::vm::platform
