// SPDX-License-Identifier: BSD-2-Clause
#include <cstdlib>
#include <iterator>

#include "systems/attack/realm.hpp"

namespace lona::abi {
IpcBuffer& ipc_buffer() {
  return *reinterpret_cast<IpcBuffer*>(worker_ipc_buffer(0));
}
}  // namespace lona::abi

namespace attack {

namespace {

constexpr std::string_view kAttacks[] = {"yields",    "memory",  "pages",   "faults",  "bombs",
                                         "churn",     "floods",  "garbage", "scans",   "spins",
                                         "deadlines", "signals", "logs",    "channel", "jumps"};
constexpr std::uint64_t kAttackMs = 100;
constexpr std::uint64_t kAttackerMemory = 16 << 20;

unsigned failures = 0;

void expect(bool good, std::string_view attack, std::string_view what) {
  if (good) return;
  ++failures;
  base::FixedText<200> text;
  text << "FAILED: " << attack << ": " << what;
  say(text.text());
}

class Bystander {
 public:
  Bystander() : child_(start("bystander")) {}

  // How late its beats were since the last look, in microseconds.
  std::uint64_t look(std::string_view attack) {
    const std::uint64_t beats = health().beats;
    expect(beats > beats_, attack, "the bystander's beat has stopped");
    expect(health().damaged == 0, attack, "the bystander's memory was changed");
    beats_ = beats;
    const std::uint64_t late = health().worst_late;
    health().worst_late = 0;
    return late * 1000 / (start_block().tsc_hertz / 1000);
  }

 private:
  volatile Health& health() const {
    return *reinterpret_cast<volatile Health*>(abi::child_channel(child_.number));
  }

  Child child_;
  std::uint64_t beats_ = 0;
};

void let_run(std::uint64_t ms) {
  sleep_until(tick() + ticks_of_ms(ms));
}

void try_one(std::string_view name, Bystander& bystander) {
  const std::uint64_t before = ask(Request::kFigures).words.mr2;
  const Child attacker = start(name, kAttackerMemory);
  expect(attacker.status == Status::kOk, name, "it could not be started");
  let_run(kAttackMs);
  const std::uint64_t late = bystander.look(name);
  const std::uint64_t from = tick();
  expect(ask(Request::kTerminateRealm, attacker.realm).status == Status::kOk, name,
         "it could not be taken down");
  const std::uint64_t us = (tick() - from) * 1000 / (start_block().tsc_hertz / 1000);
  const std::uint64_t after = ask(Request::kFigures).words.mr2;
  // A page table for its channel may stay.
  expect(after <= before && before - after <= 2 * abi::kSmallPage, name, "memory was lost");
  base::FixedText<200> text;
  text << "attack " << name << ": the bystander was at most " << late << " us late, taken down in "
       << us << " us";
  say(text.text());
}

void try_all(Bystander& bystander) {
  Child attackers[std::size(kAttacks)];
  std::size_t count = 0;
  for (const std::string_view name : kAttacks) {
    attackers[count++] = start(name, abi::kLeastRealmMemory, 50'000);
  }
  let_run(5 * kAttackMs);
  base::FixedText<200> text;
  text << "all at once: the bystander was at most " << bystander.look("all") << " us late";
  for (const Child& attacker : attackers) {
    expect(ask(Request::kTerminateRealm, attacker.realm).status == Status::kOk, "all",
           "it could not be taken down");
  }
  say(text.text());
}

// Restarted as often as it ends, a realm that ends at once costs its parent time, but no memory.
void crash_again_and_again(Bystander& bystander) {
  const std::uint64_t before = ask(Request::kFigures).words.mr2;
  for (unsigned round = 0; round < 50; ++round) {
    const Child child = start("jumps");
    let_run(1);
    (void)ask(Request::kTerminateRealm, child.realm);
  }
  (void)bystander.look("crashes");
  expect(ask(Request::kFigures).words.mr2 == before, "crashes", "memory was lost");
}

void direct() {
  Bystander bystander;
  let_run(50);
  (void)bystander.look("nothing");
  for (const std::string_view name : kAttacks) try_one(name, bystander);
  crash_again_and_again(bystander);
  try_all(bystander);
  say(failures == 0 ? "every attack was stopped" : "attacks had an effect");
}

}  // namespace

}  // namespace attack

void abort() noexcept {
  __builtin_trap();
}

extern "C" [[noreturn, gnu::section(".text.start")]] void _start(
    const lona::abi::StartBlock* block) {
  using namespace attack;
  abi::adopt_kernel_labels(block->iommu_labels != 0);
  if (block->depth == 0) {
    direct();
  } else if (std::string_view(block->name) == "bystander") {
    stand_by();
  } else {
    (void)attack::attack(block->name);
  }
  (void)ask(Request::kExit, 0);
  abort();
}
