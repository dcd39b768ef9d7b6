// SPDX-License-Identifier: BSD-2-Clause
#include "systems/attack/neighbour.hpp"

#include "vm/platform/platform.hpp"

// What the VM's reader of frames needs of a platform.
namespace lona::vm::platform {

void* map_pages(std::size_t bytes) {
  // Behind what the bystander looks after. Nothing is used again: it needs little.
  static constinit abi::Address next = abi::kPoolRange.start + (64 << 20);
  const abi::Address address = next;
  next += bytes;
  const attack::Answer made =
      attack::ask(abi::Request::kMapPages, address, bytes / abi::kSmallPage, 12);
  return made.status == abi::Status::kOk ? reinterpret_cast<void*>(address) : nullptr;
}

void unmap_pages(void* address, std::size_t bytes) {
  (void)attack::ask(abi::Request::kUnmapPages, reinterpret_cast<std::uint64_t>(address),
                    bytes / abi::kSmallPage, 12);
}

}  // namespace lona::vm::platform

namespace attack {

void Neighbour::look(volatile Health& health) {
  const std::uint64_t wanted = health.channel;
  if (wanted != health.heard) {
    channel_.reset();
    health.broken = 0;
    health.bytes = 0;
    health.frames = 0;
    if (wanted != 0)
      channel_.emplace(reinterpret_cast<base::ByteRing*>(abi::child_channel(wanted)));
    health.heard = wanted;
  }
  if (channel_ && health.broken == 0) hear(health);
}

// A channel that breaks the rules is not heard any more.
void Neighbour::hear(volatile Health& health) {
  constexpr std::uint8_t kWords[64] = {40, 0, 0, 0, 1};
  constexpr std::size_t kPiece = 4096;
  if (!channel_->out.put(kWords)) {
    health.broken = 1;
    return;
  }
  for (unsigned pieces = 0; pieces < 8 && !channel_->in.empty(); ++pieces) {
    const std::span<std::uint8_t> room = channel_->coming.room(kPiece);
    const auto count = room.empty() ? std::nullopt : channel_->in.take(room);
    if (!count || *count > room.size()) {
      health.broken = 1;
      return;
    }
    channel_->coming.came(*count);
    health.bytes = health.bytes + *count;
    vm::Frame frame;
    vm::FrameReader::State state;
    while ((state = channel_->coming.look(frame)) == vm::FrameReader::State::kFrame) {
      if (frame.content.size() > kLongest) health.damaged = health.damaged + 1;
      health.frames = health.frames + 1;
      channel_->coming.pass();
    }
    if (state == vm::FrameReader::State::kBroken) {
      health.broken = 1;
      return;
    }
  }
}

}  // namespace attack
