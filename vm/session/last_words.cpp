// SPDX-License-Identifier: BSD-2-Clause
#include "vm/session/last_words.hpp"

#include "vm/interp/frame.hpp"
#include "vm/sched/state.hpp"
#include "vm/session/report.hpp"

namespace lona::vm {

namespace {

constexpr int kMostFrames = 200;

struct Place {
  const Word* fp;
  const Instruction* pc;  // a call, but for the innermost
};

bool in_block(const Process& p, const Word* fp) {
  return reinterpret_cast<std::uintptr_t>(fp) % sizeof(Word) == 0 && fp >= p.block_ &&
         fp < p.block_end_ - kHeaderWords;
}

// The function that runs in that frame, when the instruction is one of its.
const Function* function_at(const Process& p, Place place) {
  if (!in_block(p, place.fp)) return nullptr;
  const Term closure = Term::from_bits(place.fp[2]);
  if (!is_closure(closure)) return nullptr;
  const Function* f = function_of(closure);
  return place.pc >= f->code && place.pc < f->code + f->code_words ? f : nullptr;
}

// Who has called it; fp null: nobody.
Place caller_of(const Process& p, Place place, const NestedRun*& nested) {
  const Instruction* back = return_address(place.fp);
  if (back == kProcessEnd) return {};
  if (back != kNestedEnd) return {place.fp + (back - kCallWords)->a, back - kCallWords};
  if (nested == nullptr) return {};
  const Place outer{p.block_end_ - nested->fp_offset, nested->pc};
  nested = nested->outer;
  return outer;
}

void write_places(Sink& sink, const Process& p, Place place) {
  const NestedRun* nested = p.nested_;
  std::string_view before = " in ";
  const Function* last = nullptr;
  std::uint32_t last_line = 0;
  for (int i = 0; i < kMostFrames && place.fp != nullptr; ++i) {
    const Function* f = function_at(p, place);
    if (f == nullptr) return;
    const std::uint32_t line = f->line_at(place.pc);
    const bool again = f == last && line == last_line;
    if (f->name != nullptr && !again) {  // the library's own first frame has none
      sink.write(before);
      write_function(sink, *f, line);
      before = ", from ";
    }
    last = f;
    last_line = line;
    place = caller_of(p, place, nested);
  }
}

void write_process(Sink& sink, const Process& p) {
  sink.write("process ");
  print(sink, p.pid());
  if (p.name_ == nullptr) return;
  sink.write(" (");
  sink.write(p.name_->full());
  sink.write(")");
}

// What the interpreter keeps in registers, else what it has put down before it left to C++ code.
Place place_of(const Process& p, const platform::MachineState& at) {
  const Place in_registers{reinterpret_cast<const Word*>(at.frame),
                           reinterpret_cast<const Instruction*>(at.code)};
  const bool interpreting = at.process == reinterpret_cast<std::uintptr_t>(&p);
  return interpreting && function_at(p, in_registers) != nullptr ? in_registers
                                                                 : Place{p.fp_, p.pc_};
}

}  // namespace

std::size_t write_last_words(const Vm& vm, unsigned worker, const platform::MachineState& at,
                             std::span<char> text) {
  BufferSink sink(text);
  const Vm::State& s = vm.state();
  const Process* p = worker < s.worker_count ? s.workers[worker]->running : nullptr;
  if (p == nullptr) {
    sink.write("no process was running");
  } else {
    write_process(sink, *p);
    write_places(sink, *p, place_of(*p, at));
  }
  return sink.text().size();
}

void offer_last_words(Vm& vm) {
  static constinit Vm* offered = nullptr;
  offered = &vm;
  platform::on_last_words(
      [](unsigned worker, const platform::MachineState& at, std::span<char> text) {
        return write_last_words(*offered, worker, at, text);
      });
}

std::size_t write_end(const Process& process, std::span<char> text) {
  BufferSink sink(text);
  write_process(sink, process);
  sink.write(" ended: ");
  print(sink, process.exit_reason());
  const Trace* trace = process.trace();
  for (std::uint32_t i = 0; trace != nullptr && i < trace->count; ++i) {
    sink.write(i == 0 ? " in " : ", from ");
    write_function(sink, *trace->entries[i].function, trace->entries[i].line);
  }
  return sink.text().size();
}

}  // namespace lona::vm
