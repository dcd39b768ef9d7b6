// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <span>

#include "systems/attack/realm.hpp"

namespace attack {

namespace {

constexpr std::string_view kAttacks[] = {
    "yields",  "memory",  "pages",     "faults",  "bombs",   "churn",   "floods",  "garbage",
    "scans",   "spins",   "deadlines", "signals", "logs",    "channel", "jumps",   "replies",
    "calls",   "crumbs",  "writes",    "thefts",  "patches", "objects", "revokes", "lingers",
    "helpers", "proxies", "regions",   "seals",   "binaries"};
// Of those that have a channel to the bystander.
constexpr std::string_view kAttacksBeside[] = {"indices", "repeats", "changes"};
constexpr std::uint64_t kAttackMs = 100;
constexpr std::uint64_t kProxiesMs = 2'000;  // what they try succeeds, if it does, now and then
constexpr std::uint64_t kAttackerMemory = 16 << 20;
constexpr std::size_t kCrowd = 24;  // of one kind
constexpr std::uint64_t kMomentsUs = 6'000;
constexpr std::uint64_t kMomentStepUs = 37;

unsigned failures = 0;

// Its page is the one that all inherit.
[[gnu::section(".core_data"), gnu::used]] std::uint64_t first_inherited_word = 1;

void expect(bool good, std::string_view attack, std::string_view what) {
  if (good) return;
  ++failures;
  base::FixedText<200> text;
  text << "FAILED: " << attack << ": " << what;
  say(text.text());
}

class Bystander {
 public:
  // Sure of a tenth of the processor, and of a service of the manager's own.
  Bystander() : child_(start("bystander", kUsualMemory, abi::kNoShare, 100'000)) {}

  // How late its beats were since the last look, in microseconds.
  std::uint64_t look(std::string_view attack) {
    const std::uint64_t beats = health().beats;
    expect(beats > beats_, attack, "the bystander's beat has stopped");
    expect(health().damaged == 0, attack, "the bystander's memory was changed");
    beats_ = beats;
    const std::uint64_t late = health().worst_late;
    health().worst_late = 0;
    return us_of(late);
  }

  std::uint64_t realm() const { return child_.realm; }
  // 0: no channel any more.
  void hear(std::uint64_t channel) const {
    health().channel = channel;
    for (unsigned beats = 0; health().heard != channel && beats < 10; ++beats) {
      sleep_until(tick() + ticks_of_ms(10));
    }
  }
  volatile Health& health() const {
    return *reinterpret_cast<volatile Health*>(abi::child_channel(child_.number));
  }

 private:
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
  let_run(name == "proxies" ? kProxiesMs : kAttackMs);
  const std::uint64_t late = bystander.look(name);
  if (name == "writes" || name == "patches" || name == "jumps" || name == "seals") {
    const auto state = ask(Request::kRealmInfo, attacker.realm).words.mr1;
    expect(state == static_cast<std::uint64_t>(abi::RealmState::kTerminated), name,
           "it goes on after a write to what is not its own");
  }
  const std::uint64_t from = tick();
  expect(ask(Request::kTerminateRealm, attacker.realm).status == Status::kOk, name,
         "it could not be taken down");
  const std::uint64_t us = us_of(tick() - from);
  const std::uint64_t after = ask(Request::kFigures).words.mr2;
  // A page table for its channel may stay.
  expect(after <= before && before - after <= 2 * abi::kSmallPage, name, "memory was lost");
  base::FixedText<200> text;
  text << "attack " << name << ": the bystander was at most " << late << " us late, taken down in "
       << us << " us";
  say(text.text());
}

// On a channel between two children: the bystander hears the attacker, also after its end.
void try_beside(std::string_view name, Bystander& bystander) {
  const std::uint64_t before = ask(Request::kFigures).words.mr2;
  const Child attacker = make(name, kAttackerMemory);
  const Answer link = ask(Request::kConnectRealms, bystander.realm(), attacker.realm);
  expect(attacker.status == Status::kOk && link.status == Status::kOk, name,
         "it could not be connected");
  bystander.hear(link.words.mr0);
  (void)ask(Request::kRunRealm, attacker.realm);
  let_run(kAttackMs);
  const std::uint64_t late = bystander.look(name);
  expect(ask(Request::kTerminateRealm, attacker.realm).status == Status::kOk, name,
         "it could not be taken down");
  let_run(20);
  (void)bystander.look(name);
  const std::uint64_t bytes = bystander.health().bytes, frames = bystander.health().frames;
  const bool broken = bystander.health().broken != 0;
  expect(name == "repeats" ? !broken && frames > 500 : broken, name, "it was not heard as it is");
  bystander.hear(0);
  expect(ask(Request::kDisconnectRealms, bystander.realm(), attacker.realm).status == Status::kOk,
         name, "the channel could not be taken away");
  const std::uint64_t after = ask(Request::kFigures).words.mr2;
  expect(after <= before && before - after <= 2 * abi::kSmallPage, name, "memory was lost");
  base::FixedText<200> text;
  text << "attack " << name << ": the bystander was at most " << late << " us late, took " << bytes
       << " bytes and " << frames << " frames" << (broken ? " until it heard no more" : "");
  say(text.text());
}

// How long this realm, at its worst, waits for the manager and for its turn after a sleep.
struct Answers {
  std::uint64_t manager_us = 0;
  std::uint64_t wake_us = 0;

  void take(std::uint64_t ms) {
    const std::uint64_t end = tick() + ticks_of_ms(ms);
    for (std::uint64_t due = tick() + ticks_of_ms(5); tick() < end; due = tick() + ticks_of_ms(5)) {
      sleep_until(due);
      const std::uint64_t woken = tick();
      (void)ask(Request::kRealmInfo, 0);
      (void)ask(Request::kFindRegion, abi::kNoRegion, 1, 'n');
      manager_us = std::max(manager_us, us_of(tick() - woken));
      wake_us = std::max(wake_us, us_of(woken - due));
    }
  }
};

// How much of the processor this realm gets when it wants all, in per cent.
std::uint64_t percent_when_busy() {
  const auto used_us = [] {
    (void)ask(Request::kRealmInfo, 0);
    return abi::ipc_buffer().msg[7];
  };
  const std::uint64_t from = tick(), before = used_us();
  while (tick() < from + ticks_of_ms(kAttackMs)) asm volatile("pause");
  return 100 * (used_us() - before) / us_of(tick() - from);
}

// Each with as much of the processor as there is, or little of it.
void try_together(Bystander& bystander, std::string_view title,
                  std::span<const std::string_view> names, std::uint64_t share) {
  Child attackers[std::max(kCrowd, std::size(kAttacks))];
  std::size_t count = 0;
  for (const std::string_view name : names) {
    attackers[count++] = start(name, kUsualMemory, share);
  }
  Answers answers;
  answers.take(5 * kAttackMs);
  const std::uint64_t percent = percent_when_busy();
  base::FixedText<200> text;
  text << title << ": the bystander was at most " << bystander.look("all")
       << " us late, the manager answered within " << answers.manager_us
       << " us, the first realm ran within " << answers.wake_us << " us and had " << percent
       << " %";
  for (const Child& attacker : std::span(attackers, count)) {
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

// A realm that makes and ends realms itself, or binaries of its parent's memory, is ended at ever
// later moments: at each step of making one, while it is served, while its own children run.
void end_at_any_moment(Bystander& bystander) {
  const std::uint64_t before = ask(Request::kFigures).words.mr2;
  for (std::uint64_t us = 0; us < kMomentsUs; us += kMomentStepUs) {
    const Child child = start(us % 2 == 0 ? "churn" : "binaries", kAttackerMemory);
    const std::uint64_t end = tick() + ticks_of_ms(us) / 1000;
    while (tick() < end) asm volatile("pause");
    expect(ask(Request::kTerminateRealm, child.realm).status == Status::kOk, "moments",
           "it could not be taken down");
  }
  base::FixedText<200> text;
  text << "moments: the bystander was at most " << bystander.look("moments") << " us late";
  say(text.text());
  const std::uint64_t after = ask(Request::kFigures).words.mr2;
  expect(after <= before && before - after <= 2 * abi::kSmallPage, "moments", "memory was lost");
}

// Made, given and taken back, seen no more.
void make_binaries_again_and_again(const Bystander& bystander) {
  constexpr unsigned kRounds = 10'000;
  const auto round = [&](unsigned number) {
    const std::uint64_t bytes = number % 100 == 0 ? 5 << 20 : abi::kLeastBinary + number;
    const std::uint64_t binary = ask(Request::kMakeBinary, bystander.realm(), bytes).words.mr0;
    const bool good =
        ask(Request::kGiveBinary, binary, bystander.realm()).status == Status::kOk &&
        ask(Request::kTakeBackBinary, binary, bystander.realm()).status == Status::kOk &&
        ask(Request::kTakeBackBinary, binary, bystander.realm()).status != Status::kOk &&
        ask(Request::kDropBinary, binary, abi::kNoRealm).status == Status::kOk &&
        ask(Request::kDropBinary, binary, abi::kNoRealm).status == Status::kNoSuchBinary;
    expect(good, "rounds", "a binary could not be made, given and taken back once");
  };
  for (unsigned number = 0; number < 10; ++number) round(number);
  const std::uint64_t before = ask(Request::kFigures).words.mr2;
  for (unsigned number = 0; number < kRounds && failures == 0; ++number) round(number);
  const std::uint64_t after = ask(Request::kFigures).words.mr2;
  expect(after == before, "rounds", "memory was lost");
}

void direct() {
  inherited_word() = kInheritedWord;
  Bystander bystander;
  let_run(50);
  (void)bystander.look("nothing");
  // What only the bystander may take.
  (void)ask(Request::kMakeObject, abi::ObjectType::kNotification, 0, 0);
  expect(ask(Request::kOfferCapability, 0, bystander.realm(), 3, 0).words.mr0 == 1, "thefts",
         "nothing could be offered");
  for (const std::string_view name : kAttacks) try_one(name, bystander);
  for (const std::string_view name : kAttacksBeside) try_beside(name, bystander);
  crash_again_and_again(bystander);
  end_at_any_moment(bystander);
  try_together(bystander, "all with little time", kAttacks, 50'000);
  try_together(bystander, "all at once", kAttacks, abi::kNoShare);
  for (const std::string_view name : {"pages", "deadlines", "churn", "regions", "binaries"}) {
    std::string_view crowd[kCrowd];
    std::fill(std::begin(crowd), std::end(crowd), name);
    try_together(bystander, name, crowd, abi::kNoShare);
  }
  make_binaries_again_and_again(bystander);
  say(failures == 0 ? "every attack was stopped" : "attacks had an effect");
}

}  // namespace

}  // namespace attack

void abort() noexcept {
  __builtin_trap();
}

// A realm that has faulted is let go on here once, to say why (abi::kLastWordsEntry).
extern "C" [[noreturn, gnu::section(".text.start"), gnu::used, gnu::retain]] void
realm_last_words() {
  if (attack::start_block().name == std::string_view("lingers")) {
    while (true) {
      lona::abi::signal(lona::abi::kRealmSlotParent);
      lona::abi::nb_send(lona::abi::kRealmSlotManager,
                         lona::abi::MessageInfo(
                             static_cast<std::uint64_t>(lona::abi::Request::kFigures), 0, 0, 0));
    }
  }
  abort();
}

extern "C" [[noreturn, gnu::section(".text.start")]] void _start(const lona::abi::StartBlock* block,
                                                                 std::uint64_t thread) {
  using namespace attack;
  while (thread >= lona::abi::kFirstHelper) asm volatile("");
  while (thread != 0) (void)lona::abi::wait(lona::abi::worker_slot(thread));  // of other cores
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
