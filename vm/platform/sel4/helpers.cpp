// SPDX-License-Identifier: BSD-2-Clause
// Helpers: threads that wait in the kernel for processes. What one is to do is in the second half
// of its IPC buffer's page; a signal tells it so, and it signals the first worker when it is done.
//
// A helper may be started anew at any instruction (give_up_call), so it holds no lock, and all that
// it changes for others is `state`.
#include <atomic>
#include <bit>

#include "abi/sel4/object_types.hpp"
#include "vm/platform/sel4/kernel_answer.hpp"
#include "vm/platform/sel4/manager.hpp"
#include "vm/platform/sel4/platform_state.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm::platform {

namespace {

static_assert(kMostHelpers == abi::kHelperMax);

enum class Work : std::uint8_t { kNone, kWanted, kEnded };

struct Helper {
  std::atomic<Work> state{Work::kNone};
  std::uint64_t wake = 0;  // the notification that it waits on for work
  abi::Syscall syscall = abi::Syscall::kWait;
  std::uint64_t target = 0, reply = 0;
  Lost lost;
  abi::Message message;  // there and back
};
constexpr std::uint64_t kWorkOffset = abi::kSmallPage / 2;
static_assert(sizeof(abi::IpcBuffer) <= kWorkOffset);

Helper& helper_at(std::uint32_t number) {
  return *reinterpret_cast<Helper*>(abi::helper_area(number) + kWorkOffset);
}
abi::IpcBuffer& buffer_of(std::uint32_t number) {
  return *reinterpret_cast<abi::IpcBuffer*>(abi::helper_area(number));
}

constinit SpinLock g_lock;
constinit std::uint32_t g_made = 0;
constinit std::uint32_t g_busy = 0;  // a bit for each
constinit std::atomic<bool> g_ended{false};
static_assert(kMostHelpers <= 32);

void make_call(Helper& self) {
  self.message = abi::system_call(self.syscall, self.target, self.message.info, self.message.words,
                                  self.reply);
}

abi::Syscall syscall_of(WaitingCall kind) {
  switch (kind) {
    case WaitingCall::kSend:
      return abi::Syscall::kSend;
    case WaitingCall::kReceive:
      return abi::Syscall::kRecv;
    case WaitingCall::kCall:
      return abi::Syscall::kCall;
    case WaitingCall::kWait:
      break;
  }
  return abi::Syscall::kWait;
}

// A further one. The lock is held.
RealmError make_helper() {
  const std::uint32_t slot = take_slot();
  if (slot == kNoSlot) return RealmError::kTooMany;
  RealmError error =
      make_object(slot, static_cast<std::uint64_t>(abi::ObjectType::kNotification), 0);
  if (error == RealmError::kNone) {
    error = error_of(ask_manager(abi::Request::kMakeHelper, 1, {g_made, 0, 0, 0}));
  }
  if (error != RealmError::kNone) {
    give_slot(slot);
    return error;
  }
  helper_at(g_made).wake = slot_capability(slot);
  error = error_of(ask_manager(abi::Request::kRestartHelper, 1, {g_made, 0, 0, 0}));
  ++g_made;
  return error;
}

// The number of a helper that nobody else has.
StartedCall take_helper() {
  const Guard guard(g_lock);
  const auto free = static_cast<std::uint32_t>(std::countr_one(g_busy));
  if (free >= g_made) {
    if (g_made == kMostHelpers) return {RealmError::kTooMany, 0};
    if (const RealmError error = make_helper(); error != RealmError::kNone) return {error, 0};
  }
  g_busy |= std::uint32_t{1} << free;
  return {RealmError::kNone, free};
}

void release_helper(std::uint32_t number) {
  const Guard guard(g_lock);
  g_busy &= ~(std::uint32_t{1} << number);
}

}  // namespace

// Its page is zeroed when it is made.
extern "C" [[noreturn]] void helper_main(abi::Address area) {
  auto& self = *reinterpret_cast<Helper*>(area + kWorkOffset);
  while (true) {
    while (self.state.load() != Work::kWanted) (void)abi::wait(self.wake);
    make_call(self);
    self.state.store(Work::kEnded);
    g_ended.store(true);
    rouse_first();
  }
}

StartedCall start_call(WaitingCall kind, std::uint64_t target, std::uint64_t reply,
                       std::uint64_t info, std::span<const std::uint64_t> words) {
  const StartedCall taken = take_helper();
  if (taken.error != RealmError::kNone) return taken;
  Helper& helper = helper_at(taken.helper);
  helper.syscall = syscall_of(kind);
  helper.target = target;
  helper.reply = reply;
  helper.lost = Lost(target);
  helper.message = {abi::MessageInfo(info), 0, put_words(words, buffer_of(taken.helper))};
  helper.state.store(Work::kWanted);
  abi::signal(helper.wake);
  return taken;
}

bool calls_have_ended() {
  return g_ended.load(std::memory_order_relaxed);
}
bool take_ended_calls() {
  return calls_have_ended() && g_ended.exchange(false);
}

bool call_has_ended(std::uint32_t number) {
  return helper_at(number).state.load() == Work::kEnded;
}

void take_answer(KernelAnswer& answer, std::uint32_t number) {
  Helper& helper = helper_at(number);
  take_words(answer, helper.message, buffer_of(number));
  answer.nothing = false;
  const abi::MessageInfo of_nothing(static_cast<abi::Word>(abi::Error::kInvalidCapability), 0, 0,
                                    1);
  const bool may_be_of_nothing =
      helper.syscall == abi::Syscall::kSend ||
      (helper.syscall == abi::Syscall::kCall && helper.message.info.raw() == of_nothing.raw());
  answer.failed = answer.failed || (may_be_of_nothing && helper.lost.gone());
  if (answer.failed) helper.lost.notice();
  helper.state.store(Work::kNone);
  release_helper(number);
}

void give_up_call(std::uint32_t number) {
  Helper& helper = helper_at(number);
  helper.state.store(Work::kNone);  // or else it would make the call again
  (void)ask_manager(abi::Request::kRestartHelper, 1, {number, 0, 0, 0});
  helper.state.store(Work::kNone);  // it may just have ended
  release_helper(number);
}

}  // namespace lona::vm::platform
