// SPDX-License-Identifier: BSD-2-Clause
// Stands in for the VM: asks the manager for everything that a realm can ask for, rightly and
// wrongly, and says on the log how it went. At last it overruns its stack.
#include <cstddef>
#include <cstring>

#include "abi/lona/protocol.hpp"
#include "abi/lona/realm_start.hpp"
#include "abi/sel4/objects.hpp"
#include "base/format.hpp"
#include "base/ustar.hpp"

namespace lona::abi {
IpcBuffer& ipc_buffer() {
  return *reinterpret_cast<IpcBuffer*>(worker_ipc_buffer(0));
}
}  // namespace lona::abi

namespace {

using namespace lona;
using abi::Request;
using abi::Status;

struct Answer {
  Status status;
  abi::MessageWords words;
};

Answer ask_words(Request request, const std::uint64_t* words, unsigned count) {
  abi::MessageWords first;
  std::uint64_t* const registers[] = {&first.mr0, &first.mr1, &first.mr2, &first.mr3};
  for (unsigned at = 0; at < count; ++at) {
    (at < 4 ? *registers[at] : abi::ipc_buffer().msg[at]) = words[at];
  }
  const auto message =
      abi::call(abi::kRealmSlotManager,
                abi::MessageInfo(static_cast<std::uint64_t>(request), 0, 0, count), first);
  return {static_cast<Status>(message.info.label()), message.words};
}

template <typename... Words>
Answer ask(Request request, Words... words) {
  const std::uint64_t list[] = {static_cast<std::uint64_t>(words)..., 0};
  return ask_words(request, list, sizeof...(words));
}

void say(std::string_view text) {
  std::uint64_t words[1 + abi::kLogMax / 8] = {text.size()};
  std::memcpy(words + 1, text.data(), text.size());
  (void)ask_words(Request::kLog, words, static_cast<unsigned>(1 + (text.size() + 7) / 8));
}

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

// Not a tail call, and a frame that touches every page on the way down.
[[gnu::noinline]] int overrun(int depth) {
  volatile char frame[2048];
  frame[0] = static_cast<char>(depth);
  return depth == -1 ? 0 : overrun(depth + 1) + frame[0];
}

}  // namespace

extern "C" [[noreturn]] void abort() {
  __builtin_trap();
}

extern "C" [[noreturn, gnu::section(".text.start")]] void _start(const abi::StartBlock* block) {
  expect(block->magic == abi::kStartMagic, "the start block is there");
  const std::string_view archive(reinterpret_cast<const char*>(block->archive_address),
                                 block->archive_size);
  const auto opened = base::UstarArchive::open(base::as_bytes(archive));
  expect(opened.has_value() && opened->find("vm.elf").has_value(), "the archive is mapped");
  check_memory();
  check_exhaustion();
  check_deadlines(block->tsc_hertz);
  say("unprintable \x1b[2J bytes");
  base::FixedText<100> text;
  text << (failures == 0 ? "probe passed" : "probe FAILED");
  say(text.text());
  (void)overrun(0);
  abort();
}
