// SPDX-License-Identifier: BSD-2-Clause
// Files of the user's, over the host link.
#include <cstring>

#include "vm/platform/sel4/console_state.hpp"

namespace lona::vm::platform {
namespace {

void send_words(ToHost type, std::uint32_t first, std::uint32_t second) {
  const std::uint32_t words[] = {first, second};
  std::uint8_t bytes[sizeof(words)];
  std::memcpy(bytes, words, sizeof(words));
  send_frame(type, bytes);
}

// The request is over. Its pages are freed unless they have gone to the asker.
void end_file(bool free_room) {
  FileRequest& file = g_console.file;
  if (free_room && file.transfer.room() != nullptr) {
    unmap_pages(file.transfer.room(), whole_pages(file.transfer.size()));
  }
  file.transfer.drop();
  file.asker = nullptr;
  if (file.others_wait) {
    file.others_wait = false;
    rouse_first();  // whose next look lets them try
  }
}

UserFile read_user_file_own(const void* asker, std::string_view path) {
  FileRequest& file = g_console.file;
  FileTransfer& transfer = file.transfer;
  if (g_console.kind != abi::ConsoleKind::kHostLink ||
      path.size() > kFramePayloadMax - FileTransfer::kNumber) {
    return {.error = FileError::kMissing};
  }
  if (file.asker == nullptr) {
    file.asker = asker;
    const std::uint32_t number = transfer.ask();
    std::uint8_t payload[kFramePayloadMax];
    std::memcpy(payload, &number, sizeof(number));
    std::memcpy(payload + sizeof(number), path.data(), path.size());
    send_frame(ToHost::kLoad, {payload, sizeof(number) + path.size()});
    return {.waiting = true};
  }
  if (file.asker != asker) {
    file.others_wait = true;
    return {.waiting = true};
  }
  if (const std::size_t more = transfer.grant(); more != 0) {
    send_words(ToHost::kFileCredit, transfer.number(), static_cast<std::uint32_t>(more));
  }
  if (transfer.state() != FileTransfer::State::kDone) {
    return {.waiting = true};
  }
  UserFile result{.error = transfer.error()};
  if (result.error == FileError::kNone) {
    result.bytes = {transfer.room(), transfer.size()};
  }
  end_file(result.error != FileError::kNone);
  return result;
}

}  // namespace

UserFile read_user_file(const void* asker, std::string_view path) {
  UserFile result;
  on_first([&] { result = read_user_file_own(asker, path); });
  return result;
}

void forget_user_file(const void* asker) {
  on_first([&] {
    if (g_console.file.asker == asker) {
      end_file(true);
    }
  });
}

}  // namespace lona::vm::platform
