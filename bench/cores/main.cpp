// SPDX-License-Identifier: BSD-2-Clause
// What does it cost when a partner runs on another core, and what do pairs that have nothing to do
// with each other lose when they run at once? Prints `name<TAB>ticks of the time-stamp counter`.
//
// A row is the shortest of many batches: whatever else the host does only makes one longer. Under
// QEMU's `-icount shift=0` a tick is an instruction, of any core that is not halted; time of pairs
// that run at once means something only where each core has a processor of the host.
#include <algorithm>
#include <array>
#include <atomic>

#include "tests/kernel/harness.hpp"

namespace lona::test {

void check(bool condition, const char* text, const char* file, int line) {
  if (condition) return;
  print_failure(text, file, line);
  print("\r\n");
}

}  // namespace lona::test

namespace lona::bench {

namespace {

using abi::CPtr;
using abi::Word;
using test::make;
using test::Thread;

constexpr unsigned kBatches = 2048;
constexpr Word kTripsPerBatch = 8;
constexpr Word kLongestRowMs = 2000;  // a busy host may need minutes for all batches

CPtr done = 0;

[[noreturn]] void finish() {
  abi::signal(done);
  test::park();
}

// --- Pairs ---------------------------------------------------------------------------------------

struct Pair {
  CPtr endpoint = 0, reply = 0, ping = 0, pong = 0;
  // When each batch began; one more for the end of the last.
  std::array<Word, kBatches + 1> begin{};
  unsigned batches = 0;
  std::atomic<bool> ended{false};
  Pair* beside = nullptr;  // goes on until that one has made all its batches, too
};
std::array<Pair, 2> pairs;

template <typename Trip>
void make_batches(Pair& pair, Trip&& trip) {
  pair.batches = 0;
  pair.begin[0] = test::read_tsc();
  const Word end = pair.begin[0] + kLongestRowMs * test::ticks_per_ms();
  while (pair.batches < kBatches && pair.begin[pair.batches] < end) {
    for (Word i = 0; i < kTripsPerBatch; ++i) trip();
    pair.begin[++pair.batches] = test::read_tsc();
  }
  pair.ended = true;
  while (pair.beside != nullptr && !pair.beside->ended) trip();
  finish();
}

void calling(Word which) {
  Pair& pair = pairs[which];
  make_batches(pair, [&pair] { (void)abi::call(pair.endpoint, {}); });
}

void answering(Word which) {
  const Pair& pair = pairs[which];
  (void)abi::recv(pair.endpoint, pair.reply);
  for (;;) (void)abi::reply_recv(pair.endpoint, {}, {}, pair.reply);
}

void pinging(Word which) {
  Pair& pair = pairs[which];
  make_batches(pair, [&pair] {
    abi::signal(pair.ping);
    (void)abi::wait(pair.pong);
  });
}

void ponging(Word which) {
  const Pair& pair = pairs[which];
  for (;;) {
    (void)abi::wait(pair.ping);
    abi::signal(pair.pong);
  }
}

Word shortest(const Pair& pair) {
  Word best = ~Word{0};
  for (unsigned i = 0; i < pair.batches; ++i) {
    best = std::min(best, pair.begin[i + 1] - pair.begin[i]);
  }
  return best;
}

// The same for both at once: the mean of two batches of which one began while the other ran.
Word shortest_at_once(const Pair& a, const Pair& b) {
  Word best = ~Word{0};
  for (unsigned i = 0, j = 0; i < a.batches; ++i) {
    while (j < b.batches && b.begin[j + 1] <= a.begin[i]) ++j;
    if (j == b.batches) break;
    if (b.begin[j] > a.begin[i]) continue;
    best = std::min(best, (a.begin[i + 1] - a.begin[i] + b.begin[j + 1] - b.begin[j]) / 2);
  }
  return best;
}

// --- Rows ----------------------------------------------------------------------------------------

void print_row(std::string_view name, Word ticks_per_batch) {
  test::print(name);
  test::print("\t");
  test::print_number((ticks_per_batch + kTripsPerBatch / 2) / kTripsPerBatch);
  test::print("\r\n");
}

void make_pair(Pair& pair) {
  pair.endpoint = make(abi::ObjectType::kEndpoint);
  pair.reply = make(abi::ObjectType::kReply);
  pair.ping = make(abi::ObjectType::kNotification);
  pair.pong = make(abi::ObjectType::kNotification);
  pair.beside = nullptr;
  pair.ended = false;
}

void one_pair(std::string_view name, Thread::Entry client, Thread::Entry server, Word client_core,
              Word server_core) {
  make_pair(pairs[0]);
  Thread answers(server, 0, 200, false, server_core), asks(client, 0, 200, false, client_core);
  answers.start();
  asks.start();
  (void)abi::wait(done);
  print_row(name, shortest(pairs[0]));
}

void pairs_at_once(std::string_view name, Thread::Entry client, Thread::Entry server) {
  for (Pair& pair : pairs) make_pair(pair);
  pairs[0].beside = &pairs[1];
  pairs[1].beside = &pairs[0];
  Thread server0(server, 0, 200, false, 0), client0(client, 0, 200, false, 0);
  Thread server1(server, 1, 200, false, 1), client1(client, 1, 200, false, 1);
  server0.start();
  server1.start();
  client0.start();
  client1.start();
  // Two signals may arrive as one.
  while (!pairs[0].ended || !pairs[1].ended) (void)abi::wait(done);
  print_row(name, shortest_at_once(pairs[0], pairs[1]));
}

void rows() {
  done = make(abi::ObjectType::kNotification);
  one_pair("call and answer, both on one core", calling, answering, 1, 1);
  one_pair("call and answer across cores", calling, answering, 1, 0);
  one_pair("signal and signal back, both on one core", pinging, ponging, 1, 1);
  one_pair("signal and signal back across cores", pinging, ponging, 1, 0);
  pairs_at_once("call and answer, one pair on each of two cores", calling, answering);
  pairs_at_once("signal and signal back, one pair on each of two cores", pinging, ponging);
}

}  // namespace

}  // namespace lona::bench

void root_main(const lona::abi::BootInfo* boot_info) {
  using namespace lona;
  test::info = boot_info;
  if (boot_info->num_nodes < 2) {
    test::print("failed: the machine has one core\r\n");
  } else {
    test::print("ticks in a millisecond\t");
    test::print_number(test::ticks_per_ms());
    test::print("\r\n");
    bench::rows();
  }
  test::print("end of benchmark\r\n");
  for (;;) (void)abi::wait(test::make(abi::ObjectType::kNotification));
}
