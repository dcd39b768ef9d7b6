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
#include "vm/sched/workers.hpp"

namespace lona::vm {

namespace {

constexpr std::size_t kWorkerPages = platform::whole_pages(sizeof(Worker));
constexpr std::size_t kStatePages = platform::whole_pages(sizeof(Vm) + 16 + sizeof(Vm::State));

// Of new code, until what is not needed any more is looked for in the test mode.
constexpr std::size_t kLimitOfTests = 16 * 1024;

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
  s.ns_var = s.namespaces.intern(core, intern("*ns*"));
  s.ns_var->flags = Var::kProcessBound;
  s.ns_var->root = core->term();
  for (std::string_view name : {"lona.process", "lona.time", "lona.user"}) {
    s.namespaces.find_or_create(intern(name));
  }
}

void find_fallbacks(Vm::State& s) {
  for (unsigned i = 0; i < static_cast<unsigned>(Fallback::kCount); ++i) {
    const NativeFunction native = fallback_native(i);
    s.fallbacks[i] = native == nullptr ? &no_fallback : native;
  }
  s.fallbacks[static_cast<unsigned>(Fallback::kNextForm)] = &source_next;
}

Process* new_process(Vm& vm, Term fn, std::string_view ns, void* user_data) {
  Worker& w = vm.state().first();
  Process* p = spawn_process(w, nullptr, fn, {});
  if (p == nullptr) return nullptr;
  p->pinned_ = true;  // the session's own run on the first worker, which has the console
  p->ns_ = vm.namespaces().find_or_create(intern(ns));
  p->user_data = user_data;
  return p;
}

void make_workers(Vm& vm) {
  Vm::State& s = vm.state();
  s.worker_count = s.options.workers;
  if (s.worker_count < 1) s.worker_count = 1;
  if (s.worker_count > Vm::State::kMaxWorkers) s.worker_count = Vm::State::kMaxWorkers;
  s.several = s.worker_count > 1;
  for (unsigned i = 0; i < s.worker_count; ++i) {
    void* memory = platform::map_pages(kWorkerPages);
    if (memory == nullptr) platform::panic("not enough memory to start");
    s.workers[i] = new (memory) Worker(vm, i);
    s.workers[i]->random = s.options.seed * 0x9e3779b97f4a7c15 + i;
  }
}

void free_workers(Vm::State& s) {
  for (unsigned i = 0; i < s.worker_count; ++i) {
    Worker& w = *s.workers[i];
    while (Process* p = w.ended_first) {
      w.ended_first = p->queue_next_;
      ProcessTable::free(p, w);
    }
    while (Timer* timer = w.timers.take_any()) {
      auto& message = static_cast<MessageTimer&>(*timer);  // processes have taken theirs with them
      free_fragment(w.allocator, message.message);
      w.message_timers.remove(&message, w.allocator);
    }
  }
  // Blocks go home from one to another until none is left; then the pages.
  for (unsigned i = 0; i < s.worker_count; ++i) s.workers[i]->~Worker();
  for (unsigned i = 0; i < s.worker_count; ++i) platform::unmap_pages(s.workers[i], kWorkerPages);
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
  if (options.collect_always) s.code.set_least_limit(kLimitOfTests);
  make_workers(*vm);
  s.realms.start(s.table);
  s.ok = make_keyword("ok");
  s.normal = make_keyword("normal");
  s.mailbox_words = platform::memory_figures().limit / 2 / sizeof(Word);
  s.oom_reason = make_pair_tuple(s.permanent, make_keyword("error"), make_keyword("oom"));
  s.load_closure = make_load_closure(s.permanent);
  find_fallbacks(s);
  if (const image::Header* library = options.library) {
    image::adopt(*library, s);
  } else {
    define_natives(s, s.namespaces.find_or_create(intern("lona.core")));
  }
  start_workers(s);
  return *vm;
}

const char* fallback_name(unsigned index) {
  return index < static_cast<unsigned>(Fallback::kCount) ? kFallbackNames[index].data() : "?";
}

void Vm::destroy(Vm& vm) {
  State& s = *vm.state_;
  s.hooks = nullptr;
  stop_workers(s);
  for (std::uint32_t i = 0; i < s.table.slots(); ++i) {
    Process* p = s.table.at(i);
    if (p == nullptr) continue;
    p->worker_->timers.cancel(*p);
    end_process(*p);
  }
  free_workers(s);
  s.~State();
  platform::unmap_pages(&vm, kStatePages);
}

void Vm::State::give_value(Definition& definition, Term permanent_value) {
  const bool local = code.is_local(permanent_value);
  if (local) realms.tell_pids(permanent_value);
  definition.set_value(permanent_value, local);
}

Namespaces& Vm::namespaces() {
  return state_->namespaces;
}
PermanentRegion& Vm::permanent() {
  return state_->permanent;
}
CodeStore& Vm::code() {
  return state_->code;
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
  start_process(state_->first(), *p);
  return p->pid();
}

Term Vm::spawn_call(Term fn, std::string_view ns, void* user_data) {
  Process* p = new_process(*this, fn, ns, user_data);
  if (p == nullptr) return Term::nil();
  start_process(state_->first(), *p);
  return p->pid();
}

void Vm::kill(Term pid, Term reason) {
  Process* p = find(pid);
  if (p == nullptr) return;
  Worker& w = state_->first();
  Fragment* f = make_kill(w.allocator, pid, reason);
  if (f == nullptr) return;
  p->doomed_.store(true, std::memory_order_relaxed);
  deliver(w, *p, f);
}

void Vm::wake(Term pid) {
  if (Process* p = find(pid)) lona::vm::wake(state_->first(), *p);
}

void Vm::kill_all(Term keep) {
  for (std::uint32_t i = 0; i < state_->table.slots(); ++i) {
    Process* p = state_->table.at(i);
    if (p != nullptr && p->pid() != keep) kill(p->pid(), make_keyword("killed"));
  }
}

std::size_t used_bytes(const Vm::State& s) {
  std::size_t bytes = 0;
  for (unsigned i = 0; i < s.worker_count; ++i) bytes += s.workers[i]->allocator.used_bytes();
  return bytes;
}

void Vm::run() {
  State& s = *state_;
  s.stop = false;
  open_workers(s);
  work(s.first(), [](const Worker& w, const void*) { return w.vm.state().stop.load(); }, nullptr);
  close_workers(s);
}

void Vm::run_until_ended(Term pid) {
  State& s = *state_;
  s.stop = false;
  open_workers(s);
  work(
      s.first(),
      [](const Worker& w, const void* pid) {
        const State& s = w.vm.state();
        return s.stop.load() || s.table.find(*static_cast<const Term*>(pid)) == nullptr;
      },
      &pid);
  close_workers(s);
}

void Vm::stop() {
  state_->stop = true;
  if (state_->several) rouse(state_->first());
}

}  // namespace lona::vm
