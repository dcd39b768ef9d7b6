// SPDX-License-Identifier: BSD-2-Clause
// The console's device, what comes from it, and waiting for that and for anything else.
//
// On the host link all bytes are in frames, and standard input comes only as far as credit was
// given. On a bare line (no second UART in the machine) a person sits at the other end: bytes go
// as they are, Ctrl-C is the byte 3, and lines end with CR LF.
#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "vm/platform/memory_request.hpp"
#include "vm/platform/sel4/clock.hpp"
#include "vm/platform/sel4/console_state.hpp"

namespace lona::vm::platform {

namespace {

constexpr std::uint8_t kCtrlC = 3;

}  // namespace

// Zero but for a few members, and without a constructor that would have to run.
constinit Console g_console;

namespace {

// From now on nobody may be there who takes what is sent: the report goes out nevertheless.
[[noreturn]] void protocol_error(std::string_view what) {
  g_console.window = {};
  panic(what);
}

// Sends nothing: a frame may be going out at this moment.
void take_file_head(std::span<const std::uint8_t> payload) {
  FileTransfer& transfer = g_console.file.transfer;
  transfer.take_head(payload);
  if (transfer.state() == FileTransfer::State::kWantsRoom) {
    transfer.give_room(static_cast<std::uint8_t*>(map_pages(whole_pages(transfer.size()))));
  }
}

void take_taken(std::span<const std::uint8_t> payload) {
  std::uint32_t cost = 0;
  if (payload.size() == sizeof(cost)) {
    std::memcpy(&cost, payload.data(), sizeof(cost));
  }
  if (cost == 0 || !g_console.window.take(cost)) {
    protocol_error("host link: more taken than was sent");
  }
}

void take_frame(FromHost type, std::span<const std::uint8_t> payload) {
  switch (type) {
    case FromHost::kStart:
      g_console.buffers->request.take_start(payload, g_console.terminal);
      return;
    case FromHost::kFile:
      g_console.buffers->request.take_source(payload);
      return;
    case FromHost::kInput:
      if (!g_console.buffers->input.put(payload)) {
        protocol_error("host link: more input than credit");
      }
      return;
    case FromHost::kEnd:
      g_console.end_of_input = true;
      return;
    case FromHost::kInterrupt:
      g_console.interrupt = true;
      // As a terminal does: what was typed before Ctrl-C is dropped with it.
      if (g_console.terminal.interactive) {
        g_console.buffers->input.clear();
      }
      return;
    case FromHost::kFileHead:
      take_file_head(payload);
      return;
    case FromHost::kFileData:
      g_console.file.transfer.take_data(payload);
      return;
    case FromHost::kTaken:
      take_taken(payload);
      return;
    case FromHost::kWindow:
      if (payload.size() == 4) {
        g_console.terminal.columns = static_cast<std::uint16_t>(payload[0] | payload[1] << 8);
        g_console.terminal.rows = static_cast<std::uint16_t>(payload[2] | payload[3] << 8);
      }
      return;
  }
  protocol_error("host link: a frame of unknown type");
}

void take_byte(std::uint8_t byte) {
  if (g_console.kind == abi::ConsoleKind::kRaw) {
    g_console.event = true;
    if (byte == kCtrlC) {
      g_console.interrupt = true;
    } else {
      (void)g_console.buffers->input.put({&byte, 1});  // a full queue drops what nobody reads
    }
    return;
  }
  if (g_console.buffers->decoder.take(byte)) {
    g_console.event = true;
    take_frame(g_console.buffers->decoder.type(), g_console.buffers->decoder.payload());
  }
  if (g_console.buffers->decoder.broken()) {
    protocol_error("host link: a frame that is too long");
  }
}

// Takes what the device holds. True when it held anything.
bool drain() {
  return g_console.kind != abi::ConsoleKind::kNone && g_console.carrier.drain(take_byte);
}

void note_signals(std::uint64_t signals) {
  if ((signals & abi::kSignalConsole) != 0) {
    g_console.irq_unacknowledged = true;
  }
  if ((signals & abi::kSignalDeadline) != 0) {
    g_console.armed_tick = abi::kNoDeadlineTick;
  }
  if ((signals & (abi::kSignalChannel | abi::kSignalRealm)) != 0) {
    g_console.event = true;
  }
  if ((signals & abi::kSignalRealm) != 0) {
    g_console.realm_event = true;
  }
  if ((signals & abi::kSignalMemory) != 0) {
    return_memory();
  }
}

// The interrupt may be an edge, and edges are lost until it is acknowledged. So: acknowledge, and
// look once more; when the device then holds nothing, the next byte makes an edge that counts.
// True when the device held something, so that there may be no reason to sleep.
bool rest_or_drain() {
  bool any = drain();
  if (g_console.irq_unacknowledged && g_console.kind != abi::ConsoleKind::kNone) {
    g_console.irq_unacknowledged = false;
    g_console.carrier.quiet();
    (void)abi::irq_handler_ack(abi::kRealmSlotConsoleIrq);
    any = drain() || any;
  }
  return any;
}

// Sleeps until the host has taken enough. What comes in meanwhile is taken, so Ctrl-C is seen.
void wait_for_window(std::size_t payload) {
  while (!g_console.window.has_room(payload)) {
    if (!rest_or_drain() && !g_console.window.has_room(payload)) {
      note_signals(abi::wait(abi::kRealmSlotNotification).badge);
    }
  }
}

// Sleeps until the device has room, likewise.
void wait_for_room() {
  constexpr int kPatience = 64;
  for (int tries = 0; tries < kPatience; ++tries) {
    if (g_console.carrier.can_write()) {
      return;
    }
  }
  g_console.carrier.want_room(true);
  while (!g_console.carrier.can_write()) {
    if (!rest_or_drain() && !g_console.carrier.can_write()) {
      note_signals(abi::wait(abi::kRealmSlotNotification).badge);
    }
  }
  g_console.carrier.want_room(false);
}

void transmit(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty() && g_console.kind != abi::ConsoleKind::kNone) {
    wait_for_room();
    bytes = bytes.subspan(g_console.carrier.write(bytes));
  }
}

void send_raw(std::span<const std::uint8_t> bytes) {
  static constexpr std::uint8_t kNewLine[] = {'\r', '\n'};
  while (!bytes.empty()) {
    const auto line = std::find(bytes.begin(), bytes.end(), std::uint8_t{'\n'});
    const auto length = static_cast<std::size_t>(line - bytes.begin());
    transmit(bytes.first(length));
    const bool had_cr = length > 0 ? bytes[length - 1] == '\r' : g_console.last_was_cr;
    g_console.last_was_cr = length > 0 && line == bytes.end() && bytes[length - 1] == '\r';
    bytes = bytes.subspan(length);
    if (!bytes.empty()) {
      transmit(had_cr ? std::span(kNewLine).subspan(1) : std::span(kNewLine));
      bytes = bytes.subspan(1);
    }
  }
}

}  // namespace

