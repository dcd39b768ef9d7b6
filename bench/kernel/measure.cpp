// SPDX-License-Identifier: BSD-2-Clause
#include "bench/kernel/measure.hpp"

#include <algorithm>

static_assert(offsetof(lona::bench::Op, before) == 72);
static_assert(offsetof(lona::bench::Op, out_mr) == 104);
static_assert(offsetof(lona::bench::Op, address) == 136);

namespace lona::bench {

Op invocation(IpcBuffer& buffer, CPtr service, Label label, std::initializer_list<CPtr> caps,
              std::initializer_list<Word> words) {
  Op op = syscall(Syscall::kCall, service,
                  MessageInfo(abi::detail::wire_label(label), 0, static_cast<unsigned>(caps.size()),
                              static_cast<unsigned>(words.size())));
  std::copy(caps.begin(), caps.end(), buffer.caps_or_badges);
  for (unsigned i = 0; i < words.size(); ++i) {
    (i < abi::kMsgRegisters ? op.mr[i] : buffer.msg[i]) = words.begin()[i];
  }
  return op;
}

Op invocation(CPtr service, Label label, std::initializer_list<CPtr> caps,
              std::initializer_list<Word> words) {
  return invocation(abi::ipc_buffer(), service, label, caps, words);
}

void Row::run(Op op, Error expected) {
  timed(&op);
  if (op.error() != expected) spoil();
  add(own(op));
}

void Row::print(std::string_view name, std::string_view more, std::string_view still_more) {
  std::sort(values_, values_ + count_);
  if (count_ == 0 || spoilt_) {
    test::print(name);
    test::print(more);
    test::print(still_more);
    test::print("\tfailed\r\n");
  } else {
    print_row(name, more, still_more, values_[count_ / 2]);
  }
  clear();
}

void Row::print(std::string_view name, Word user) {
  for (unsigned i = 0; i < count_; ++i) values_[i] -= user;
  print(name);
}

void print_row(std::string_view name, std::string_view more, std::string_view still_more,
               Word value) {
  test::print(name);
  test::print(more);
  test::print(still_more);
  test::print("\t");
  test::print_number(value);
  test::print("\r\n");
}

}  // namespace lona::bench
