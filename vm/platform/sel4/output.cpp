// SPDX-License-Identifier: BSD-2-Clause
// What programs print.
#include <algorithm>
#include <cstring>

#include "vm/platform/sel4/console_state.hpp"

namespace lona::vm::platform {
namespace {

// On the first worker.
void send_output() {
  Output& output = g_console.output;
  const std::size_t used = output.used;
  output.used = 0;
  send_text(ToHost::kOutput, output.bytes.first(used));
}

void append_output(std::span<const std::uint8_t> bytes) {
  Output& output = g_console.output;
  while (!bytes.empty()) {
    const auto room = output.bytes.size() - output.used;
    const auto piece = bytes.first(std::min(bytes.size(), room));
    std::memcpy(output.bytes.data() + output.used, piece.data(), piece.size());
    output.used += piece.size();
    bytes = bytes.subspan(piece.size());
    if (output.used == output.bytes.size()) {
      send_output();
    }
  }
}

// Comes before what the first worker writes now.
void take_output_of_others() {
  if (g_console.buffers == nullptr) {
    return;
  }
  OthersOutput& others = g_console.buffers->others;
  if (others.used.load(std::memory_order_relaxed) == 0) {
    return;
  }
  std::uint8_t bytes[kFramePayloadMax];
  std::size_t used = 0;
  {
    const Guard guard(others.lock);
    used = others.used.load(std::memory_order_relaxed);
    std::memcpy(bytes, others.bytes, used);
    others.used.store(0, std::memory_order_relaxed);
  }
  append_output({bytes, used});
}

// On another worker; false when there is no room.
bool leave_output(std::span<const std::uint8_t> bytes) {
  if (g_console.buffers == nullptr) {
    return false;
  }
  OthersOutput& others = g_console.buffers->others;
  std::size_t before = 0;
  {
    const Guard guard(others.lock);
    before = others.used.load(std::memory_order_relaxed);
    if (bytes.size() > kFramePayloadMax - before) {
      return false;
    }
    std::memcpy(others.bytes + before, bytes.data(), bytes.size());
    others.used.store(before + bytes.size(), std::memory_order_relaxed);
  }
  if (before == 0) {
    rouse_first();
  }
  return true;
}

void flush_own() {
  take_output_of_others();
  send_output();
}

bool write_own(Stream stream, std::span<const std::uint8_t> bytes) {
  if (stream == Stream::kError) {
    flush_own();  // so that the two streams keep their order
    send_text(ToHost::kError, bytes);
    return true;
  }
  take_output_of_others();
  append_output(bytes);
  return true;
}

}  // namespace

bool write(Stream stream, std::span<const std::uint8_t> bytes) {
  if (stream == Stream::kOutput && current_worker() != 0 && leave_output(bytes)) {
    return true;
  }
  bool good = false;
  on_first([&] { good = write_own(stream, bytes); });
  return good;
}

void flush() {
  on_first([] { flush_own(); });
}

}  // namespace lona::vm::platform