void send_frame(ToHost type, std::span<const std::uint8_t> payload) {
  if (g_console.kind == abi::ConsoleKind::kHostLink) {
    wait_for_window(payload.size());
    g_console.window.send(payload.size());
    transmit(frame_head(type, payload.size()));
    transmit(payload);
  }
}

void send_text(ToHost type, std::span<const std::uint8_t> bytes) {
  if (g_console.kind == abi::ConsoleKind::kNone) {
    if (!bytes.empty()) {
      (void)write_elsewhere({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    return;
  }
  if (g_console.kind == abi::ConsoleKind::kRaw) {
    send_raw(bytes);
    return;
  }
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), kFramePayloadMax));
    send_frame(type, piece);
    bytes = bytes.subspan(piece.size());
  }
}

void start_console() {
  const abi::StartBlock& block = start_block();
  abi::adopt_kernel_labels(block.iommu_labels != 0);
  start_clock(block.tsc_hertz);
  g_console.kind = block.console;
  if (block.console == abi::ConsoleKind::kNone) {
    g_console.end_of_input = true;
    return;
  }
  void* memory = map_pages(whole_pages(sizeof(Buffers)));
  if (memory == nullptr || !g_console.carrier.start(block)) {
    panic("the console's device is not as expected");
  }
  g_console.buffers = new (memory) Buffers;
  g_console.output.bytes = g_console.buffers->output;
  static constexpr std::uint8_t kGreeting[] = {'l', 'o', 'n', 'a', ' ', '2'};
  send_frame(ToHost::kReady, kGreeting);
}

