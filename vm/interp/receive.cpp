// SPDX-License-Identifier: BSD-2-Clause
// The slow cases of the instructions of receive.
#include "vm/data/sequence.hpp"
#include "vm/heap/fragment.hpp"
#include "vm/interp/dispatch.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

Next receive_timer(Process& p) {
  p.set_limit(frame_floor(p, p.fp_));
  if (p.peeking_) {
    p.fail("badarg", make_keyword("receive-in-guard"));
    return raise_exit(p);
  }
  p.scan_ = &p.inbox_;
  p.wait_deadline_ = 0;
  if (p.pc_->a != kNoOperand) {
    Term limit = Term::from_bits(reg(p, p.pc_->a));
    bool time = limit.is_integer() && limit.as_integer() >= 0;
    if (!time && !limit.is_nil() && limit != make_keyword("infinity")) {
      Word argument = limit.bits();
      p.fail_badarg("receive", Args(&argument, 1));
      return raise_exit(p);
    }
  }
  return go(p, 1);
}

namespace {

// Before it sleeps, a process does the collection that is due: it would hold what it has done with
// for as long as nobody writes to it.
Next sleep(Process& p) {
  if (!p.collect_) return Next::kWait;
  const std::int64_t left = p.reductions_saved_;
  p.reductions_saved_ = 0;
  const auto live = static_cast<std::uint16_t>(extra(p.pc_, 2));
  if (Next next = collect_garbage(p, live, 0); next != Next::kGo) return next;
  p.reductions_left_ = left;
  return Next::kWait;
}

}  // namespace

Next receive_wait(Process& p) {
  const Instruction* pc = p.pc_;
  receive_due_signals(p);
  if (p.exit_pending_) return Next::kYield;
  if (*p.scan_ != nullptr) return go(p, near_offset(pc));
  if (pc->a == kNoOperand) return sleep(p);
  Term limit = Term::from_bits(reg(p, pc->a));
  if (!limit.is_integer()) return sleep(p);
  std::uint64_t now = platform::now_ns();
  if (p.wait_deadline_ == 0) {
    // Longer than a century is for ever.
    constexpr std::uint64_t kLongest = std::uint64_t{100} * 366 * 24 * 3600 * 1000;
    auto ms = static_cast<std::uint64_t>(limit.as_integer());
    if (ms > kLongest) ms = kLongest;
    p.wait_deadline_ = now + ms * 1'000'000;
  }
  if (now < p.wait_deadline_) return sleep(p);
  p.wait_deadline_ = 0;
  p.scan_ = &p.inbox_;
  return go(p, static_cast<std::ptrdiff_t>(extra(pc)));
}

namespace {

// The constant of a ReceiveNext: a tuple of pairs, each a shape that the clauses may want: arity
// and first element of a tuple; -1 - arity when the first element may be anything; nil and the
// message.
struct Shape {
  // Words that no message is, and no object begins with.
  static constexpr Word kNone = static_cast<Word>(Tag::kHeader);

  explicit Shape(const Word* pair) : value(pair[1]) {
    const Term n = Term::from_bits(pair[0]);
    if (n.is_nil()) {
      message = value;
      return;
    }
    any = n.as_integer() < 0;
    const std::int64_t arity = any ? -1 - n.as_integer() : n.as_integer();
    header = Header::make(Kind::kTuple, static_cast<std::size_t>(arity)).bits();
  }
  bool fits(Term t) const {
    if (!t.is_boxed()) return t.bits() == message;
    return t.box()[0] == header && (any || t.box()[1] == value);
  }
  Word message = kNone, header = kNone + 1, value;
  bool any = false;
};

[[gnu::noinline]] bool fits_one(Term message, const Word* pairs, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (Shape(pairs + 2 * i).fits(message)) return true;
  }
  return false;
}

// The link to the next message after `at` that has one of the shapes, or where `most` messages have
// been left out.
Fragment** skip(Fragment** at, Term shapes, std::int64_t& most) {
  const std::size_t others = tuple_count(shapes) / 2 - 1;
  const Shape first(payload(shapes));
  std::int64_t left = most;
  for (Fragment* f = *at; f != nullptr && left > 0; f = *at, --left) {
    if (first.fits(f->value)) break;
    if (others != 0 && fits_one(f->value, payload(shapes) + 2, others)) break;
    at = &f->next;
  }
  most = left;
  return at;
}

}  // namespace

// The next message, as far as the time of the slice allows: a long mailbox must not hold up others.
Next receive_next(Process& p) {
  constexpr std::int64_t kMessagesOfReduction = 4;
  p.scan_ = &(*p.scan_)->next;
  p.peeking_ = false;
  std::int64_t& left = p.collect_ ? p.reductions_saved_ : p.reductions_left_;
  std::int64_t most = left > 0 ? left * kMessagesOfReduction : 1;
  if (const Term shapes = Term::from_bits(extra(p.pc_)); !shapes.is_nil()) {
    p.scan_ = skip(p.scan_, shapes, most);
  }
  left = (most - 1) / kMessagesOfReduction;
  p.pc_ += near_offset(p.pc_);
  return left > 0 || p.collect_ || *p.scan_ == nullptr ? Next::kGo : Next::kYield;
}

void receive_take(Process& p) {
  Fragment* message = *p.scan_;
  if (message != nullptr) {
    *p.scan_ = message->next;
    if (p.inbox_tail_ == &message->next) p.inbox_tail_ = p.scan_;
    if (p.mark_ == &message->next) p.mark_ = p.scan_;
    p.inbox_count_--;
    p.inbox_words_ -= message->words();
    if (message->top == message->data) {
      free_fragment(p, message);
    } else {
      p.attach(message);
    }
  }
  p.scan_ = &p.inbox_;
  p.peeking_ = false;
  p.wait_deadline_ = 0;
}

}  // namespace lona::vm
