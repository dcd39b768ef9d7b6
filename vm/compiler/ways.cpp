// SPDX-License-Identifier: BSD-2-Clause
#include "vm/compiler/ways.hpp"

#include "vm/data/string.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

namespace {

bool is_sized_tuple(Op op) {
  return op == Op::kBranchNotTuple || op == Op::kBranchNotTupleMin;
}

// Constants in memory are terms of their own each time, of equal value or not.
bool is_operand(Op op, Word a, Word b) {
  if (a == b) return true;
  return (op == Op::kBranchNotValue || op == Op::kMapGet) &&
         equal(Term::from_bits(a), Term::from_bits(b));
}

// What a value has to be for the test to hold; 0: not one of those that exclude each other.
unsigned kind_asked(const Question& q) {
  switch (q.op) {
    case Op::kBranchNotTuple:
    case Op::kBranchNotTupleMin:
      return 1;
    case Op::kBranchNotVector:
      return 2;
    case Op::kBranchNotMap:
      return 3;
    case Op::kBranchNotBits:
      return 4;
    case Op::kBranchNotSet:
      return 5;
    case Op::kBranchNotPid:
      return 6;
    case Op::kBranchNotBinary:
      return 7;
    case Op::kBranchNotValue:
      return is_string(Term::from_bits(q.operand)) ? 8 : 0;
    default:
      return 0;
  }
}

// Whether two different tests cannot both hold for one value.
bool exclude(const Question& a, const Question& b) {
  if (a.op == Op::kBranchNotValue && b.op == a.op) return true;
  const unsigned kind = kind_asked(a);
  if (kind == 0 || kind_asked(b) == 0) return false;
  if (kind != kind_asked(b)) return true;
  if (!is_sized_tuple(a.op) || a.op == b.op) {
    return a.op != Op::kBranchNotTupleMin && a.operand != b.operand;
  }
  const Question& exact = a.op == Op::kBranchNotTuple ? a : b;
  const Question& least = a.op == Op::kBranchNotTuple ? b : a;
  return exact.operand < least.operand;
}

// Whether the test `b` holds for every value that `a` holds for. Both are different.
bool implies(const Question& a, const Question& b) {
  return is_sized_tuple(a.op) && b.op == Op::kBranchNotTupleMin && a.operand >= b.operand;
}

}  // namespace

bool Ways::shares(Register r) const {
  if (r == subject_) return true;
  for (const Question& q : questions_) {
    if (q.loads && q.result == r) return true;
  }
  return false;
}

std::uint32_t Ways::find(Op op, Register subject, Word operand) const {
  for (std::size_t i = 0; i < questions_.size(); ++i) {
    const Question& q = questions_[i];
    if (q.op == op && q.subject == subject && is_operand(op, q.operand, operand)) {
      return static_cast<std::uint32_t>(i);
    }
  }
  return kNone;
}

std::uint32_t Ways::test(Op op, Register subject, Word operand) {
  const std::uint32_t known = find(op, subject, operand);
  if (known != kNone) return known;
  if (questions_.size() == kMostQuestions || !shares(subject)) return kNone;
  questions_.push_back({op, subject, operand, 0, false});
  return static_cast<std::uint32_t>(questions_.size() - 1);
}

std::uint32_t Ways::load(Op op, Register subject, Word operand, Register& result) {
  const std::uint32_t known = find(op, subject, operand);
  if (known != kNone) {
    result = questions_[known].result;
    return known;
  }
  result = emit_.push();
  if (questions_.size() == kMostQuestions || places_ == kMostPlaces || !shares(subject)) {
    return kNone;
  }
  places_++;
  questions_.push_back({op, subject, operand, result, true});
  return static_cast<std::uint32_t>(questions_.size() - 1);
}

Register Ways::top() const {
  Register top = base_;
  for (const Question& q : questions_) {
    if (q.loads && q.result >= top) top = static_cast<Register>(q.result + 1);
  }
  return top;
}

Ways::Answer Ways::answer(const Facts& facts, std::uint32_t question) const {
  if (has(facts.yes, question)) return Answer::kYes;
  if (has(facts.no, question)) return Answer::kNo;
  const Question& asked = questions_[question];
  for (std::uint32_t i = 0; i < questions_.size(); ++i) {
    const Question& q = questions_[i];
    if (q.subject != asked.subject) continue;
    if (has(facts.yes, i) && exclude(q, asked)) return Answer::kNo;
    if (has(facts.yes, i) && implies(q, asked)) return Answer::kYes;
    if (has(facts.no, i) && implies(asked, q)) return Answer::kNo;
  }
  return Answer::kUnknown;
}

// The way ends here and joins those that are here; what only some know, none does any more.
void Ways::bind(Way& way) {
  emit_.bind(way.label);
  if (!reached_) {
    facts_ = way.facts;
    reached_ = true;
  }
  for (std::size_t i = 0; i < facts_.yes.size(); ++i) {
    facts_.yes[i] &= way.facts.yes[i];
    facts_.no[i] &= way.facts.no[i];
  }
  for (std::uint32_t i = 0; i < questions_.size(); ++i) {
    const Question& q = questions_[i];
    if (!q.loads) continue;
    if (has(facts_.yes, i)) {
      emit_.set_live(q.result);
    } else {
      emit_.clear_live(q.result);
    }
  }
}

bool Ways::settled(std::uint32_t question) {
  if (question == kNone || coming_.size() > kMostWays) arrive();
  if (question == kNone) return false;
  std::size_t stay = 0;
  for (Way& way : coming_) {
    switch (answer(way.facts, question)) {
      case Answer::kYes:
        add(way.facts.yes, question);
        coming_[stay++] = way;
        break;
      case Answer::kNo:
        add(way.facts.no, question);
        leaving_.push_back(way);
        break;
      case Answer::kUnknown:
        bind(way);
    }
  }
  coming_.resize_down(stay);
  return !reached_ || has(facts_.yes, question);
}

Label& Ways::otherwise(std::uint32_t question) {
  Way way{{}, facts_};
  if (question != kNone) {
    add(way.facts.no, question);
  } else if (!leaving_.empty()) {
    Way& last = leaving_.back();
    if (last.facts.yes == facts_.yes && last.facts.no == facts_.no) return last.label;
  }
  leaving_.push_back(way);
  return leaving_.back().label;
}

void Ways::holds(std::uint32_t question) {
  if (question != kNone) add(facts_.yes, question);
}

void Ways::arrive() {
  for (Way& way : coming_) bind(way);
  coming_.resize_down(0);
}

void Ways::next_clause() {
  coming_.resize_down(0);
  for (Way& way : leaving_) coming_.push_back(way);
  leaving_.resize_down(0);
  facts_ = {};
  reached_ = false;
}

}  // namespace lona::vm
