// SPDX-License-Identifier: BSD-2-Clause
// For unit tests: a Vm that evaluates source text and tells the printed value of its last form, or
// the printed reason why the process ended. No library is loaded; natives are there.
#pragma once

#include <string>

#include "vm/code/function.hpp"
#include "vm/code/namespace.hpp"
#include "vm/printer/printer.hpp"
#include "vm/sched/state.hpp"
#include "vm/term/symbol.hpp"
#include "vm/vm.hpp"

namespace lona::vm {

class StringSink final : public Sink {
 public:
  StringSink() : Sink(&StringSink::put) {}
  std::string text;

 private:
  static bool put(Sink& self, std::string_view piece) {
    static_cast<StringSink&>(self).text += piece;
    return true;
  }
};

inline std::string printed(Term t) {
  StringSink sink;
  print(sink, t);
  return sink.text;
}

class TestVm : Hooks, SourceFeed {
 public:
  explicit TestVm(VmOptions options = {})
      : Hooks{&TestVm::on_exit, nullptr},
        SourceFeed{&TestVm::on_next, &TestVm::on_value},
        vm_(Vm::create(options, this)) {
    Namespaces& n = vm_.namespaces();
    Namespace* user = n.find_or_create(intern("lona.user"));
    n.refer(user, n.find(intern("lona.process")));
    n.refer(user, n.find(intern("lona.time")));
    run("(def ^%{:macro true} if (fn* [t a b] (list 'match t 'x# 'when 'x# a '_ b)))");
  }
  ~TestVm() { Vm::destroy(vm_); }

  std::string run(std::string_view source) {
    text_ = source;
    given_ = false;
    value_ = "nothing";
    reason_.clear();
    pid_ = vm_.spawn_source(*this, "lona.user", nullptr);
    vm_.run_until_ended(pid_);
    return reason_ == ":normal" ? value_ : "ERROR " + reason_;
  }
  // The n-th request for memory of the first worker is refused, from the next run's first form on.
  void fail_request(std::size_t n) { fail_ = n; }
  Vm& vm() { return vm_; }
  const std::string& trace() const { return trace_; }

 private:
  static Next on_next(SourceFeed& feed, Process&, SourceText& out) {
    auto& self = static_cast<TestVm&>(feed);
    if (self.given_) return Next::kEnd;
    self.given_ = true;
    if (self.fail_ != 0) self.vm_.state().first().allocator.fail_request(self.fail_);
    self.fail_ = 0;
    out = {self.text_, "test", 1};
    return Next::kText;
  }
  static void on_value(SourceFeed& feed, Process&, Term value) {
    static_cast<TestVm&>(feed).value_ = printed(value);
  }
  static void on_exit(Hooks& hooks, Process& p) {
    auto& self = static_cast<TestVm&>(hooks);
    if (p.pid() != self.pid_) return;
    self.reason_ = printed(p.exit_reason());
    self.trace_.clear();
    if (p.trace() == nullptr) return;
    for (std::uint32_t i = 0; i < p.trace()->count; ++i) {
      const Trace::Entry& e = p.trace()->entries[i];
      self.trace_ += std::string(e.function->name->full()) + ":" + std::to_string(e.line) + " ";
    }
  }

  Vm& vm_;
  std::string_view text_;
  bool given_ = false;
  std::size_t fail_ = 0;
  std::string value_, reason_, trace_;
  Term pid_;
};

}  // namespace lona::vm
