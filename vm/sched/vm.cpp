// SPDX-License-Identifier: BSD-2-Clause
#include "vm/vm.hpp"

#include <new>

#include "vm/data/sequence.hpp"
#include "vm/heap/collector.hpp"
#include "vm/heap/reserve.hpp"
#include "vm/image/image.hpp"
#include "vm/interp/interp.hpp"
#include "vm/platform/platform.hpp"
#include "vm/process/worker.hpp"
#include "vm/sched/source.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

constexpr std::size_t kStatePages =
    (sizeof(Vm) + 16 + sizeof(Vm::State) + platform::kPageSize - 1) & ~(platform::kPageSize - 1);

Term no_fallback(Process& p, Args) {
  return p.fail("unknown-intrinsic");
}

constexpr std::string_view kFallbackNames[] = {
#define LONA_FALLBACK(name, text) text,
    LONA_FALLBACKS(LONA_FALLBACK)
#undef LONA_FALLBACK
        "next-form"};

// Vars of all natives; what a core image has already.
void define_natives(Vm::State& s, Namespace* core) {
  for (std::uint32_t i = 0; i < native_count(); ++i) {
    SymbolEntry* name = intern(native_table()[i].name);
    Namespace* ns = core;
    if (name->name_offset != 0) ns = s.namespaces.find_or_create(intern(name->ns()));
    s.namespaces.intern(ns, intern(name->name()))->set_value(Term::native(i));
  }
  Var* ns_var = s.namespaces.intern(core, intern("*ns*"));
  ns_var->flags = Var::kProcessBound;
  ns_var->root = core->term();
  for (std::string_view name : {"lona.process", "lona.time", "lona.user"}) {
    s.namespaces.find_or_create(intern(name));
  }
}

void find_fallbacks(Vm::State& s) {
  for (unsigned i = 0; i < static_cast<unsigned>(Fallback::kCount); ++i) {
    s.fallbacks[i] = &no_fallback;
    for (std::uint32_t n = 0; n < native_count(); ++n) {
      const Native& native = native_table()[n];
      if (native.name == kFallbackNames[i]) s.fallbacks[i] = native.function;
    }
  }
  s.fallbacks[static_cast<unsigned>(Fallback::kNextForm)] = &source_next;
}

Process* new_process(Vm& vm, Term fn, std::string_view ns, void* user_data) {
  Process* p = spawn_process(vm, nullptr, fn, {});
  if (p == nullptr) return nullptr;
  p->ns_ = vm.namespaces().find_or_create(intern(ns));
  p->user_data = user_data;
  return p;
}

}  // namespace

Vm& Vm::create(const VmOptions& options, Hooks* hooks) {
  void* memory = Reserve::prepare() ? platform::map_pages(kStatePages) : nullptr;
  if (memory == nullptr) platform::panic("not enough memory to start");
  auto* vm = new (memory) Vm();
  vm->state_ =
      new (static_cast<char*>(memory) + ((sizeof(Vm) + 15) & ~std::size_t{15})) State(options);
  State& s = *vm->state_;
  s.hooks = hooks;
  s.ok = make_keyword("ok");
  s.normal = make_keyword("normal");
  s.oom_reason = make_pair_tuple(s.permanent, make_keyword("error"), make_keyword("oom"));
  s.load_closure = make_load_closure(s.permanent);
  find_fallbacks(s);
  if (const image::Header* library = options.library) {
    image::adopt(*library, s);
  } else {
    define_natives(s, s.namespaces.find_or_create(intern("lona.core")));
  }
  Namespace* core = s.namespaces.find(intern("lona.core"));
  s.ns_var = core->find(intern("*ns*"));
  return *vm;
}

const char* fallback_name(unsigned index) {
  return index < static_cast<unsigned>(Fallback::kCount) ? kFallbackNames[index].data() : "?";
}

void Vm::destroy(Vm& vm) {
  State& s = *vm.state_;
  s.hooks = nullptr;
  for (std::uint32_t i = 0; i < s.table.slots(); ++i) {
    if (Process* p = s.table.at(i)) end_process(*p);
  }
  while (Timer* timer = s.timers.take_any()) {
    auto& message = static_cast<MessageTimer&>(*timer);  // processes have taken theirs with them
    free_fragment(s.allocator, message.message);
    s.message_timers.remove(&message);
  }
  s.~State();
  platform::unmap_pages(&vm, kStatePages);
}

Namespaces& Vm::namespaces() {
  return state_->namespaces;
}
PermanentRegion& Vm::permanent() {
  return state_->permanent;
}
const VmOptions& Vm::options() const {
  return state_->options;
}
void Vm::set_hooks(Hooks* hooks) {
  state_->hooks = hooks;
}
Process* Vm::find(Term pid) const {
  return pid.is_pid() ? state_->table.find(pid) : nullptr;
}
std::uint32_t Vm::process_count() const {
  return state_->table.count();
}
void Vm::set_foreground(Term pid) {
  state_->foreground = pid;
}

Term Vm::spawn_source(SourceFeed& feed, std::string_view ns, void* user_data) {
  Process* p = new_process(*this, state_->load_closure, ns, user_data);
  if (p == nullptr || !push_source(*p, &feed, nullptr)) {
    platform::panic("not enough memory to evaluate anything");
  }
  return p->pid();
}

Term Vm::spawn_call(Term fn, std::string_view ns, void* user_data) {
  Process* p = new_process(*this, fn, ns, user_data);
  return p == nullptr ? Term::nil() : p->pid();
}

void Vm::kill(Term pid, Term reason) {
  if (Process* p = find(pid)) signal_exit(*p, *p, Term::nil(), reason, ExitSignal::kKill);
}

void Vm::wake(Term pid) {
  if (Process* p = find(pid)) make_ready(*p);
}

void Vm::kill_all(Term keep) {
  for (std::uint32_t i = 0; i < state_->table.slots(); ++i) {
    Process* p = state_->table.at(i);
    if (p != nullptr && p->pid() != keep) kill(p->pid(), make_keyword("killed"));
  }
}

}  // namespace lona::vm
