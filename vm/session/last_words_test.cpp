// SPDX-License-Identifier: BSD-2-Clause
// A VM names the process that runs, its function and its line, from what the interpreter had in
// registers or from what it has put down, and does not follow what cannot be right.
#include "vm/session/last_words.hpp"

#include <gtest/gtest.h>

#include "vm/process/process.hpp"
#include "vm/sched/test_vm.hpp"
#include "vm/sched/worker.hpp"

namespace lona::vm {
namespace {

// A process that waits, taken for one that runs: its state is all there.
class LastWordsTest : public testing::Test {
 protected:
  LastWordsTest() {
    vm_.run(
        "(def inner (fn* inner [n]\n (receive\n  [:never x] (+ x n))))\n"
        "(def outer (fn* outer [n] (+ 1\n (inner n))))\n"
        "(spawn (fn* [] (do (+ 1 (outer 1)) 2)) (hash-map :name 'it))\n"
        "(yield)");
    Vm::State& s = vm_.vm().state();
    process_ = static_cast<Process*>(s.names.find(intern("it")));
  }
  std::string words(const platform::MachineState& at = {}) {
    char text[400];
    s().workers[0]->running = process_;
    const std::size_t length = write_last_words(vm_.vm(), 0, at, text);
    s().workers[0]->running = nullptr;
    return {text, length};
  }
  Vm::State& s() { return vm_.vm().state(); }
  static std::uint64_t number(const void* address) {
    return reinterpret_cast<std::uintptr_t>(address);
  }

  TestVm vm_;
  Process* process_ = nullptr;
};

TEST_F(LastWordsTest, NamesProcessFunctionAndLineOfAllFrames) {
  ASSERT_NE(process_, nullptr);
  EXPECT_EQ(words(),
            "process #<pid 2.1> (it) in lona.user/inner (test:2), from lona.user/outer "
            "(test:5), from lona.user/fn (test:6)");
}

TEST_F(LastWordsTest, BelievesTheRegistersOfThatProcessOnly) {
  ASSERT_NE(process_, nullptr);
  const std::string right = words();
  const Instruction* pc = process_->pc_;
  const platform::MachineState registers{number(process_->fp_), number(pc), number(process_)};
  process_->pc_ = nullptr;
  EXPECT_EQ(words(registers), right);
  EXPECT_EQ(words({registers.frame, registers.code, registers.process + 8}),
            "process #<pid 2.1> (it)");
  process_->pc_ = pc;
  for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{1}, registers.frame + 4,
                                    number(process_->block_end_), ~std::uint64_t{7}}) {
    EXPECT_EQ(words({wrong, registers.code, registers.process}), right) << wrong;
    EXPECT_EQ(words({registers.frame, wrong, registers.process}), right) << wrong;
  }
}

TEST_F(LastWordsTest, StopsWhereTheStackIsDamaged) {
  ASSERT_NE(process_, nullptr);
  Word* fp = process_->fp_;
  process_->fp_ = process_->block_end_;
  EXPECT_EQ(words(), "process #<pid 2.1> (it)");
  process_->fp_ = fp;
}

TEST_F(LastWordsTest, ASilentMachineSaysSo) {
  char text[100];
  EXPECT_EQ(std::string(text, write_last_words(vm_.vm(), 0, {}, text)), "no process was running");
  EXPECT_EQ(std::string(text, write_last_words(vm_.vm(), 77, {}, text)), "no process was running");
}

}  // namespace
}  // namespace lona::vm
