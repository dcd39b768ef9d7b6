// SPDX-License-Identifier: BSD-2-Clause
// What realms around this one can do to its processes by the frames that they send.
#include <gtest/gtest.h>

#include <cstring>
#include <optional>

#include "vm/data/foreign.hpp"
#include "vm/data/sequence.hpp"
#include "vm/heap/fragment.hpp"
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
    put_bytes(number, &head, sizeof head);
    put_bytes(number, content.data(), content.size());
  }
  static void put_bytes(std::uint32_t number, const void* bytes, std::size_t count) {
    base::ByteRing& ring = fake::channel(number).in;
    std::memcpy(ring.bytes + ring.written, bytes, count);
    ring.written += count;
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
  // A service that takes nothing, and what has come to it.
  void register_service() {
    (void)vm_->run("(register 'lona.realm/service (spawn (fn* [] (receive :never 1))))");
  }
  std::string heard() {
    Process& service = *state().table.find(pid_of("lona.realm/service"));
    receive_signals(service);
    std::string all;
    for (const Fragment* f = service.inbox_; f != nullptr; f = f->next) all += printed(f->value);
    return all;
  }
  // [:monitor ref pid] of the child, and whether anybody watches the process then.
  bool watched(Term reference, Term pid) {
    Arena arena;
    const Term parts[] = {make_keyword("monitor"), reference, pid};
    put(fake::kChildNumber, Frame::Kind::kRequest, 0, make_tuple(arena, parts), fake::kSelf);
    poll();
    const Process* target = state().table.find(pid);
    return target != nullptr && target->monitored_by_ != nullptr;
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
  register_service();
  const Term pid = waiting("quiet");
  Arena arena;
  const Term reference = make_foreign(arena, ForeignType::kRef, fake::kChild, 77);
  EXPECT_FALSE(watched(reference, pid));
  EXPECT_NE(heard().find("#realm-id<2> nil]"), std::string::npos) << heard();
  tell_child(pid);
  EXPECT_TRUE(watched(reference, pid));
}

// The service that watches for the child cannot watch another time by what is not there.
TEST_F(Peers, AGuessedPidIsNotLinked) {
  register_service();
  const Term pid = waiting("quiet");
  Arena arena;
  const Term theirs = make_foreign(arena, ForeignType::kPid, fake::kChild, pid.bits());
  const Term parts[] = {make_keyword("link"), theirs, pid};
  put(fake::kChildNumber, Frame::Kind::kRequest, 0, make_tuple(arena, parts), fake::kSelf);
  poll();
  EXPECT_EQ(state().table.find(pid)->monitored_by_, nullptr);
  EXPECT_NE(heard().find("#realm-id<2> nil]"), std::string::npos) << heard();
}

TEST_F(Peers, AMonitorIsNamedByAReferenceOfWhoAsks) {
  register_service();
  const Term pid = waiting("known");
  tell_child(pid);
  Arena arena;
  for (const Term name :
       {make_ref(arena, 77), make_foreign(arena, ForeignType::kRef, fake::kSibling, 77),
        make_foreign(arena, ForeignType::kPid, fake::kChild, pid.bits()), Term::nil(), pid}) {
    EXPECT_FALSE(watched(name, pid)) << printed(name);
  }
  EXPECT_TRUE(watched(make_foreign(arena, ForeignType::kRef, fake::kChild, 77), pid));
}

// The child asks for something of its own child by way of this realm, which is none of its ways.
TEST_F(Peers, ARequestThatCannotGoOnIsToldToTheService) {
  register_service();
  ByteBuffer content;
  EXPECT_EQ(wire::encode(make_keyword("x"), fake::kChild, content, 64), wire::Encoded::kOk);
  for (const Frame::Kind kind : {Frame::Kind::kMessage, Frame::Kind::kRequest}) {
    const Route route{.to = fake::kGrandchild, .from = fake::kChild, .kind = kind};
    const Frame::Head head{static_cast<std::uint32_t>(sizeof route + content.size()),
                           Frame::Kind::kRouted, 0};
    put_bytes(fake::kChildNumber, &head, sizeof head);
    put_bytes(fake::kChildNumber, &route, sizeof route);
    put_bytes(fake::kChildNumber, content.data(), content.size());
    poll();
    EXPECT_EQ(heard(), kind == Frame::Kind::kMessage
                           ? ""
                           : "[:astray #realm-id<2> #realm-id<3> #realm-id<2>]");
  }
}

}  // namespace
}  // namespace lona::vm
