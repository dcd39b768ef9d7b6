// SPDX-License-Identifier: BSD-2-Clause
#include "vm/sched/source.hpp"

#include <bit>
#include <new>

#include "vm/bytecode/opcodes.hpp"
#include "vm/heap/copy.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

SymbolEntry* qualify(void* context, SymbolEntry* symbol) {
  auto& p = *static_cast<Process*>(context);
  return state_of(p).namespaces.qualify(p.ns(), symbol, p.load_);
}

void start_text(Process& p, SourceRun& run) {
  ReaderOptions options;
  options.file = run.text.file;
  options.first_line = run.text.first_line;
  options.positions = &run.positions;
  options.qualify = qualify;
  options.context = &p;
  run.reader.emplace(run.arena, run.text.text, options);
  run.has_text = true;
}

void clear(SourceRun& run) {
  run.positions.clear();
  run.arena.clear();
}

SourceFeed::Next ask(Process& p, SourceRun& run) {
  if (run.feed == nullptr) return SourceFeed::Next::kEnd;
  Guard guard(state_of(p).console_lock, state_of(p).several);
  return run.feed->next(*run.feed, p, run.text);
}

}  // namespace

Term source_next(Process& p, Args args) {
  SourceRun& run = *p.source_;
  if (run.form_running) {
    run.form_running = false;
    if (run.feed != nullptr && run.feed->value != nullptr) {
      Guard guard(state_of(p).console_lock, state_of(p).several);
      run.feed->value(*run.feed, p, args[0]);
    }
    clear(run);
  }
  for (;;) {
    if (!run.has_text && run.file.path != nullptr && !run.file.fetched) {
      const Term there = fetch_file(p, run);
      if (!there.is_nil()) return there;
      if (run.file.evaluates) start_text(p, run);
      continue;
    }
    if (!run.has_text) {
      SourceFeed::Next next = ask(p, run);
      if (next == SourceFeed::Next::kWait) return p.wait_for_console();
      if (next == SourceFeed::Next::kEnd) {
        if (run.file.path != nullptr && !finish_file(p, run)) return p.fail_oom();
        pop_source(p);
        return Term::absent();
      }
      start_text(p, run);
    }
    const std::size_t before = run.reader->offset();
    ReadOutcome form = run.reader->next();
    if (run.arena.exhausted()) return p.fail_oom();
    if (form.kind == ReadOutcome::Kind::kEnd) {
      run.has_text = false;
      clear(run);
      continue;
    }
    if (form.kind == ReadOutcome::Kind::kError) {
      run.has_text = false;
      Term info = copy_to(p, run.arena, form.error_info);
      return info == Term::absent() ? p.fail_oom() : p.fail(form.error_type, info);
    }
    CompileInput input{run.arena, run.positions, form.form, run.text.file,
                       run.reader->form_start().line};
    const Function* f = compile(p, input).function;
    if (f == nullptr) return Term::raise();
    run.form_text = run.text.text.substr(before, run.reader->offset() - before);
    run.form_running = true;
    Word* box = p.alloc_box(Kind::kClosure, 1);
    box[1] = reinterpret_cast<Word>(f);
    return Term::boxed(box);
  }
}

bool push_source(Process& p, SourceFeed* feed, const SourceText* text) {
  void* memory = allocator_of(p).allocate(sizeof(SourceRun));
  if (memory == nullptr) return false;
  auto* run = new (memory) SourceRun();
  run->outer = p.source_;
  run->feed = feed;
  p.source_ = run;
  if (text != nullptr) {
    run->text = *text;
    start_text(p, *run);
  }
  return true;
}

void pop_source(Process& p) {
  SourceRun* run = p.source_;
  p.source_ = run->outer;
  leave_file(*run);
  run->~SourceRun();
  allocator_of(p).release(run, sizeof(SourceRun));
}

Term make_load_closure(PermanentRegion& region) {
  constexpr std::uint32_t k = 3;  // calls leave their result in register 1
  auto instruction = [](Op op, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0) {
    return std::bit_cast<Word>(Instruction{op_code(op), static_cast<std::uint16_t>(a),
                                           static_cast<std::uint16_t>(b),
                                           static_cast<std::uint16_t>(c)});
  };
  auto near = [&](Op op, std::uint32_t a, std::int32_t distance) {
    auto d = static_cast<std::uint32_t>(distance);
    return instruction(op, a, d & 0xffff, d >> 16);
  };
  const Word code[] = {
      /* 0 */ near(Op::kLoadImmediate, 3, static_cast<std::int32_t>(Term::nil().bits())),
      /* 1 */ instruction(Op::kCallNative, k, 1, 0),
      /* 2 */ static_cast<Word>(Fallback::kNextForm),
      /* 3 */ near(Op::kBranchNotBits, 1, 3),
      /* 4 */ Term::absent().bits(),
      /* 5 */ instruction(Op::kReturn, 3),
      /* 6 */ instruction(Op::kCallRegister, k, 0, 1),
      /* 7 */ 0,
      /* 8 */ instruction(Op::kMove, 3, 1),
      /* 9 */ near(Op::kJump, 0, -8),
  };
  constexpr std::size_t n = sizeof(code) / sizeof(code[0]);
  Word* memory = region.make_array<Word>(sizeof(Function) / sizeof(Word) + n);
  auto* f = new (memory) Function();
  Word* words = memory + sizeof(Function) / sizeof(Word);
  for (std::size_t i = 0; i < n; ++i) words[i] = code[i];
  auto* maps = region.make_array<std::uint64_t>(2);
  maps[0] = 1u << 3;  // the last value
  maps[1] = 1u << 1;  // the form's function
  f->code = reinterpret_cast<const Instruction*>(words);
  f->code_words = n;
  f->direct_arity = 0;
  f->frame_words = 4;
  f->live_maps = maps;
  f->live_map_count = 2;
  Word* box = region.alloc_box(Kind::kClosure, 1);
  box[1] = reinterpret_cast<Word>(f);
  return Term::boxed(box);
}

}  // namespace lona::vm
