// SPDX-License-Identifier: BSD-2-Clause
// Frames in a stream of bytes from another realm, which comes in pieces and may be hostile. A frame
// is shown when all of it is there. One that is longer than it may be breaks the rules; one that
// there is no memory for waits until there is some, or is passed over.
#pragma once

#include "vm/session/byte_buffer.hpp"
#include "vm/term/term.hpp"

namespace lona::vm {

struct Frame {
  enum class Kind : std::uint32_t { kMessage = 1, kRequest = 2, kOutput = 3, kRouted = 4 };

  // Its start, as it is in the stream.
  struct Head {
    std::uint32_t size;  // of the content that follows
    Kind kind;
    Word target;  // of a message: the bits of the pid
  };
  Head head;
  std::span<const std::uint8_t> content;
};

// How the content of a frame starts that is for a realm further away, or comes from one. Those
// between pass it on as it is.
struct Route {
  std::uint32_t to;
  std::uint32_t from;
  Frame::Kind kind;
  std::uint32_t zero = 0;
};
// The frame inside, when the one around it is long enough.
bool open_routed(const Frame& frame, Route& route, Frame& inside);

// What a sender asks room for: the frame, and what its value takes in a heap. In pages, as a word
// that is another one the next time.
struct Room {
  std::size_t frame = 0, heap = 0;  // bytes

  // The frame and its content, in pieces of memory or as a whole; the value where it is decoded,
  // and for its receiver.
  std::size_t all() const { return 2 * frame + 2 * heap; }
  Word word(unsigned turn) const;
  static Room of(Word word);
};

class FrameReader {
 public:
  // The content of a frame has at most so many bytes.
  explicit FrameReader(std::size_t most) : most_(most) {}

  // Where the next bytes go, at most so many; empty when there is no memory now.
  std::span<std::uint8_t> room(std::size_t wanted);
  // That many of them have come.
  void came(std::size_t count);

  enum class State : std::uint8_t { kNone, kFrame, kBroken, kNoMemory };
  // The first frame; it stays until `pass`.
  State look(Frame& frame);
  // The frame that was shown, or that there is no memory for, is done with.
  void pass();
  // Has memory for a frame of that size from now on; false: there is none. 0: no more.
  bool promise(std::size_t frame);
  std::size_t most() const { return most_; }

  // Lets go of what was passed; a frame that was shown must be looked at again.
  void tidy();

  std::size_t held() const { return bytes_.size(); }

 private:
  static constexpr std::size_t kKept = 64 * 1024;

  ByteBuffer bytes_;
  std::size_t at_ = 0;     // what lies before it has been passed
  std::size_t skip_ = 0;   // bytes to come of a frame that is passed over
  std::size_t frame_ = 0;  // bytes of the frame that was shown, or that has no memory
  std::size_t kept_ = kKept;
  std::size_t most_;
};

}  // namespace lona::vm
