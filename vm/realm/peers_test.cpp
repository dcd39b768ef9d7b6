// SPDX-License-Identifier: BSD-2-Clause
// What realms around this one can do to its processes by the frames that they send.
#include <gtest/gtest.h>

#include <cstring>
#include <optional>

#include "vm/data/foreign.hpp"
#include "vm/data/sequence.hpp"
#include "vm/process/worker.hpp"
#include "vm/realm/fake_realms.hpp"
#include "vm/sched/process_table.hpp"
#include "vm/sched/test_vm.hpp"

namespace lona::vm {
namespace {

class Peers : public testing::Test {
 protected:
  Peers() {
    fake::clear();
    vm_.emplace();
    EXPECT_TRUE(realms().add_child(fake::kChild, fake::kChildNumber));
    EXPECT_TRUE(realms().add_sibling(fake::kSibling, fake::kSiblingNumber, true));
  }
  Vm::State& state() { return vm_->vm().state(); }
  Realms& realms() { return state().realms; }

  // What a realm writes that makes its frames by hand.
  static void put(std::uint32_t number, Frame::Kind kind, Word target, Term value,
                  std::uint32_t from) {
    ByteBuffer content;
    EXPECT_EQ(wire::encode(value, from, content, 4096), wire::Encoded::kOk);
    const Frame::Head head{static_cast<std::uint32_t>(content.size()), kind, target};
    base::ByteRing& ring = fake::channel(number).in;
    const std::uint64_t at = ring.written;
    std::memcpy(ring.bytes + at, &head, sizeof head);
    std::memcpy(ring.bytes + at + sizeof head, content.data(), content.size());
    ring.written += sizeof head + content.size();
  }
  void poll() { realms().poll(state().first()); }

  // A process that ends with the first message that it gets.
  Term waiting(const char* name) {
    EXPECT_EQ(
        vm_->run("(register '" + std::string(name) + " (spawn (fn* [] (receive x (exit x)))))")
            .find("ERROR"),
        std::string::npos);
    return pid_of(name);
  }
  Term pid_of(const char* name) {
    const auto* p = static_cast<Process*>(state().names.find(intern(name)));
    return p == nullptr ? Term::nil() : p->pid();
  }
  // The process itself says which it is.
  void tell_child(Term pid) {
    Process& p = *state().table.find(pid);
    Term refused = Term::absent();
    EXPECT_EQ(realms().send(p, fake::kChild, Frame::Kind::kRequest, 0, pid, refused),
              Realms::Sent::kOk);
  }
  bool is_there(Term pid) {
    (void)vm_->run("(yield)");
    return state().table.find(pid) != nullptr;
  }

  std::optional<TestVm> vm_;
};

TEST_F(Peers, OnlyTheParentReachesAProcessWhosePidItWasNotTold) {
  const Term pid = waiting("quiet");
  for (const auto& [number, realm] :
       {std::pair{fake::kChildNumber, fake::kChild}, {fake::kSiblingNumber, fake::kSibling}}) {
    put(number, Frame::Kind::kMessage, pid.bits(), make_keyword("guessed"), realm);
    poll();
    EXPECT_TRUE(is_there(pid)) << realm;
  }
  put(platform::kParent, Frame::Kind::kMessage, pid.bits(), make_keyword("told"), fake::kParent);
  poll();
  EXPECT_FALSE(is_there(pid));
}

TEST_F(Peers, APidIsToldByAMessage) {
  const Term pid = waiting("known");
  tell_child(pid);
  put(fake::kChildNumber, Frame::Kind::kMessage, pid.bits(), make_keyword("hello"), fake::kChild);
  poll();
  EXPECT_FALSE(is_there(pid));
}

TEST_F(Peers, APidIsToldByAVar) {
  const Term pid = waiting("known");
  (void)vm_->run("(def known (whereis-local 'known))");
  put(fake::kChildNumber, Frame::Kind::kMessage, pid.bits(), make_keyword("hello"), fake::kChild);
  poll();
  EXPECT_FALSE(is_there(pid));
}

TEST_F(Peers, AGuessedPidIsNotWatched) {
  (void)vm_->run("(def serve (fn* [] (receive x (serve))))");
  (void)vm_->run("(register 'lona.realm/service (spawn serve))");
  const Term pid = waiting("quiet");
  Arena arena;
  const Term reference = make_foreign(arena, ForeignType::kRef, fake::kChild, 77);
  const Term parts[] = {make_keyword("monitor"), reference, pid};
  const Term request = make_tuple(arena, parts);
  const auto watched = [&] {
    put(fake::kChildNumber, Frame::Kind::kRequest, 0, request, fake::kSelf);
    poll();
    const Process* target = state().table.find(pid);
    return target != nullptr && target->monitored_by_ != nullptr;
  };
  EXPECT_FALSE(watched());
  tell_child(pid);
  EXPECT_TRUE(watched());
}

}  // namespace
}  // namespace lona::vm
