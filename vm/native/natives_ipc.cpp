// SPDX-License-Identifier: BSD-2-Clause
// The kernel's messages: signals, and messages through endpoints. A worker never waits in the
// kernel: a helper does, and the process tries again when that has what it waits for.
#include <algorithm>

#include "abi/sel4/object_types.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/vector.hpp"
#include "vm/native/kernel_op.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm::natives {

namespace {

using platform::KernelAnswer;

// A message that has come, with its words, and its badge; nil when there is none.
Term received(Process& p, KernelOp& op, const KernelAnswer& answer) {
  if (answer.failed) op.error("invalid-capability");
  if (!op.good()) return op.answer();
  const abi::MessageInfo info(answer.info);
  Word* words = make_machine_box(
      p, MachineType::kMessageInfo,
      MessageInfo{info.label(), info.length(), info.extra_caps()}.encode(), info.length());
  std::copy_n(answer.words, info.length(), words);
  return make_pair_tuple(p, Term::boxed(words - 3),
                         make_fixed(p, NumberType::kU64, static_cast<Wide>(answer.badge)));
}

// What the process answers its messages by; made when it takes the first.
std::uint64_t reply_object(Process& p, KernelOp& op) {
  if (!op.good()) return 0;
  if (p.reply_slot_ == Process::kNoReplySlot) {
    const FilledSlot made = fill_slot([](std::uint32_t slot) {
      return platform::make_object(slot, static_cast<std::uint64_t>(abi::ObjectType::kReply), 0);
    });
    if (made.slot == platform::kNoSlot) {
      op.error(describe(made.error));
      return 0;
    }
    p.reply_slot_ = made.slot;
  }
  return platform::slot_capability(p.reply_slot_);
}

struct Outgoing {
  std::uint64_t info = 0;
  std::size_t count = 0;
  std::uint64_t words[abi::kMsgMaxLength] = {};
};
// A message info as the kernel's word and the message's. Capabilities do not go along.
Outgoing outgoing(KernelOp& op, Term info) {
  Outgoing out;
  if (!is_machine_value(info, MachineType::kMessageInfo) ||
      MessageInfo::decode(machine_word(info)).caps != 0) {
    op.refuse("a message info without capabilities");
    return out;
  }
  const MessageInfo fields = MessageInfo::decode(machine_word(info));
  out.count = fields.length;
  out.info = abi::MessageInfo(fields.label, 0, 0, static_cast<unsigned>(fields.length)).raw();
  const std::span<const Word> words = message_words(info);
  std::copy_n(words.begin(), std::min(words.size(), out.count), out.words);
  return out;
}

// A call that waits: it is begun, and from then on the native comes back until it has ended.
Term begin(Process& p, KernelOp& op, platform::WaitingCall kind, std::uint64_t target,
           std::uint64_t reply = 0, const Outgoing& out = {}) {
  if (!op.good()) return op.answer();
  const platform::StartedCall started =
      platform::start_call(kind, target, reply, out.info, {out.words, out.count});
  if (started.error != platform::RealmError::kNone) {
    op.error(describe(started.error));
    return op.answer();
  }
  state_of(p).kernel_calls.enter(p, started.helper);
  return p.wait_for_kernel();
}
bool begun(const Process& p) {
  return p.helper_ != Process::kNoHelper;
}
// True when it has ended: that is its answer.
bool ended(Process& p, KernelAnswer& answer) {
  if (!platform::call_has_ended(p.helper_)) return false;
  const std::uint32_t helper = p.helper_;
  state_of(p).kernel_calls.leave(p);
  platform::take_answer(answer, helper);
  return true;
}

// Who sent the last message is not answered any more: it would wait for ever.
void give_no_answer(Process& p) {
  if (!p.owes_answer_) return;
  p.owes_answer_ = false;
  platform::send_now(platform::slot_capability(p.reply_slot_),
                     kNoAnswerLabel << MessageInfo::kLabelShift, {});
}

// A message that has come is one to be answered, if its sender waits for that.
Term taken(Process& p, KernelOp& op, const KernelAnswer& answer) {
  p.owes_answer_ = !answer.failed;
  return received(p, op, answer);
}

// The next message; when there is none, it is waited for, or the answer is nil.
Term receive(Process& p, KernelOp& op, bool waits) {
  const std::uint64_t source = op.readable(0, MachineType::kEndpoint);
  const std::uint64_t reply = reply_object(p, op);
  if (!op.good()) return op.answer();
  give_no_answer(p);
  KernelAnswer answer;
  platform::receive_now(answer, source, reply);
  if (!answer.nothing) return taken(p, op, answer);
  return waits ? begin(p, op, platform::WaitingCall::kReceive, source, reply) : Term::nil();
}
Term go_on_receiving(Process& p, KernelOp& op) {
  KernelAnswer answer;
  return ended(p, answer) ? taken(p, op, answer) : p.wait_for_kernel();
}

void answer_caller(Process& p, const Outgoing& out) {
  if (p.reply_slot_ == Process::kNoReplySlot) return;
  p.owes_answer_ = false;
  platform::send_now(platform::slot_capability(p.reply_slot_), out.info, {out.words, out.count});
}

// What was signalled; nil: nothing.
Term take_signals(KernelOp& op, std::uint64_t source) {
  if (!op.good()) return op.answer();
  KernelAnswer answer;
  platform::receive_now(answer, source, 0);
  if (answer.failed) op.error("invalid-capability");
  if (!op.good()) return op.answer();
  return answer.badge == 0 ? Term::nil() : Term::integer(static_cast<std::int64_t>(answer.badge));
}

}  // namespace