const StartRequest& start_request() {
  static constexpr StartRequest kNothing;
  return g_console.buffers == nullptr ? kNothing : g_console.buffers->request.start();
}

void wait_for_host() {
  wait(kNoDeadline);
}

void end_console(int status) {
  flush();
  const auto byte = static_cast<std::uint8_t>(status);
  send_frame(ToHost::kEnded, {&byte, 1});
}

void rouse_first() {
  g_console.roused.store(true);
  abi::signal(abi::worker_slot(0));
}

void wait(std::uint64_t deadline_ns) {
  serve_others();
  flush();
  deadline_ns = std::min(deadline_ns, earliest_nap());
  if (deadline_ns != kNoDeadline && deadline_ns <= now_ns()) {
    (void)drain();
    g_console.event = false;
    end_naps(now_ns());
    return;
  }
  if (deadline_ns != kNoDeadline) {
    // An earlier deadline that is armed already ends the wait early, which is allowed.
    const std::uint64_t due = to_tick(deadline_ns);
    if (due < g_console.armed_tick) {
      g_console.armed_tick = due;
      manager_set_deadline(due);
    }
  }
  const std::uint64_t armed_before = g_console.armed_tick;
  while (!g_console.event && !g_console.interrupt && g_console.armed_tick == armed_before &&
         !g_console.roused.load()) {
    if (!rest_or_drain()) {
      note_signals(abi::wait(abi::kRealmSlotNotification).badge);
    }
  }
  g_console.event = false;
  g_console.roused.store(false);
  serve_others();
  end_naps(now_ns());
}

// Between two looks at the device there is at least a millisecond: a look may be a system call.
void poll() {
  serve_others();
  const std::uint64_t now = tick();
  if (now >= g_console.next_poll) {
    g_console.next_poll = now + ticks_per_ms();
    note_signals(abi::poll(abi::kRealmSlotNotification).badge);
    (void)drain();
    end_naps(now_ns());
    flush();  // output is seen soon, however long the program goes on computing
  }
}

bool take_realm_event() {
  return std::exchange(g_console.realm_event, false);
}

bool take_interrupt() {
  const bool was = g_console.interrupt;
  g_console.interrupt = false;
  return was;
}

namespace {

ReadResult read_own(std::span<std::uint8_t> buffer) {
  if (g_console.buffers == nullptr) {
    return {.bytes = 0, .end_of_input = true};
  }
  InputQueue& input = g_console.buffers->input;
  if (input.empty() && !g_console.end_of_input) {
    (void)drain();
  }
  const std::size_t taken = input.take(buffer);
  return {.bytes = taken, .end_of_input = taken == 0 && g_console.end_of_input};
}

void want_input_own() {
  if (g_console.kind != abi::ConsoleKind::kHostLink || g_console.end_of_input) {
    return;
  }
  if (const std::size_t more = g_console.buffers->input.grant(); more != 0) {
    const auto credit = static_cast<std::uint32_t>(more);
    std::uint8_t bytes[sizeof(credit)];
    std::memcpy(bytes, &credit, sizeof(credit));
    send_frame(ToHost::kCredit, bytes);
  }
}

}  // namespace

ReadResult read(std::span<std::uint8_t> buffer) {
  ReadResult result{};
  on_first([&] { result = read_own(buffer); });
  return result;
}

void want_input() {
  on_first([] { want_input_own(); });
}

// The host tells what its terminal is, so nobody gets an answer before that.
Terminal terminal() {
  while (g_console.kind == abi::ConsoleKind::kHostLink && !g_console.buffers->request.started()) {
    wait_for_host();
  }
  return g_console.terminal;
}

}  // namespace lona::vm::platform
