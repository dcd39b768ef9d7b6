// SPDX-License-Identifier: BSD-2-Clause
#include "vm/compiler/emitter.hpp"

#include <bit>
#include <cstring>
#include <new>

#include "vm/code/store.hpp"
#include "vm/process/process.hpp"

namespace lona::vm {

Register Emitter::push() {
  if (top_ + 8u >= kMaxRegisters) {
    too_large_ = true;
    return top_;
  }
  Register r = top_++;
  need(top_);
  clear_live(r);
  return r;
}

void Emitter::release_to(Register top) {
  for (std::uint32_t r = top; r < top_; ++r) clear_live(static_cast<Register>(r));
  top_ = top;
}

std::uint16_t Emitter::live_map() {
  // Neighbouring calls often have the same map.
  for (std::size_t back = 1; back <= 16 && back <= maps_.size(); ++back) {
    if (maps_[maps_.size() - back] == live_) return static_cast<std::uint16_t>(maps_.size() - back);
  }
  if (maps_.size() >= 0xffff) {
    too_large_ = true;
    return 0;
  }
  maps_.push_back(live_);
  return static_cast<std::uint16_t>(maps_.size() - 1);
}

void Emitter::op(Op op, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  Instruction i{op_code(op), static_cast<std::uint16_t>(a), static_cast<std::uint16_t>(b),
                static_cast<std::uint16_t>(c)};
  code_.push_back(std::bit_cast<Word>(i));
}

void Emitter::op_extra(Op o, std::uint32_t a, std::uint32_t b, std::uint32_t c, Word extra) {
  op(o, a, b, c);
  code_.push_back(extra);
}

void Emitter::use(Label& label, std::uint32_t at, std::uint32_t extra) {
  auto* use = arena_.make_array<Label::Use>(1);
  *use = {at, extra, label.uses};
  label.uses = use;
  if (label.position < 0) return;
  // A label that is bound already (a loop) is patched at once.
  std::int64_t distance = label.position - static_cast<std::int64_t>(at);
  if (extra != 0) {
    code_[at + extra] = static_cast<Word>(distance);
  } else {
    auto i = std::bit_cast<Instruction>(code_[at]);
    i.b = static_cast<std::uint16_t>(distance);
    i.c = static_cast<std::uint16_t>(distance >> 16);
    code_[at] = std::bit_cast<Word>(i);
  }
}

void Emitter::branch(Op o, std::uint32_t a, Label& target) {
  std::uint32_t at = here();
  op(o, a);
  use(target, at, 0);
}

void Emitter::branch_extra(Op o, std::uint32_t a, std::uint32_t b, std::uint32_t c, Label& target) {
  std::uint32_t at = here();
  op_extra(o, a, b, c, 0);
  use(target, at, 1);
}

void Emitter::bind(Label& label) {
  label.position = here();
  Label::Use* uses = label.uses;
  label.uses = nullptr;
  for (Label::Use* u = uses; u != nullptr; u = u->next) use(label, u->at, u->extra);
}

void Emitter::line(std::uint32_t line) {
  if (line == 0 || (!lines_.empty() && lines_.back().line == line)) return;
  lines_.push_back({here(), line});
}

void Emitter::replace(std::size_t at, Op op, std::uint16_t a, std::uint32_t distance, Word extra) {
  code_[at] = std::bit_cast<Word>(Instruction{op_code(op), a, static_cast<std::uint16_t>(distance),
                                              static_cast<std::uint16_t>(distance >> 16)});
  code_[at + 1] = extra;
}

Function* Emitter::finish(CodeStore& store, std::uint16_t entry, std::uint32_t parameters) {
  narrow_live_maps(entry);
  if (too_large_) return nullptr;
  // A frame larger than usual makes room for itself first. Distances are relative: the rest of the
  // code does not notice the word before it.
  std::size_t first = most_ > Process::kFrameWords ? 1 : 0;
  const std::size_t width = (most_ + 63) / 64;
  const std::size_t function_words = sizeof(Function) / sizeof(Word);
  const std::size_t code_words = code_.size() + first;
  const std::size_t map_words = maps_.size() * width;
  Word* memory = store.allocate(function_words + code_words + map_words + lines_.size());
  if (memory == nullptr) return nullptr;
  auto* f = new (static_cast<void*>(memory)) Function();
  Word* code = memory + function_words;
  if (first != 0) {
    Instruction enter{op_code(Op::kEnterLarge), entry, static_cast<std::uint16_t>(most_),
                      static_cast<std::uint16_t>(parameters)};
    code[0] = std::bit_cast<Word>(enter);
  }
  std::memcpy(code + first, code_.begin(), code_.size() * sizeof(Word));
  f->code = reinterpret_cast<const Instruction*>(code);
  f->code_words = static_cast<std::uint32_t>(code_words);
  f->frame_words = most_;
  std::uint64_t* maps = code + code_words;
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    for (std::size_t w = 0; w < width; ++w) maps[i * width + w] = maps_[i][w];
  }
  f->live_maps = maps;
  f->live_map_count = static_cast<std::uint32_t>(maps_.size());
  f->live_words = static_cast<std::uint16_t>(width);
  auto* lines = reinterpret_cast<LineEntry*>(maps + map_words);
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    lines[i] = lines_[i];
    lines[i].offset += static_cast<std::uint32_t>(first);
  }
  f->lines = lines;
  f->line_count = static_cast<std::uint32_t>(lines_.size());
  return f;
}

}  // namespace lona::vm
