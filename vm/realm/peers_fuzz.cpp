// SPDX-License-Identifier: BSD-2-Clause
// The realms around this one do what they like with the rings that they share with it: frames of
// all kinds, from below, beside and above, also such as are for others or say that they come from
// others; pieces of frames; counts that cannot be, between two looks. Nothing of it harms the VM,
// and no mailbox grows without a limit. A libFuzzer program; the input is a list of such deeds.
#include <cstring>
#include <optional>

#include "vm/data/foreign.hpp"
#include "vm/data/sequence.hpp"
#include "vm/heap/arena.hpp"
#include "vm/process/worker.hpp"
#include "vm/realm/fake_realms.hpp"
#include "vm/sched/process_table.hpp"
#include "vm/sched/test_vm.hpp"

namespace lona::vm {
namespace {

constexpr std::uint32_t kNumbers[] = {fake::kChildNumber, fake::kSiblingNumber, platform::kParent};
constexpr std::uint64_t kMostQueued = std::uint64_t{1} << 18;

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  template <class T>
  T take() {
    T value{};
    const auto piece = take_bytes(sizeof value);
    std::memcpy(&value, piece.data(), piece.size());
    return value;
  }
  std::span<const std::uint8_t> take_bytes(std::size_t most) {
    const auto piece = bytes_.first(std::min(most, bytes_.size()));
    bytes_ = bytes_.subspan(piece.size());
    return piece;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

class Neighbours {
 public:
  Neighbours() {
    fake::clear();
    vm_.emplace();
    (void)vm_->run("(def serve (fn* [] (receive x (serve))))");
    (void)vm_->run("(register 'lona.realm/service (spawn serve))");
    (void)vm_->run("(register 'idle (spawn (fn* [] (receive :never 1))))");
    (void)vm_->run("(def idle (whereis-local 'idle))");
    idle_ = pid_of("idle");
    service_ = pid_of("lona.realm/service");
    (void)realms().add_child(fake::kChild, fake::kChildNumber);
    (void)realms().add_sibling(fake::kSibling, fake::kSiblingNumber, true);
  }

  ~Neighbours() {
    realms().drop(fake::kChild);
    realms().drop(fake::kSibling);
  }

  void deed(Input& in) {
    const auto what = in.take<std::uint8_t>();
    const std::uint32_t number = kNumbers[what / 16 % 3];
    switch (what % 9) {
      case 0:
      case 1:
        put_frame(number, in, what % 9 == 1);
        break;
      case 2:
        append(number, in.take_bytes(1 + in.take<std::uint8_t>()));
        break;
      case 3:
        lie(number, in);
        break;
      case 4:
        take_all(number);
        break;
      case 5:
        send(in);
        break;
      case 6:
        come_and_go(in.take<std::uint8_t>());
        break;
      case 7:
        watch(number, in);
        break;
      default:
        realms().poll(state().first());
        (void)vm_->run("(yield)");
        break;
    }
  }

  void check() {
    realms().poll(state().first());
    const Process* idle = state().table.find(idle_);
    if (idle != nullptr && idle->inbox_words_ > kMostQueued) {
      platform::panic("a mailbox grows without a limit");
    }
    (void)vm_->run("(yield)");
  }

 private:
  Vm::State& state() { return vm_->vm().state(); }
  Realms& realms() { return state().realms; }
  Term pid_of(const char* name) {
    const auto* p = static_cast<Process*>(state().names.find(intern(name)));
    return p == nullptr ? Term::nil() : p->pid();
  }

  void append(std::uint32_t number, std::span<const std::uint8_t> bytes) {
    base::ByteRing& ring = fake::channel(number).in;
    for (const std::uint8_t byte : bytes) {
      ring.bytes[ring.written.load() % base::ByteRing::kCapacity] = byte;
      ring.written += 1;
    }
  }

  // A frame whose head, and route, are of the right form.
  void put_frame(std::uint32_t number, Input& in, bool routed) {
    const Word targets[] = {idle_.bits(), service_.bits(), in.take<Word>(), 0};
    const Word target = targets[in.take<std::uint8_t>() % 4];
    const auto kind = static_cast<Frame::Kind>(in.take<std::uint8_t>() % 6);
    Route route{
        .to = in.take<std::uint8_t>() % 6u, .from = in.take<std::uint8_t>() % 6u, .kind = kind};
    const auto content = in.take_bytes(in.take<std::uint8_t>());
    const std::size_t before = routed ? sizeof route : 0;
    const Frame::Head head{static_cast<std::uint32_t>(before + content.size()),
                           routed ? Frame::Kind::kRouted : kind, target};
    append(number, {reinterpret_cast<const std::uint8_t*>(&head), sizeof head});
    if (routed) append(number, {reinterpret_cast<const std::uint8_t*>(&route), sizeof route});
    append(number, content);
  }

  // Monitors, links, what takes them back, and exits: of the right form, but for who is meant.
  void watch(std::uint32_t number, Input& in) {
    constexpr std::string_view kWhat[] = {"monitor", "link", "unlink", "exit-from", "demonitor"};
    Arena arena;
    const auto choice = in.take<std::uint8_t>();
    const Term own[] = {idle_, service_, make_ref(arena, choice), Term::nil()};
    const auto type = choice % 2 == 0 ? ForeignType::kRef : ForeignType::kPid;
    const Term theirs = make_foreign(arena, type, in.take<std::uint8_t>() % 6u, idle_.bits());
    const Term parts[] = {make_keyword(kWhat[choice / 2 % 5]), theirs, own[choice / 10 % 4],
                          make_keyword("end")};
    const std::size_t count = choice / 2 % 5 == 3 ? 4 : 3;
    ByteBuffer content;
    const Term value = make_tuple(arena, {parts, count});
    if (wire::encode(value, fake::kSelf, content, 4096) != wire::Encoded::kOk) return;
    const Frame::Head head{static_cast<std::uint32_t>(content.size()), Frame::Kind::kRequest, 0};
    append(number, {reinterpret_cast<const std::uint8_t*>(&head), sizeof head});
    append(number, {content.data(), content.size()});
  }

  // Any count, of either ring.
  void lie(std::uint32_t number, Input& in) {
    fake::Channel& channel = fake::channel(number);
    const auto which = in.take<std::uint8_t>();
    const auto value = in.take<std::uint64_t>() >> which % 64;
    base::ByteRing& ring = which % 2 == 0 ? channel.in : channel.out;
    switch (which / 2 % 7) {
      case 0:
        ring.written = value;
        break;
      case 1:
        ring.taken = value;
        break;
      case 2:
        ring.longest = value;
        break;
      case 3:
        ring.spare = value;
        break;
      case 4:
        ring.granted = value;
        break;
      case 5:
        ring.wanted = value;
        break;
      default:
        ring.full = static_cast<std::uint32_t>(value);
        break;
    }
  }

  static void take_all(std::uint32_t number) {
    base::ByteRing& ring = fake::channel(number).out;
    ring.taken = ring.written.load();
  }

  void send(Input& in) {
    Arena arena;
    const auto realm = in.take<std::uint8_t>() % 6u;
    const auto kind = static_cast<Frame::Kind>(1 + in.take<std::uint8_t>() % 3);
    const Term parts[] = {Term::integer(in.take<std::int8_t>()), idle_};
    Process* sender = state().table.find(idle_);
    if (sender == nullptr) return;
    Term refused = Term::absent();
    (void)realms().send(*sender, realm, kind, in.take<Word>(), make_tuple(arena, parts), refused);
  }

  void come_and_go(std::uint8_t what) {
    if (what % 2 == 0) {
      realms().drop(what / 2 % 6u);
    } else if (what % 4 == 1) {
      (void)realms().add_sibling(fake::kSibling, fake::kSiblingNumber, true);
    } else {
      realms().drop(fake::kChild);
      (void)realms().add_child(fake::kChild, fake::kChildNumber);
    }
  }

  std::optional<TestVm> vm_;
  Term idle_, service_;
};

}  // namespace
}  // namespace lona::vm

// A VM of its own for some inputs each. Names stay for ever, so after tens of thousands of inputs
// there is no memory for more: give `-runs=20000` to go on for longer, again and again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr unsigned kInputsOfOne = 16;
  static std::optional<lona::vm::Neighbours> neighbours;
  static unsigned inputs = 0;
  if (inputs++ % kInputsOfOne == 0) {
    neighbours.reset();
    neighbours.emplace();
  }
  lona::vm::Input in({data, size});
  while (!in.empty()) neighbours->deed(in);
  neighbours->check();
  return 0;
}