Term msg_words(Process& p, Args args) {
  if (!is_machine_value(args[0], MachineType::kMessageInfo))
    return p.fail_badarg("msg-words", args);
  const std::span<const Word> words = message_words(args[0]);
  VectorBuilder out(p);
  const std::size_t length = MessageInfo::decode(machine_word(args[0])).length;
  for (std::size_t at = 0; at < length; ++at) {
    const Word word = at < words.size() ? words[at] : 0;
    out.add(make_fixed(p, NumberType::kU64, static_cast<Wide>(word)));
  }
  return out.take();
}

Term msg_with_words(Process& p, Args args) {
  KernelOp op(p, "msg-with-words", args);
  if (!is_machine_value(args[0], MachineType::kMessageInfo) || !is_vector(args[1]) ||
      vector_count(args[1]) > abi::kMsgMaxLength) {
    op.refuse();
  }
  std::uint64_t words[abi::kMsgMaxLength];
  const std::size_t count = op.good() ? vector_count(args[1]) : 0;
  for (std::size_t at = 0; at < count && op.good(); ++at)
    words[at] = op.word(vector_get(args[1], at));
  if (!op.good()) return op.answer();
  MessageInfo info = MessageInfo::decode(machine_word(args[0]));
  info.length = count;
  Word* box = make_machine_box(p, MachineType::kMessageInfo, info.encode(), count);
  std::copy_n(words, count, box);
  return Term::boxed(box - 3);
}

Term signal_notification(Process& p, Args args) {
  KernelOp op(p, "signal!", args);
  const std::uint64_t target = op.capability(0, MachineType::kNotification);
  if (op.good()) platform::send_now(target, 0, {});
  return op.ok();
}

Term poll_notification(Process& p, Args args) {
  KernelOp op(p, "poll!", args);
  return take_signals(op, op.readable(0, MachineType::kNotification));
}

Term wait_notification(Process& p, Args args) {
  KernelOp op(p, "wait!", args);
  if (begun(p)) {
    KernelAnswer answer;
    if (!ended(p, answer)) return p.wait_for_kernel();
    if (answer.failed) op.error("invalid-capability");
    return op.good() ? Term::integer(static_cast<std::int64_t>(answer.badge)) : op.answer();
  }
  const std::uint64_t source = op.readable(0, MachineType::kNotification);
  const Term word = take_signals(op, source);
  return word.is_nil() ? begin(p, op, platform::WaitingCall::kWait, source) : word;
}

Term send_now(Process& p, Args args) {
  KernelOp op(p, "send-nb!", args);
  const std::uint64_t target = op.capability(0, MachineType::kEndpoint);
  const Outgoing out = outgoing(op, args[1]);
  if (op.good()) platform::send_now(target, out.info, {out.words, out.count});
  return op.ok();
}

Term send_message(Process& p, Args args) {
  KernelOp op(p, "send!", args);
  if (begun(p)) {
    KernelAnswer answer;
    if (!ended(p, answer)) return p.wait_for_kernel();
    if (answer.failed) op.error("invalid-capability");
    return op.ok();
  }
  const std::uint64_t target = op.writable(0, MachineType::kEndpoint);
  return begin(p, op, platform::WaitingCall::kSend, target, 0, outgoing(op, args[1]));
}

Term call_endpoint(Process& p, Args args) {
  KernelOp op(p, "call!", args);
  if (begun(p)) {
    KernelAnswer answer;
    if (!ended(p, answer)) return p.wait_for_kernel();
    if (abi::MessageInfo(answer.info).label() == kNoAnswerLabel) op.error("no-answer");
    return received(p, op, answer);
  }
  const std::uint64_t target = op.callable(0);
  return begin(p, op, platform::WaitingCall::kCall, target, 0, outgoing(op, args[1]));
}

Term receive_message(Process& p, Args args) {
  KernelOp op(p, "recv!", args);
  return begun(p) ? go_on_receiving(p, op) : receive(p, op, true);
}

Term reply_and_receive(Process& p, Args args) {
  KernelOp op(p, "reply-recv!", args);
  if (begun(p)) return go_on_receiving(p, op);
  (void)op.readable(0, MachineType::kEndpoint);
  const Outgoing out = outgoing(op, args[1]);
  if (!op.good()) return op.answer();
  answer_caller(p, out);
  return receive(p, op, true);
}

Term receive_now(Process& p, Args args) {
  KernelOp op(p, "recv-nb!", args);
  return receive(p, op, false);
}

Term reply_now(Process& p, Args args) {
  KernelOp op(p, "reply!", args);
  const Outgoing out = outgoing(op, args[0]);
  if (op.good()) answer_caller(p, out);
  return op.ok();
}

Term kernel_yield(Process& p, Args) {
  p.charge(static_cast<std::uint32_t>(state_of(p).options.slice_reductions));
  return Term::nil();
}

}  // namespace lona::vm::natives
