// SPDX-License-Identifier: BSD-2-Clause
// What a message is copied to: a fragment of its own, which becomes part of the receiver's heap.
#include "vm/data/sequence.hpp"
#include "vm/heap/copy.hpp"
#include "vm/heap/copy_words.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

// Copies of up to so many words are measured first.
constexpr std::size_t kSmallMessage = 64;
constexpr std::size_t kWordsOfReduction = 16;

// Most messages are one tuple of immediates. Null when this one is not, or without memory.
Fragment* copy_flat(Allocator& allocator, Term t) {
  if (!is_tuple(t)) return nullptr;
  const std::size_t words = tuple_count(t) + 1;
  if (words > kSmallMessage) return nullptr;
  for (std::size_t i = 0; i + 1 < words; ++i) {
    const Term part = slot(t, i);
    if (part.is_pair() || part.is_boxed()) return nullptr;
  }
  Fragment* f = make_fragment(allocator, words);
  if (f == nullptr) return nullptr;
  copy_words(f->data, t.box(), words);
  f->top = f->data + words;
  f->value = Term::boxed(f->data);
  return f;
}

// A copy in a fragment with room for so many words; null when it is more, or without memory.
Fragment* try_copy(Process& sender, Allocator& allocator, Term t, std::size_t room) {
  Fragment* f = make_fragment(allocator, room);
  if (f == nullptr) return nullptr;
  const Copied copied = copy_into(sender, t, {f->data, room}, f->blobs);
  if (copied.value == Term::absent()) {
    free_fragment(allocator, f);
    return nullptr;
  }
  f->value = copied.value;
  f->top = f->data + copied.words;
  sender.charge(static_cast<std::uint32_t>(copied.words / kWordsOfReduction));
  return f;
}

// A process often sends much again that is as large as what it sent before. Such a copy is not
// measured first. Null when the guess was wrong; `words` is what the next one will be.
Fragment* copy_by_guess(Process& sender, Allocator& allocator, Term t, std::size_t& words) {
  const std::size_t room = words + words / 8;
  Fragment* f = try_copy(sender, allocator, t, room);
  words = 0;
  if (f == nullptr) return nullptr;
  words = static_cast<std::size_t>(f->top - f->data);
  if (words >= room / 4 * 3) return f;
  f->bytes = allocator.shrink(f, f->bytes, fragment_bytes(words));
  if (f->words() <= words / 3 * 4) return f;
  free_fragment(allocator, f);
  return nullptr;
}

}  // namespace

Fragment* copy_to_fragment(Process& sender, Allocator& allocator, Term t) {
  if (Fragment* flat = copy_flat(allocator, t)) return flat;
  std::optional<std::size_t> words = copy_size(sender, t, kSmallMessage);
  if (words) return try_copy(sender, allocator, t, *words);
  std::size_t guess = sender.sent_words_;
  if (guess != 0) {
    Fragment* f = copy_by_guess(sender, allocator, t, guess);
    sender.sent_words_ = static_cast<std::uint32_t>(guess);
    if (f != nullptr) return f;
  }
  words = guess != 0 ? guess : copy_size(sender, t);
  if (!words) return nullptr;
  sender.sent_words_ = static_cast<std::uint32_t>(*words);
  return try_copy(sender, allocator, t, *words);
}

bool send_message(Process& sender, Process& receiver, Term message) {
  Fragment* f = copy_to_fragment(sender, allocator_of(sender), message);
  if (f == nullptr) return false;
  deliver(*sender.worker_, receiver, f);
  return true;
}

}  // namespace lona::vm
