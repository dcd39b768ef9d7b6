// SPDX-License-Identifier: BSD-2-Clause
// Stands in for the VM. Whatever the manager can be asked for that makes something: each of the
// kernel calls for it is refused once, and then it must be as if nobody had asked. And a realm that
// makes another one is ended at each of these calls.
#include <cstdlib>

#include "systems/attack/realm.hpp"
#include "tests/manager/refusing_kernel.hpp"

namespace {

using namespace lona;
using namespace attack;

constexpr abi::Address kPool = abi::kPoolRange.start;
constexpr std::uint64_t kMostCalls = 4000;
constexpr std::uint64_t kSmallRealm = 2 << 20;

unsigned failures = 0;

template <typename... Parts>
void tell(const Parts&... parts) {
  base::FixedText<200> text;
  (text << ... << parts);
  say(text.text());
}

template <typename... Parts>
void expect(bool good, const Parts&... parts) {
  if (good) return;
  ++failures;
  if (failures < 20) tell("FAILED: ", parts...);
}

struct Figures {
  std::uint64_t mapped;
  std::uint64_t free;

  bool operator==(const Figures&) const = default;
};
Figures figures() {
  const Answer answer = ask(Request::kFigures);
  return {answer.words.mr1, answer.words.mr2};
}
bool plan(std::uint64_t what, std::uint64_t calls) {
  return ask(static_cast<Request>(what), calls).status == Status::kOk;
}
// True when there were as many calls as planned.
bool is_over() {
  return ask(static_cast<Request>(kOverRequest)).status == Status::kOk;
}

// `make` answers a status; `unmake` takes back what it has made.
template <typename Make, typename Unmake>
void refuse_each(std::string_view what, Make&& make, Unmake&& unmake) {
  // What stays from the first time on: page tables, CNodes.
  for (unsigned round = 0; round < 2; ++round) {
    expect(make() == Status::kOk, what, " cannot be made");
    unmake();
  }
  Figures before = figures();
  std::uint64_t calls = 1, refused = 0;
  for (bool came = true; came && calls < kMostCalls; ++calls) {
    (void)plan(kRefuseRequest, calls);
    const Status status = make();
    came = is_over();
    if (status == Status::kOk) {
      unmake();
    } else {
      ++refused;
    }
    expect(came || status == Status::kOk, what, ": ", calls, " failed without a reason");
    const Figures after = figures();
    expect(after == before, what, ": ", before.free, " bytes were free, now ", after.free, "; ",
           before.mapped, " were counted, now ", after.mapped, "; refused: call ", calls);
    before = after;
  }
  tell(what, ": ", calls - 2, " kernel calls, each refused once; ", refused, " times in vain");
  expect(refused > 0, what, " makes nothing");
}

void refuse_all() {
  Child made{};
  const auto end = [&] { (void)ask(Request::kTerminateRealm, made.realm); };
  refuse_each("a realm", [&] { return (made = make("a", kSmallRealm)).status; }, end);
  refuse_each(
      "a realm with time", [&] { return (made = make("a", kSmallRealm, 200'000, 10'000)).status; },
      end);
  refuse_each(
      "pages", [] { return ask(Request::kMapPages, kPool, 37, 12).status; },
      [] { (void)ask(Request::kUnmapPages, kPool, 37, 12); });
  refuse_each(
      "large pages", [] { return ask(Request::kMapPages, kPool + (1 << 30), 3, 21).status; },
      [] { (void)ask(Request::kUnmapPages, kPool + (1 << 30), 3, 21); });
  Answer region{};
  const auto release = [&] { (void)ask(Request::kReleaseRegion, region.words.mr1); };
  const auto make_region = [&](std::uint64_t bytes) {
    region = ask(Request::kMakeRegion, bytes, 1, 'r');
    return region.status;
  };
  refuse_each("a shared region", [&] { return make_region(60'000); }, release);
  refuse_each("a large shared region", [&] { return make_region(4 << 20); }, release);
  const Child one = make("one", kSmallRealm), other = make("other", kSmallRealm);
  for (const std::uint64_t bytes : {60'000, 4 << 20}) {
    (void)make_region(bytes);
    refuse_each(
        "a share",
        [&] { return ask(Request::kShareRegion, region.words.mr1, one.realm, 1).status; },
        [&] { (void)ask(Request::kUnshareRegion, region.words.mr1, one.realm); });
    release();
  }
  refuse_each(
      "a channel", [&] { return ask(Request::kConnectRealms, one.realm, other.realm).status; },
      [&] { (void)ask(Request::kDisconnectRealms, one.realm, other.realm); });
  (void)ask(Request::kTerminateRealm, one.realm);
  (void)ask(Request::kTerminateRealm, other.realm);
  for (const auto [type, bits] : {std::pair{abi::ObjectType::kEndpoint, 0},
                                  {abi::ObjectType::kTcb, 0},
                                  {abi::ObjectType::kCNode, 9},
                                  {abi::ObjectType::kUntyped, 13},
                                  {abi::ObjectType::kPml4, 0}}) {
    refuse_each(
        "an object", [&] { return ask(Request::kMakeObject, type, bits, 0).status; },
        [] { (void)ask(Request::kFreeObject, 0); });
  }
  (void)ask(Request::kMakeObject, abi::ObjectType::kEndpoint, 0, 1);
  const std::uint64_t offer = ask(Request::kOfferCapability, 1, 0, 3, 0).words.mr0;
  refuse_each(
      "a capability", [&] { return ask(Request::kTakeCapability, 0, offer, 1, 2).status; },
      [] { (void)ask(Request::kFreeObject, 2); });
  (void)ask(Request::kFreeObject, 1);
}

// What cannot be taken back: until it has been made.
void refuse_helpers() {
  Figures before = figures();
  std::uint64_t calls = 1;
  for (Status status = Status::kOutOfMemory; status != Status::kOk && calls < kMostCalls; ++calls) {
    (void)plan(kRefuseRequest, calls);
    status = ask(Request::kMakeHelper, 0).status;
    expect(is_over() || status == Status::kOk, "a helper fails without a reason");
    const Figures after = figures();
    // The first one that is asked for has page tables made.
    expect(status == Status::kOk || after.mapped == before.mapped, "a helper is counted");
    before = after;
  }
  tell("a helper: ", calls - 2, " kernel calls, each refused once");
}

// --- The end of who makes a realm ----------------------------------------------------------------

volatile std::uint64_t* words_in(abi::Address channel) {
  return reinterpret_cast<volatile std::uint64_t*>(channel);
}
enum : std::uint64_t { kCalls, kBegins, kResult };
enum : std::uint64_t { kCame = 1, kCameNot = 2 };

// A child, which makes a child of its own and is late with one of the calls for that.
void make_late() {
  auto* words = words_in(abi::kParentChannel);
  while (words[kCalls] == 0) abi::yield();
  (void)plan(kStallRequest, words[kCalls]);
  words[kBegins] = 1;
  (void)make("a", abi::kLeastRealmMemory);
  words[kResult] = is_over() ? kCame : kCameNot;
  while (true) (void)abi::wait(abi::kRealmSlotNotification);
}

void end_at_each_call() {
  std::uint64_t calls = 1, at_work = 0;
  for (std::uint64_t result = 0; result != kCameNot && calls < kMostCalls; ++calls) {
    const Figures before = figures();
    const Child child = start("maker", 4 << 20);
    auto* words = words_in(abi::child_channel(child.number));
    words[kCalls] = calls;
    while (words[kBegins] == 0) sleep_until(tick() + ticks_of_ms(1));
    sleep_until(tick() + ticks_of_ms(8));
    result = words[kResult];
    at_work += result == 0 ? 1 : 0;
    expect(ask(Request::kTerminateRealm, child.realm).status == Status::kOk, "it does not end");
    const Figures after = figures();
    expect(after == before || calls == 1, "ended at call ", calls, ": ", before.free,
           " bytes were free, now ", after.free);
  }
  tell("who makes a realm was ended at each of ", calls - 2, " kernel calls for it, ", at_work,
       " times while they were made");
  expect(at_work + 2 >= calls - 2, "the end came too late");
}

// --- A realm that grows --------------------------------------------------------------------------

constexpr std::uint64_t kGrownPages = 256;

// A child that may have more than it begins with. What it grows by is its parent's.
void grow_in_vain() {
  auto* words = words_in(abi::kParentChannel);
  std::uint64_t calls = 1, refused = 0;
  for (bool came = true; came && calls < kMostCalls; ++calls) {
    (void)plan(kRefuseRequest, calls);
    const Status status = ask(Request::kMapPages, kPool, kGrownPages, 12).status;
    came = is_over();
    refused += status == Status::kOk ? 0 : 1;
    expect(came || status == Status::kOk, "growth failed without a reason");
    (void)ask(Request::kUnmapPages, kPool, kGrownPages, 12);
  }
  expect(figures().mapped == 0, "pages that were refused are counted");
  words[kCalls] = calls - 2;
  words[kBegins] = refused;
  words[kResult] = failures == 0 ? kCame : kCameNot;
  while (true) (void)abi::wait(abi::kRealmSlotNotification);
}

void refuse_growth() {
  const Figures before = figures();
  std::uint64_t request[] = {abi::kLeastRealmMemory, 16 << 20, 0, abi::kNoShare, 0, 6, 0};
  std::memcpy(request + 6, "grower", 6);
  const Answer made = ask_words(Request::kCreateRealm, request, 7);
  const auto* words = words_in(abi::child_channel(made.words.mr1));
  (void)ask(Request::kRunRealm, made.words.mr0);
  while (words[kResult] == 0) sleep_until(tick() + ticks_of_ms(5));
  tell("growth: ", words[kCalls], " kernel calls, each refused once; ", words[kBegins],
       " times in vain");
  expect(words[kResult] == kCame, "growth went wrong");
  (void)ask(Request::kTerminateRealm, made.words.mr0);
  const Figures after = figures();
  expect(after == before, "growth: ", before.free, " bytes were free, now ", after.free);
}

void stay_exact() {
  refuse_all();
  refuse_growth();
  end_at_each_call();
  refuse_helpers();
  tell(failures == 0 ? "refusals passed" : "refusals FAILED");
}

}  // namespace

void abort() noexcept {
  __builtin_trap();
}

extern "C" [[noreturn, gnu::section(".text.start")]] void _start(const lona::abi::StartBlock* block,
                                                                 std::uint64_t thread) {
  while (thread >= lona::abi::kFirstHelper) asm volatile("");
  abi::adopt_kernel_labels(block->iommu_labels != 0);
  const std::string_view name = block->name;
  if (block->depth == 0) {
    stay_exact();
  } else if (name == "maker") {
    make_late();
  } else if (name == "grower") {
    grow_in_vain();
  }
  (void)ask(Request::kExit, 0);
  abort();
}
