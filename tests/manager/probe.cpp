// SPDX-License-Identifier: BSD-2-Clause
// Stands in for the VM: asks the manager for everything that a realm can ask for, rightly and
// wrongly, and says on the log how it went. At last it overruns its stack. Its children are the
// same program; what they do is their name.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "base/ustar.hpp"
#include "systems/attack/realm.hpp"

namespace {

using namespace lona;
using abi::Request;
using abi::Status;
using attack::Answer;
using attack::ask;
using attack::ask_words;
using attack::say;

unsigned failures = 0;

void expect(bool good, std::string_view what) {
  if (!good) {
    ++failures;
    base::FixedText<200> text;
    text << "FAILED: " << what;
    say(text.text());
  }
}

void check_memory() {
  const std::uint64_t pool = abi::kPoolRange.start;
  const auto before = ask(Request::kFigures);
  expect(ask(Request::kMapPages, pool, 3, 12).status == Status::kOk, "three small pages");
  expect(ask(Request::kMapPages, pool + 0x20'0000, 2, 21).status == Status::kOk, "two large pages");
  for (const std::uint64_t address : {pool, pool + 0x2fff, pool + 0x20'0000, pool + 0x5f'ffff}) {
    auto* byte = reinterpret_cast<volatile unsigned char*>(address);
    expect(*byte == 0, "memory is zeroed");
    *byte = 0x5a;
    expect(*byte == 0x5a, "memory can be written");
  }
  expect(ask(Request::kMapPages, pool, 1, 12).status == Status::kBadAddress, "mapping twice");
  expect(ask(Request::kMapPages, pool + 1, 1, 12).status == Status::kBadArgument, "misaligned");
  expect(ask(Request::kMapPages, 0x400000, 1, 12).status == Status::kBadAddress, "outside");
  expect(ask(Request::kMapPages, pool, 1).status == Status::kBadMessage, "short message");
  expect(ask(static_cast<Request>(6), 0).status == Status::kUnknownRequest, "a false fault");
  expect(ask(Request::kUnmapPages, pool, 2, 12).status == Status::kBadAddress, "half a grant");
  expect(ask(Request::kUnmapPages, pool, 3, 12).status == Status::kOk, "giving back small");
  expect(ask(Request::kUnmapPages, pool + 0x20'0000, 2, 21).status == Status::kOk, "giving back");
  const auto after = ask(Request::kFigures);
  // The second round finds its page tables already there.
  expect(after.words.mr1 == 0 && before.words.mr1 == 0, "nothing is mapped");
  expect(ask(Request::kMapPages, pool, 3, 12).status == Status::kOk, "again");
  expect(*reinterpret_cast<volatile unsigned char*>(pool) == 0, "used memory is zeroed");
  expect(ask(Request::kUnmapPages, pool, 3, 12).status == Status::kOk, "again back");
  expect(ask(Request::kFigures).words.mr2 == after.words.mr2, "free memory is what it was");
}

void sleep_ms(std::uint64_t ms) {
  const std::uint64_t hertz =
      reinterpret_cast<const abi::StartBlock*>(abi::kStartBlockAddress)->tsc_hertz;
  const std::uint64_t due = __builtin_ia32_rdtsc() + ms * hertz / 1000;
  (void)ask(Request::kSetDeadline, due);
  // Waits once in any case: the signal of a deadline that is over already is not to stay.
  do {
    (void)abi::wait(abi::kRealmSlotNotification);
  } while (__builtin_ia32_rdtsc() < due);
}

// What a request for so many pages costs, each one alone: a realm that asks and asks waits for its
// service's budget. The first round has page tables made; some pages stay meanwhile, as a realm
// that asks has some. Every so often a request waits for the kernel to zero a block: that is in the
// mean, but not in the median.
void check_request_cost(std::uint64_t pages) {
  constexpr std::uint64_t kMost = 160;
  const std::uint64_t requests = pages == 1 ? kMost : 40;
  const std::uint64_t pool = abi::kPoolRange.start;
  const std::uint64_t others = pool + 4 * abi::kLargePage;
  std::uint64_t ticks[kMost];
  const auto ask_all = [&](Request request, std::uint64_t from) {
    for (std::uint64_t at = 0; at < requests; ++at) {
      const std::uint64_t address = from + at * pages * abi::kSmallPage;
      const std::uint64_t start = __builtin_ia32_rdtsc();
      expect(ask(request, address, pages, 12).status == Status::kOk, "pages");
      ticks[at] = __builtin_ia32_rdtsc() - start;
    }
    sleep_ms(20);
  };
  base::FixedText<160> text;
  const auto report = [&](std::string_view what) {
    std::sort(ticks, ticks + requests);
    std::uint64_t sum = 0;
    for (std::uint64_t at = 0; at < requests; ++at) sum += ticks[at];
    text << what << ticks[requests / 2] << " ticks, in the mean " << sum / requests;
  };
  ask_all(Request::kMapPages, others);
  ask_all(Request::kMapPages, pool);
  ask_all(Request::kUnmapPages, pool);
  ask_all(Request::kMapPages, pool);
  text << "a request for " << pages << " pages";
  report(" in ");
  ask_all(Request::kUnmapPages, pool);
  report(", back in ");
  say(text.text());
  ask_all(Request::kUnmapPages, others);
}

void check_exhaustion() {
  const std::uint64_t start = abi::kPoolRange.start + (1ULL << 30);
  const std::uint64_t before = ask(Request::kFigures).words.mr2;
  std::uint64_t got = 0;
  Status last = Status::kOk;
  while (last == Status::kOk) {
    last = ask(Request::kMapPages, start + got * abi::kLargePage, 1, 21).status;
    got += last == Status::kOk ? 1 : 0;
  }
  expect(last == Status::kOverLimit || last == Status::kOutOfMemory, "memory ends with a status");
  const auto figures = ask(Request::kFigures);
  expect(figures.words.mr1 == got * abi::kLargePage, "the figures count every page");
  for (std::uint64_t at = 0; at < got; ++at) {
    expect(ask(Request::kUnmapPages, start + at * abi::kLargePage, 1, 21).status == Status::kOk,
           "all is given back");
  }
  const std::uint64_t after = ask(Request::kFigures).words.mr2;
  expect(before - after <= 4 * abi::kSmallPage, "only page tables stay");
  base::FixedText<100> text;
  text << "got " << got << " large pages";
  say(text.text());
}

void check_deadlines(std::uint64_t hertz) {
  std::uint64_t worst = 0;
  for (const std::uint64_t ms : {1U, 5U, 20U, 70U, 2U}) {
    const std::uint64_t due = __builtin_ia32_rdtsc() + ms * hertz / 1000;
    expect(ask(Request::kSetDeadline, due).status == Status::kOk, "a deadline is set");
    const auto message = abi::wait(abi::kRealmSlotNotification);
    const std::uint64_t now = __builtin_ia32_rdtsc();
    expect(message.badge == abi::kSignalDeadline, "the signal says deadline");
    expect(now >= due, "never early");
    worst = now - due > worst ? now - due : worst;
  }
  base::FixedText<100> text;
  text << "worst deadline late by " << worst * 1'000'000 / hertz << " us";
  say(text.text());
}

// --- Children ------------------------------------------------------------------------------------

struct Child {
  Status status;
  std::uint64_t realm;
  std::uint64_t number;
};

Child create(std::string_view name, std::uint64_t share = abi::kNoShare,
             std::uint64_t memory = abi::kLeastRealmMemory, std::uint64_t reserve = 0,
             std::uint64_t memory_max = 0) {
  std::uint64_t words[10] = {memory, std::max(memory, memory_max), reserve, share, 0, name.size()};
  std::memcpy(words + 6, name.data(), name.size());
  const Answer made =
      ask_words(Request::kCreateRealm, words, static_cast<unsigned>(6 + (name.size() + 7) / 8));
  return {made.status, made.words.mr0, made.words.mr1};
}

// Makes a child and lets it run.
Child start(std::string_view name, std::uint64_t share = abi::kNoShare,
            std::uint64_t memory = abi::kLeastRealmMemory, std::uint64_t reserve = 0) {
  const Child child = create(name, share, memory, reserve);
  expect(child.status == Status::kOk, name);
  expect(ask(Request::kRunRealm, child.realm).status == Status::kOk, "a child runs");
  return child;
}

void terminate(const Child& child) {
  expect(ask(Request::kTerminateRealm, child.realm).status == Status::kOk, "a child is taken down");
  expect(ask(Request::kRealmInfo, child.realm).status == Status::kNoSuchRealm, "and gone");
}

// Waits for a child to end by itself; its status.
std::uint64_t await(const Child& child) {
  while (true) {
    const Answer end = ask(Request::kNextEnded);
    if (end.words.mr0 == child.realm) {
      return end.words.mr1;
    }
    expect(end.words.mr0 == abi::kNoRealm, "no other child has ended");
    (void)abi::wait(abi::kRealmSlotNotification);
  }
}

std::uint64_t time_used(const Child& child) {
  (void)ask(Request::kRealmInfo, child.realm);
  return abi::ipc_buffer().msg[7];
}

// What a child does; its name says which. What comes back is its exit status.
std::uint64_t behave(std::string_view what);

void check_life() {
  const std::uint64_t before = ask(Request::kFigures).words.mr2;
  const Child child = start("exits");
  expect(await(child) == 42, "its status comes to the parent");
  expect(ask(Request::kRunRealm, child.realm).status == Status::kBadState, "it has ended");
  terminate(child);
  expect(ask(Request::kTerminateRealm, child.realm).status == Status::kNoSuchRealm, "once only");
  const std::uint64_t first = ask(Request::kFigures).words.mr2;
  expect(before - first <= 4 * abi::kSmallPage, "only page tables stay");
  const std::uint64_t start_tick = __builtin_ia32_rdtsc();
  constexpr unsigned kRounds = 100;
  for (unsigned round = 0; round < kRounds; ++round) {
    terminate(start("waits"));
  }
  const std::uint64_t ticks = (__builtin_ia32_rdtsc() - start_tick) / kRounds;
  expect(ask(Request::kFigures).words.mr2 == first, "rounds leave no trace");
  expect(ask(Request::kFigures).words.mr1 == 0, "nothing is charged for them");
  base::FixedText<100> text;
  text << "a child made, run and taken down in " << ticks << " ticks";
  say(text.text());
}

// A chain of realms, each the child of the one before, is one subtree.
void check_depth() {
  const std::uint64_t before = ask(Request::kFigures).words.mr2;
  const Child child = start("nests", abi::kNoShare, 64 << 20);
  expect(await(child) == 7, "levels are made until memory or levels end");
  terminate(child);
  expect(ask(Request::kFigures).words.mr2 == before, "a subtree leaves no trace");
}

// What realm_last_words below does with the leave to say why.
void check_last_words() {
  const std::uint64_t before = ask(Request::kFigures).words.mr2;
  for (const std::string_view name : {"speaks", "mute", "goes-on", "babbles", "overruns-twice"}) {
    const Child child = start(name, abi::kNoShare, 4 << 20);
    expect(await(child) == abi::kEndedByFault, name);
    terminate(child);
  }
  const Child taken = start("mute");
  sleep_ms(50);
  terminate(taken);
  expect(before - ask(Request::kFigures).words.mr2 <= abi::kSmallPage, "all comes back");
}

// One of them fills its stack first.
void check_faults() {
  for (const std::string_view name : {"writes-text", "null", "kernel", "bad-cap", "overruns"}) {
    const Child child = start(name, abi::kNoShare, 4 << 20);
    expect(await(child) == abi::kEndedByFault, name);
    terminate(child);
  }
}

void check_foreign() {
  const Child child = start("meddles");
  expect(await(child) == 0, "a child reaches neither its parent nor itself");
  terminate(child);
  expect(ask(Request::kTerminateRealm, 0).status == Status::kNoSuchRealm, "nor we ourselves");
  expect(create("").status == Status::kBadArgument, "a name is needed");
  expect(create("big", abi::kNoShare, 1ULL << 39).status == Status::kOverLimit, "limits hold");
}

// Figures of time are of the machine that the test runs on, so the bounds are wide; what matters is
// that the shares are in proportion.
void check_shares() {
  const Child third = start("spins", 300'000);
  sleep_ms(100);
  const std::uint64_t from = __builtin_ia32_rdtsc();
  const std::uint64_t used = time_used(third);
  sleep_ms(1000);
  const std::uint64_t spent = time_used(third) - used;
  const std::uint64_t hertz =
      reinterpret_cast<const abi::StartBlock*>(abi::kStartBlockAddress)->tsc_hertz;
  const std::uint64_t passed = (__builtin_ia32_rdtsc() - from) / (hertz / 1'000'000);
  base::FixedText<100> text;
  text << "a share of 300000 used " << spent * abi::kWholeCpu / passed;
  say(text.text());
  expect(ask(Request::kSuspendRealm, third.realm).status == Status::kOk, "a child is suspended");
  const std::uint64_t still = time_used(third);
  sleep_ms(50);
  expect(time_used(third) == still, "and stands still");
  expect(ask(Request::kRunRealm, third.realm).status == Status::kOk, "and goes on");
  terminate(third);
}

volatile std::uint64_t& word_at(abi::Address address) {
  return *reinterpret_cast<volatile std::uint64_t*>(address);
}

// Memory of the own level: written with numbers, so that realms below know whose it is.
Status map_level(abi::Address address, std::uint64_t count, unsigned bits) {
  const Status status = ask(Request::kMapPages, address, count, bits).status;
  for (std::uint64_t at = 0; status == Status::kOk && at < count; ++at) {
    expect(word_at(address + (at << bits)) == 0, "memory of the level is zeroed");
    word_at(address + (at << bits)) = address + (at << bits);
  }
  return status;
}

constexpr std::uint64_t kLevelPages = 20;

void check_level_requests(std::uint64_t level) {
  const abi::Address code = abi::level_code(level).start;
  const abi::AddressRange all = abi::level_memory(level);
  expect(map_level(code, kLevelPages, 12) == Status::kOk, "small pages of the level");
  expect(map_level(abi::level_binaries(level).start, 1, 21) == Status::kOk, "a large page of it");
  expect(map_level(code + abi::kSmallPage, 1, 12) == Status::kBadAddress, "no page twice");
  expect(ask(Request::kUnmapPages, code, kLevelPages, 12).status == Status::kBadAddress,
         "memory of the level stays");
  expect(map_level(all.end() - abi::kSmallPage, 2, 12) == Status::kBadAddress, "its end is kept");
  for (const std::uint64_t other : {level - 1, level + 1, abi::kLevelMax}) {
    expect(map_level(abi::level_code(other).start, 1, 12) == Status::kBadAddress,
           "other levels are not ours");
  }
}

// Of a realm of that level: what is at the places that it has written.
bool reads_level(std::uint64_t level) {
  bool good = word_at(abi::level_binaries(level).start) == abi::level_binaries(level).start;
  for (std::uint64_t at = kLevelPages; at-- > 0;) {
    const abi::Address address = abi::level_code(level).start + at * abi::kSmallPage;
    good = good && word_at(address) == address;
  }
  return good;
}

// A page that the parent takes while its child runs.
constexpr abi::Address kLatePage = abi::level_code(0).start + 0x4000'0000 - abi::kSmallPage;

void check_inheritance() {
  check_level_requests(0);
  const std::uint64_t before = ask(Request::kFigures).words.mr2;
  const Child child = start("inherits", abi::kNoShare, 16 << 20);
  sleep_ms(5);
  expect(map_level(kLatePage, 1, 12) == Status::kOk, "a page more");
  const std::uint64_t page = before - ask(Request::kFigures).words.mr2;
  expect(await(child) == 9, "levels above are read by children and grandchildren");
  (void)ask(Request::kRealmInfo, child.realm);
  expect(abi::ipc_buffer().msg[9] == 0, "which is no fault of theirs");
  terminate(child);
  expect(ask(Request::kFigures).words.mr2 > before - page, "what a child has mapped goes with it");
  for (const std::string_view name :
       {"writes-level", "reads-no-level", "reads-level-gap", "runs-level"}) {
    const Child bad = start(name);
    expect(await(bad) == abi::kEndedByFault, name);
    terminate(bad);
  }
  expect(word_at(abi::level_code(0).start) == abi::level_code(0).start, "nobody has written there");
}

std::uint64_t ticks_per_us() {
  return reinterpret_cast<const abi::StartBlock*>(abi::kStartBlockAddress)->tsc_hertz / 1'000'000;
}

// Parts of the processor, in millionths, that each child used in that time.
void measure(const Child* children, std::uint64_t* parts, unsigned count, std::uint64_t ms) {
  sleep_ms(50);
  const std::uint64_t from = __builtin_ia32_rdtsc();
  for (unsigned at = 0; at < count; ++at) parts[at] = time_used(children[at]);
  sleep_ms(ms);
  for (unsigned at = 0; at < count; ++at) parts[at] = time_used(children[at]) - parts[at];
  const std::uint64_t passed = (__builtin_ia32_rdtsc() - from) / ticks_per_us();
  for (unsigned at = 0; at < count; ++at) parts[at] = parts[at] * abi::kWholeCpu / passed;
}

// Among eight others that spin, realms with a reserve get that, and no more than their share.
void check_reserves() {
  constexpr unsigned kOthers = 8;
  constexpr std::uint64_t kMemory = abi::kLeastRealmMemory;
  Child children[3 + kOthers] = {start("spins", abi::kNoShare, kMemory, 300'000),
                                 start("spins", 250'000, kMemory, 200'000),
                                 start("spins", 50'000, kMemory, 50'000)};
  expect(create("greedy", abi::kNoShare, kMemory, 200'001).status == Status::kNoTime,
         "only what there is can be reserved");
  expect(create("odd", 100'000, kMemory, 200'000).status == Status::kBadArgument,
         "a reserve is a part of the share");
  for (unsigned at = 3; at < 3 + kOthers; ++at) children[at] = start("spins");
  std::uint64_t parts[std::size(children)];
  measure(children, parts, std::size(children), 1000);
  base::FixedText<200> text;
  text << "reserves used";
  for (const std::uint64_t part : parts) text << ' ' << part;
  say(text.text());
  for (const Child& child : children) terminate(child);
  const Child all = start("spins", abi::kNoShare, kMemory, 750'000);
  expect(create("late", abi::kNoShare, kMemory, 10'000).status == Status::kNoTime,
         "all is reserved");
  terminate(all);
}

// Time that a child did not use while it slept is not kept for it.
void check_idle_share() {
  const Child lazy = start("sleeps-then-spins", 300'000);
  sleep_ms(600);
  const std::uint64_t used = time_used(lazy);
  sleep_ms(200);
  base::FixedText<100> text;
  text << "after idling it used " << (time_used(lazy) - used) << " us of 200 ms";
  say(text.text());
  terminate(lazy);
}

// Faults that the manager serves, without end: at a region that is not there.
[[noreturn]] void storm() {
  std::uint64_t word = 0;
  while (true) {
    std::uint64_t count = 1;
    abi::Address from = abi::kRegionRange.start, to = reinterpret_cast<abi::Address>(&word);
    asm volatile("rep movsq" : "+c"(count), "+S"(from), "+D"(to) : : "memory");
  }
}

// What serving them costs others is the budget of that realm's service thread, however many the
// realm may have.
void check_fault_cost() {
  constexpr std::uint64_t kReserve = 600'000, kShare = 900'000;
  constexpr std::string_view kName = "storms";
  std::uint64_t words[7] = {abi::kLeastRealmMemory,
                            abi::kLeastRealmMemory,
                            kReserve,
                            kShare,
                            abi::kMostFaultsPerSecond,
                            kName.size()};
  std::memcpy(words + 6, kName.data(), kName.size());
  const Answer made = ask_words(Request::kCreateRealm, words, 7);
  const Child child{made.status, made.words.mr0, made.words.mr1};
  const Child self{Status::kOk, 0, 0};
  expect(ask(Request::kRunRealm, child.realm).status == Status::kOk, kName);
  sleep_ms(20);
  const std::uint64_t before = time_used(self) + time_used(child);
  const std::uint64_t start = __builtin_ia32_rdtsc(), length = 200'000 * ticks_per_us();
  while (__builtin_ia32_rdtsc() - start < length) asm volatile("pause");
  const std::uint64_t used = time_used(self) + time_used(child) - before;
  const std::uint64_t all = (__builtin_ia32_rdtsc() - start) / ticks_per_us();
  base::FixedText<100> text;
  text << "serving a storm of faults took " << all - used << " us of 200 ms";
  say(text.text());
  terminate(child);
}

// --- A thousand realms ---------------------------------------------------------------------------

constexpr unsigned kGroups = 40;
constexpr unsigned kOfAGroup = 24;
constexpr std::uint64_t kCrowdMemory = 2ULL << 30;
constexpr std::uint64_t kCrowdShare = 100'000;

// All below a realm; how many.
unsigned list_below(std::uint64_t realm, Child* list, unsigned count) {
  std::uint64_t numbers[abi::kChildListMax];
  const Answer answer = ask(Request::kChildRealms, realm, 0);
  const std::uint64_t here = answer.words.mr0;
  numbers[0] = answer.words.mr1;
  numbers[1] = answer.words.mr2;
  numbers[2] = answer.words.mr3;
  for (std::uint64_t at = 3; at < here; ++at) numbers[at] = abi::ipc_buffer().msg[1 + at];
  for (std::uint64_t at = 0; at < here; ++at) {
    if (count == 1 + kGroups * (1 + kOfAGroup)) return count;
    list[count++] = {Status::kOk, numbers[at], 0};
    count = list_below(numbers[at], list, count);
  }
  return count;
}

// A family of a thousand realms that all spin has no more than its share.
void check_crowd() {
  static Child all[1 + kGroups * (1 + kOfAGroup)];
  static std::uint64_t parts[std::size(all)];
  const std::uint64_t before = ask(Request::kFigures).words.mr2;
  all[0] = start("crowds", kCrowdShare, kCrowdMemory);
  if (all[0].status != Status::kOk) return;
  unsigned count = 1;
  for (unsigned round = 0; count < std::size(all) && round < 600; ++round) {
    sleep_ms(100);
    count = list_below(all[0].realm, all, 1);
  }
  expect(count == std::size(all), "a thousand realms");
  measure(all, parts, count, 4000);
  std::uint64_t sum = 0;
  for (const std::uint64_t part : parts) sum += part;
  base::FixedText<100> text;
  text << count << " realms with a share of " << kCrowdShare << " used " << sum;
  say(text.text());
  const std::uint64_t from = __builtin_ia32_rdtsc();
  terminate(all[0]);
  base::FixedText<100> end;
  const std::uint64_t us = (__builtin_ia32_rdtsc() - from) / ticks_per_us();
  end << "and were taken down in " << us << " us";
  say(end.text());
  expect(before - ask(Request::kFigures).words.mr2 <= 4 * abi::kSmallPage, "only page tables stay");
}

std::uint64_t crowd(std::string_view group, unsigned count, std::uint64_t memory) {
  for (unsigned at = 0; at < count; ++at) (void)start(group, abi::kNoShare, memory);
  while (true) asm volatile("");
}

// --- Memory that realms get when they need it ----------------------------------------------------

// Megabytes of pages that this realm can get.
std::uint64_t fill() {
  std::uint64_t got = 0;
  while (ask(Request::kMapPages, abi::kPoolRange.start + (got << 20), 256, 12).status ==
         Status::kOk) {
    ++got;
  }
  return got;
}

abi::Address large_page(std::uint64_t at) {
  return abi::kPoolRange.start + at * abi::kLargePage;
}

// How many it can get.
std::uint64_t fill_large(std::uint64_t got = 0) {
  while (ask(Request::kMapPages, large_page(got), 1, 21).status == Status::kOk) ++got;
  return got;
}

// Gets all that it may have, as large pages, and gives it back; its parent looks meanwhile.
std::uint64_t swell() {
  for (int round = 0; round < 2; ++round) {
    const std::uint64_t got = fill_large();
    if (got < 8) return 1;
    sleep_ms(40);
    const std::uint64_t full = ask(Request::kFigures).words.mr2;
    for (std::uint64_t at = 0; at < got; ++at) {
      if (ask(Request::kUnmapPages, large_page(at), 1, 21).status != Status::kOk) return 2;
    }
    sleep_ms(40);
    // Asked ahead, it comes, and stays until the realm says that it does not need it.
    if (ask(Request::kRequestMemory, 12 << 20).status != Status::kOk) return 3;
    (void)ask(Request::kMapPages, large_page(512), 1, 12);
    (void)ask(Request::kUnmapPages, large_page(512), 1, 12);
    if (ask(Request::kFigures).words.mr2 < 11 << 20) return 4;
    if (ask(Request::kRequestMemory, 0).status != Status::kOk) return 5;
    if (ask(Request::kFigures).words.mr2 > full + (5 << 20)) return 6;
  }
  sleep_ms(40);
  return 0;
}

// Asks ahead for what it does not use, and lets it go when its parent has no memory left.
std::uint64_t hoard() {
  if (ask(Request::kRequestMemory, 12 << 20).status != Status::kOk) return 1;
  while ((abi::wait(abi::kRealmSlotNotification).badge & abi::kSignalMemory) == 0) {
  }
  return ask(Request::kRequestMemory, 0).status == Status::kOk ? 0 : 2;
}

// Has a child that hoards; how many large pages it gets nevertheless.
std::uint64_t squeeze() {
  constexpr std::uint64_t kMb = 1 << 20;
  const Child child = create("hoards", abi::kNoShare, 2 * kMb, 0, 16 * kMb);
  const std::uint64_t before = ask(Request::kFigures).words.mr1;
  (void)ask(Request::kRunRealm, child.realm);
  while (ask(Request::kFigures).words.mr1 < before + 12 * kMb) sleep_ms(2);
  std::uint64_t got = fill_large();
  // On a busy machine the child may be late, and it is asked again after a second.
  for (int again = 0; got < 11 && again < 5; ++again) {
    sleep_ms(1'100);
    got = fill_large(got);
  }
  if (await(child) != 0) return 0;
  terminate(child);
  return got;
}

Child start_growing(std::string_view name, std::uint64_t from, std::uint64_t to) {
  const Child child = create(name, abi::kNoShare, from, 0, to);
  expect(child.status == Status::kOk, name);
  expect(ask(Request::kRunRealm, child.realm).status == Status::kOk, "a child runs");
  return child;
}

// From what is set aside for it a realm grows up to what it may have; what its parent has is less
// by exactly that, and as before when it is gone.
void check_growth() {
  constexpr std::uint64_t kMb = 1 << 20;
  const auto before = ask(Request::kFigures).words;
  const Child child = start_growing("fills", 2 * kMb, 13 * kMb);
  const std::uint64_t charged = ask(Request::kFigures).words.mr1;
  const std::uint64_t got = await(child);
  expect(got >= 11 && got <= 13, "it gets what it may have");
  // Pieces are of a megabyte at least.
  expect(ask(Request::kFigures).words.mr1 - charged == 11 * kMb, "the parent is charged for it");
  terminate(child);
  expect(ask(Request::kFigures).words.mr1 == before.mr1, "and no longer");
  const std::uint64_t after = ask(Request::kFigures).words.mr2;
  expect(before.mr2 - after <= 4 * abi::kSmallPage, "only page tables stay");
  // A grandchild grows out of what its parent has, which grows for that. What is set aside for
  // one is there although its brother takes all there is.
  const Child above = start_growing("raises", 4 * kMb, 32 * kMb);
  expect(await(above) == 0, "a grandchild grows, and another one has what was set aside");
  terminate(above);
  expect(ask(Request::kFigures).words.mr2 == after, "nothing is lost");
  // What a realm has grown by comes back when it gives its pages back.
  const Child swells = start_growing("swells", 2 * kMb, 32 * kMb);
  const std::uint64_t small = ask(Request::kFigures).words.mr1;
  std::uint64_t most = 0, least = ~std::uint64_t{0};
  for (int look = 0; look < 30; ++look) {
    sleep_ms(4);
    const std::uint64_t now = ask(Request::kFigures).words.mr1;
    if (now < most) least = std::min(least, now);
    most = std::max(most, now);
  }
  expect(most >= small + 16 * kMb, "the parent is charged for what a child grows by");
  expect(least <= small + 4 * kMb, "and not for what it gave back");
  expect(await(swells) == 0, "a realm grows and shrinks");
  terminate(swells);
  expect(ask(Request::kFigures).words.mr2 == after, "nothing is lost by that");
  const Child squeezes = start_growing("squeezes", 32 * kMb, 32 * kMb);
  const std::uint64_t squeezed = await(squeezes);
  expect(squeezed >= 11 && squeezed <= 15, "who has no memory left gets what children only keep");
  terminate(squeezes);
  // Taken down while it grows.
  for (unsigned us = 0; us < 3000; us += 61) {
    const Child late = start_growing("raises", 4 * kMb, 64 * kMb);
    const std::uint64_t end = __builtin_ia32_rdtsc() + us * ticks_per_us();
    while (__builtin_ia32_rdtsc() < end) asm volatile("pause");
    terminate(late);
  }
  expect(ask(Request::kFigures).words.mr2 == after, "nothing is lost at any moment");
  expect(ask(Request::kFigures).words.mr1 == before.mr1, "and nothing charged");
}

std::uint64_t raise() {
  constexpr std::uint64_t kMb = 1 << 20;
  const Child sure = create("fills", abi::kNoShare, 8 * kMb);
  const Child greedy = start_growing("fills", 2 * kMb, 1024 * kMb);
  const std::uint64_t got = await(greedy);
  expect(got >= 20 && got <= 24, "a grandchild gets what its parent has, and no more");
  expect(ask(Request::kRunRealm, sure.realm).status == Status::kOk, "a child runs");
  expect(await(sure) >= 6, "what was set aside is there");
  return failures;
}

// --- Memory adds up ------------------------------------------------------------------------------

// Takes and gives back pages, children and memory asked for ahead, in an order of its own. What the
// realm has been granted is empty, in use, or a table of the manager's for it, byte by byte.
class Wanderer {
 public:
  explicit Wanderer(std::uint64_t seed) : random_(seed) {}

  // With all that it ever has at a time, so that later its page tables and slots are there.
  void begin() {
    for (std::size_t place = 0; place < kPlaces; ++place) toggle(place, place < kLarge ? kMost : 1);
    for (Kid& kid : kids_) toggle(kid);
    const std::uint64_t held = used_;
    expect(held >= 5 * abi::kLargePage && kids_[kKids - 1].cost != 0, "a wanderer gets memory");
    tables_ = tables();
    end();
    expect(tables() == tables_, "and what is for its tables stays as it is");
  }
  void step() {
    const std::uint64_t choice = next() % 16;
    if (choice < 9) {
      toggle(next() % kPlaces, 1 + next() % kMost);
    } else if (choice < 13) {
      toggle(kids_[next() % kKids]);
    } else {
      (void)ask(Request::kRequestMemory, choice == 13 ? 0 : next() % (4 << 20));
    }
    look();
  }
  void end() {
    for (std::size_t place = 0; place < kPlaces; ++place) {
      if (pages_[place] != 0) toggle(place, 0);
    }
    for (Kid& kid : kids_) {
      if (kid.cost != 0) toggle(kid);
    }
    (void)ask(Request::kRequestMemory, 0);
    look();
    expect(used_ == 0, "all has been given back");
  }

 private:
  static constexpr std::size_t kLarge = 20, kPlaces = 24, kKids = 3;  // places from kLarge on
  static constexpr std::uint64_t kMost = 32;                          // pages at a small one
  static constexpr std::uint64_t kNode = 32 << 10;                    // a further one of slots

  struct Kid {
    Child child;
    std::uint64_t cost;
  };

  std::uint64_t next() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    return random_ ^= random_ << 17;
  }
  // Gives back what is there, or takes so many pages. All or nothing.
  void toggle(std::size_t place, std::uint64_t pages) {
    const bool large = place >= kLarge;
    const abi::Address address =
        abi::kPoolRange.start + (large ? place * abi::kLargePage : place * kMost * abi::kSmallPage);
    const std::uint64_t bits = large ? 21 : 12;
    std::uint64_t& there = pages_[place];
    if (there != 0) {
      expect(ask(Request::kUnmapPages, address, there, bits).status == Status::kOk, "pages go");
      used_ -= there << bits;
      there = 0;
    } else if (pages = large ? 1 : pages;
               ask(Request::kMapPages, address, pages, bits).status == Status::kOk) {
      expect(*reinterpret_cast<std::uint64_t*>(address + (pages << bits) - 8) == 0, "zeroed");
      *reinterpret_cast<std::uint64_t*>(address + (pages << bits) - 8) = ~std::uint64_t{0};
      there = pages;
      used_ += pages << bits;
    }
  }
  void toggle(Kid& kid) {
    if (kid.cost != 0) {
      terminate(kid.child);
      used_ -= kid.cost;
      kid.cost = 0;
    } else if (kid.child = create("waits"); kid.child.status == Status::kOk) {
      if (next() % 2 == 0) (void)ask(Request::kRunRealm, kid.child.realm);
      (void)ask(Request::kRealmInfo, kid.child.realm);
      kid.cost = abi::ipc_buffer().msg[kGrantedWord];
      used_ += kid.cost;
    }
  }
  // What is neither empty nor in use.
  static std::uint64_t tables() {
    const std::uint64_t used = ask(Request::kFigures).words.mr1;
    const auto* block = reinterpret_cast<const abi::StartBlock*>(abi::kStartBlockAddress);
    (void)ask(Request::kRealmInfo, block->realm);
    return abi::ipc_buffer().msg[kGrantedWord] - abi::ipc_buffer().msg[kGrantedWord + 1] - used;
  }
  void look() {
    expect(ask(Request::kFigures).words.mr1 == used_, "what is in use adds up");
    const std::uint64_t more = tables() - tables_;
    expect(tables_ == 0 || (more % kNode == 0 && more <= 2 * kNode), "all of it adds up");
  }

  static constexpr std::size_t kGrantedWord = 10;

  std::uint64_t random_;
  std::uint64_t pages_[kPlaces] = {};
  Kid kids_[kKids] = {};
  std::uint64_t used_ = 0;
  std::uint64_t tables_ = 0;
};

std::uint64_t wander(std::uint64_t seed, unsigned steps) {
  Wanderer wanderer(seed);
  wanderer.begin();
  for (unsigned at = 0; at < steps && failures == 0; ++at) wanderer.step();
  wanderer.end();
  return failures;
}

// The same seen from above: what is empty and what children have been given is always all of it.
void check_sums() {
  constexpr std::uint64_t kMb = 1 << 20;
  const auto whole = [] {
    const auto figures = ask(Request::kFigures).words;
    return figures.mr1 + figures.mr2;
  };
  const std::uint64_t given = ask(Request::kFigures).words.mr1;
  const std::uint64_t before = whole();
  const Child wanders = start_growing("wanders", 2 * kMb, 24 * kMb);
  for (unsigned round = 0; round < 4; ++round) {
    const Child other = start_growing("wanders-on", 2 * kMb, 48 * kMb);
    for (int look = 0; look < 12; ++look) {
      sleep_ms(3);
      expect(whole() == before, "what is empty and what is given adds up");
    }
    terminate(other);
    expect(whole() == before, "and does when one is taken down at any moment");
  }
  expect(await(wanders) == 0, "it adds up below, too");
  terminate(wanders);
  expect(ask(Request::kFigures).words.mr1 == given && whole() == before, "and in the end");
}

void check_children() {
  check_life();
  check_depth();
  check_faults();
  check_last_words();
  check_foreign();
  check_shares();
  check_inheritance();
  check_idle_share();
  check_fault_cost();
  check_reserves();
  check_growth();
  check_sums();
}

// Not a tail call, and a frame that touches every page on the way down.
[[gnu::noinline]] int overrun(int depth) {
  volatile char frame[2048];
  frame[0] = static_cast<char>(depth);
  return depth == -1 ? 0 : overrun(depth + 1) + frame[0];
}

std::uint64_t nest() {
  const std::uint64_t half = std::bit_floor(ask(Request::kFigures).words.mr0) / 2;
  const Child child = create("nests", abi::kNoShare, std::max(half, abi::kLeastRealmMemory));
  if (child.status != Status::kOk) {
    return child.status == Status::kOverLimit || child.status == Status::kTooMany ||
                   child.status == Status::kOutOfMemory
               ? 7
               : 1;
  }
  (void)ask(Request::kRunRealm, child.realm);
  return await(child);
}

std::uint64_t meddle() {
  const auto& block = *reinterpret_cast<const abi::StartBlock*>(abi::kStartBlockAddress);
  for (const std::uint64_t realm : {std::uint64_t{block.parent}, std::uint64_t{block.realm},
                                    std::uint64_t{block.realm} + 1, ~std::uint64_t{0}}) {
    for (const Request request :
         {Request::kTerminateRealm, Request::kRunRealm, Request::kSuspendRealm}) {
      expect(ask(request, realm).status == Status::kNoSuchRealm, "a child commands nobody");
    }
  }
  expect(ask(Request::kRealmInfo, block.parent).status == Status::kNoSuchRealm, "nor asks above");
  return failures;
}

// --- A manager with bugs (breaks.cpp)
// -------------------------------------------------------------

constexpr std::uint64_t kBreakingMemory = 8 << 20;

// The service thread of a child faults: that child is ended, with what is below it, and nothing is
// lost. The last fault is while the thread holds a lock.
void check_broken_service() {
  terminate(start("exits"));
  const Child bystander = start("waits");
  const std::uint64_t before = ask(Request::kFigures).words.mr2;
  for (const std::string_view how : {"breaks", "breaks-making"}) {
    const Child child = start(how, abi::kNoShare, kBreakingMemory);
    expect(await(child) == abi::kEndedByFault, "who has lost its service is ended");
    const Answer below = ask(Request::kChildRealms, child.realm, 0);
    expect(below.words.mr0 >= 1, "it has a child");
    std::uint64_t used[2];
    for (std::uint64_t& us : used) {
      const Child spins{below.status, below.words.mr1, 0};
      us = time_used(spins);
      sleep_ms(5);
    }
    expect(used[0] == used[1], "what is below it stands still");
    terminate(child);
    const std::uint64_t after = ask(Request::kFigures).words.mr2;
    expect(before - after <= 4 * abi::kSmallPage, "all comes back but page tables");
  }
  expect(ask(Request::kRealmInfo, bystander.realm).words.mr1 ==
             static_cast<std::uint64_t>(abi::RealmState::kRunning),
         "another one goes on");
  terminate(bystander);
  say(failures == 0 ? "broken services passed" : "broken services FAILED");
  (void)start("breaks-locked");
  while (true) asm volatile("");
}

std::uint64_t lose_service() {
  (void)start("spins");
  say("soon");
  (void)create("never");
  return 1;
}

// The one in the middle waits for what its parent takes later; the last one sees both levels.
std::uint64_t inherit() {
  check_level_requests(1);
  expect(reads_level(0), "what the parent has written");
  sleep_ms(20);
  expect(word_at(kLatePage) == kLatePage, "also later");
  const Child child = start("inherits-more");
  expect(await(child) == 9, "a grandchild reads both levels");
  terminate(child);
  return failures == 0 ? 9 : 1;
}

std::uint64_t behave(std::string_view what) {
  if (what == "exits") return 42;
  if (what == "breaks" || what == "breaks-making") return lose_service();
  if (what == "breaks-locked") {
    say("soon");
    (void)ask(Request::kRealmInfo, 0);
  }
  if (what == "fills") return fill();
  if (what == "storms") storm();
  if (what == "swells") return swell();
  if (what == "wanders") return wander(0x9e37'79b9'7f4a'7c15, 200);
  if (what == "wanders-on") return wander(__builtin_ia32_rdtsc() | 1, ~0U);
  if (what == "hoards") return hoard();
  if (what == "squeezes") return squeeze();
  if (what == "raises") return raise();
  if (what == "crowds") return crowd("group", kGroups, 32 << 20);
  if (what == "group") return crowd("spins", kOfAGroup, abi::kLeastRealmMemory);
  if (what == "inherits") return inherit();
  if (what == "inherits-more") return reads_level(1) && reads_level(0) ? 9 : 1;
  if (what == "writes-level") word_at(abi::level_code(0).start) = 1;
  if (what == "reads-no-level") return word_at(abi::level_code(0).start + (1 << 29));
  if (what == "reads-level-gap") return word_at(abi::level_memory(0).end());
  if (what == "runs-level") {
    abi::Address code = abi::level_code(0).start;
    asm volatile("call *%0" : "+r"(code) : : "memory");
  }
  if (what == "nests") return nest();
  if (what == "meddles") return meddle();
  if (what == "null") return *reinterpret_cast<volatile unsigned char*>(8);
  if (what == "kernel") return *reinterpret_cast<volatile unsigned char*>(~std::uint64_t{0} << 40);
  if (what == "writes-text") *reinterpret_cast<volatile unsigned char*>(0x40'0000) = 0x90;
  if (what == "bad-cap") (void)abi::wait(9);
  if (what == "speaks" || what == "mute" || what == "goes-on" || what == "babbles") {
    asm volatile("ud2");
  }
  if (what == "overruns" || what == "overruns-twice") return static_cast<std::uint64_t>(overrun(0));
  if (what == "sleeps-then-spins") sleep_ms(600);
  if (what == "spins" || what == "sleeps-then-spins") {
    while (true) asm volatile("");
  }
  while (true) (void)abi::wait(abi::kRealmSlotNotification);
}

}  // namespace

void abort() noexcept {
  __builtin_trap();
}

// A realm that has faulted is let go on here, once. By its name it says why, or tries to live on.
extern "C" [[noreturn, gnu::section(".text.start"), gnu::used, gnu::retain]] void
realm_last_words() {
  const std::string_view name =
      reinterpret_cast<const abi::StartBlock*>(abi::kStartBlockAddress)->name;
  if (name == "speaks") {
    constexpr std::string_view kText = "a word\x1b[2J, and another";
    std::uint64_t words[2 + (kText.size() + 7) / 8] = {0, kText.size()};
    std::memcpy(words + 2, kText.data(), kText.size());
    (void)ask_words(Request::kExit, words, std::size(words));
  }
  if (name == "mute") {
    while (true) asm volatile("");
  }
  if (name == "goes-on") say("a realm that has faulted goes on");
  if (name == "babbles") {
    (void)ask(Request::kExit, 1, abi::kEndTextMax + 1, 0);
    say("a realm that has faulted goes on");
  }
  if (name == "overruns-twice") (void)overrun(0);
  abort();
}

extern "C" [[noreturn, gnu::section(".text.start")]] void _start(const abi::StartBlock* block) {
  expect(block->magic == abi::kStartMagic, "the start block is there");
  abi::adopt_kernel_labels(block->iommu_labels != 0);
  if (block->depth != 0) {
    (void)ask(Request::kExit, behave(block->name));
  }
  const std::string_view archive(reinterpret_cast<const char*>(block->archive_address),
                                 block->archive_size);
  const auto opened = base::UstarArchive::open(base::as_bytes(archive));
  expect(opened.has_value() && opened->find("vm.elf").has_value(), "the archive is mapped");
  if (opened->find("breaks")) {
    check_broken_service();
  } else if (ask(Request::kFigures).words.mr2 > kCrowdMemory) {
    check_crowd();
  } else {
    check_memory();
    check_request_cost(1);
    check_request_cost(16);
    say("requests done");
    check_exhaustion();
    check_deadlines(block->tsc_hertz);
    check_children();
  }
  say("unprintable \x1b[2J bytes");
  base::FixedText<100> text;
  text << (failures == 0 ? "probe passed" : "probe FAILED");
  say(text.text());
  (void)overrun(0);
  abort();
}
