// SPDX-License-Identifier: BSD-2-Clause
// Calls and answers between a client and a server: message lengths, address spaces, who pays for
// the time, capabilities.
#include "bench/kernel/rows.hpp"
#include "bench/kernel/worker.hpp"

namespace lona::bench {

namespace {

using test::make;
using test::new_slot;
using test::slot_address;

constexpr unsigned kRounds = Row::kMax, kWarmUp = 4;

Op client_op, server_op;
CPtr received_slot = 0;  // emptied after each message
Row call_leg, reply_leg, round_trip;

void client(Word) {
  for (unsigned i = 0; i < kWarmUp + kRounds; ++i) {
    timed(&client_op);
    if (i < kWarmUp) continue;
    const Word there = between(client_op.before, server_op.after);
    const Word back = between(server_op.before, client_op.after);
    call_leg.add(there);
    reply_leg.add(back);
    round_trip.add(there + back);
  }
  report_done();
  park_worker();
}

void server(Word) {
  (void)abi::nb_send_recv(done_notification(), MessageInfo(), {}, server_op.cap, server_op.reply);
  for (;;) {
    if (received_slot != 0) (void)abi::cnode_delete(slot_address(received_slot));
    timed(&server_op);
  }
}

struct Setting {
  Space space = Space::kSame;
  bool passive = true;
  unsigned words = 0;
  Word server_priority = 200;
  bool fpu = true;
  bool grant = false;
  bool unwrap = false;
};

void measure(const Setting& setting) {
  const CPtr endpoint = make(ObjectType::kEndpoint), reply = make(ObjectType::kReply);
  (void)done_notification();
  const bool caps = setting.grant || setting.unwrap;
  client_op = syscall(Syscall::kCall, endpoint, MessageInfo(0, 0, caps, setting.words));
  server_op = syscall(Syscall::kReplyRecv, endpoint, MessageInfo(0, 0, 0, setting.words), reply);
  Worker s(server,
           {.priority = setting.server_priority, .space = setting.space, .fpu = setting.fpu});
  Worker c(client, {.fpu = setting.fpu});
  if (setting.unwrap) c.buffer().caps_or_badges[0] = endpoint;
  if (setting.grant) {
    received_slot = new_slot();
    c.buffer().caps_or_badges[0] = done_notification();
    s.buffer().receive_cnode = abi::kSlotInitCNode;
    s.buffer().receive_index = received_slot;
    s.buffer().receive_depth = abi::kWordBits;
  }
  s.start();
  wait_for_workers();
  if (setting.passive) s.make_passive();
  c.start();
  wait_for_workers();
  received_slot = 0;
}

struct Named {
  std::string_view name;
  Setting setting;
};

constexpr Named kRoundTrips[] = {
    {"passive words=0", {.words = 0}},
    {"passive words=1", {.words = 1}},
    {"passive words=4", {.words = 4}},
    {"passive words=5", {.words = 5}},
    {"passive words=10", {.words = 10}},
    {"passive words=60", {.words = 60}},
    {"passive words=120", {.words = 120}},
    {"passive, server prio higher words=0", {.server_priority = 210}},
    {"passive, server prio lower words=0", {.server_priority = 190}},
    {"passive, fpuDisabled words=0", {.fpu = false}},
    {"active server words=0", {.passive = false}},
    {"active server words=4", {.passive = false, .words = 4}},
    {"active server words=10", {.passive = false, .words = 10}},
    {"active server words=60", {.passive = false, .words = 60}},
};
constexpr Named kLegs[] = {
    {"passive Call leg, words=0", {.words = 0}},
    {"passive Call leg, words=4", {.words = 4}},
    {"passive Call leg, words=10", {.words = 10}},
    {"passive, 1 cap granted: Call leg", {.grant = true}},
    {"passive, 1 cap unwrapped to badge: Call leg", {.unwrap = true}},
};
constexpr std::string_view kReplyNames[] = {
    "passive ReplyRecv leg, words=0", "passive ReplyRecv leg, words=4",
    "passive ReplyRecv leg, words=10", "passive, 1 cap granted: ReplyRecv leg (0 words)", ""};

void forget() {
  call_leg.clear();
  reply_leg.clear();
  round_trip.clear();
}

}  // namespace

void call_rows() {
  for (const Space space : {Space::kSame, Space::kOther}) {
    const std::string_view place = space == Space::kSame ? "same-AS " : "cross-AS ";
    for (Named row : kRoundTrips) {
      row.setting.space = space;
      measure(row.setting);
      round_trip.print("ipc RT ", place, row.name);
      forget();
    }
    for (unsigned i = 0; i < std::size(kLegs); ++i) {
      Setting setting = kLegs[i].setting;
      setting.space = space;
      measure(setting);
      call_leg.print("ipc ", place, kLegs[i].name);
      if (!kReplyNames[i].empty()) reply_leg.print("ipc ", place, kReplyNames[i]);
      forget();
    }
  }
}

}  // namespace lona::bench
