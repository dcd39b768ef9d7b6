// SPDX-License-Identifier: BSD-2-Clause
// Processes.
#include "vm/code/function.hpp"
#include "vm/data/foreign.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/interp/frame.hpp"
#include "vm/native/not_sendable.hpp"
#include "vm/platform/platform.hpp"
#include "vm/printer/printer.hpp"
#include "vm/process/links.hpp"
#include "vm/realm/send.hpp"
#include "vm/sched/state.hpp"
#include "vm/sched/workers.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm::natives {

namespace {

// What was expected.
constexpr const char* kPid = "a pid";
constexpr const char* kOwnPid = "a pid of this realm";
constexpr const char* kName = "a name, which is a symbol";
constexpr const char* kFreeName = "a :name that no process has";

Term ok(const Process& p) {
  return state_of(p).ok;
}

// The process of a pid that has not ended and is not about to.
Process* living(Process& p, Term pid) {
  Process* other = state_of(p).table.find(pid);
  return other != nullptr && !other->doomed_.load(std::memory_order_relaxed) ? other : nullptr;
}

Process* named(Process& p, SymbolEntry* name) {
  Vm::State& s = state_of(p);
  Guard guard(s.names_lock, s.several);
  return static_cast<Process*>(s.names.find(name));
}

// [what ref p] to the realm's service, if there is one: it knows which monitors there are of
// processes of other realms (lib/lona/realm.lona).
Term tell_service(Process& p, std::string_view what, Term ref) {
  Process* service = named(p, intern("lona.realm/service"));
  if (service == nullptr) return ok(p);
  const Term parts[] = {make_keyword(what), ref, p.pid()};
  return send_message(p, *service, make_tuple(p, parts)) ? ok(p) : p.fail_oom();
}

Term option(Term options, std::string_view key) {
  Term value = map_get(options, make_keyword(key));
  return value == Term::absent() ? Term::nil() : value;
}

bool give_name(Process& p, Process& target, SymbolEntry* name) {
  Vm::State& s = state_of(p);
  Guard guard(s.names_lock, s.several);
  if (s.names.find(name) != nullptr || target.name_ != nullptr) return false;
  s.names.put(s.permanent, name, &target);
  target.name_ = name;
  return true;
}

bool read_options(Term options, SpawnOptions& out, Term& name) {
  if (!is_map(options)) return false;
  Term least = option(options, "min-heap-size"), most = option(options, "max-heap-size");
  Term priority = option(options, "priority");
  name = bare(option(options, "name"));
  auto is_size = [](Term t) { return t.is_nil() || (t.is_integer() && t.as_integer() >= 0); };
  if (!is_size(least) || !is_size(most) || !(name.is_nil() || name.is_symbol())) return false;
  if (!is_size(priority) || (priority.is_integer() && priority.as_integer() > 255)) return false;
  if (least.is_integer()) out.min_heap_words = static_cast<std::uint64_t>(least.as_integer()) / 8;
  if (most.is_integer()) {
    out.max_heap_words = static_cast<std::uint64_t>(most.as_integer()) / 8;
    if (out.max_heap_words < Process::kFirstBlockWords) {
      out.max_heap_words = Process::kFirstBlockWords;
    }
  }
  if (priority.is_integer()) out.priority = static_cast<std::uint8_t>(priority.as_integer());
  return true;
}

// The new process; null when the process has failed.
Process* start(Process& p, std::string_view fn, Args args) {
  SpawnOptions options;
  Term name = Term::nil();
  const char* wrong = nullptr;
  if (!is_function(bare(args[0]))) {
    wrong = "a function without arguments";
  } else if (args.size() == 2 && !args[1].is_nil() && !read_options(args[1], options, name)) {
    wrong =
        "options: :name, a symbol; :priority, 0 to 255; :min-heap-size and :max-heap-size, bytes";
  } else if (name.is_symbol() && named(p, name.entry()) != nullptr) {
    wrong = kFreeName;
  }
  if (wrong != nullptr) {
    p.fail_badarg(fn, args, wrong);
    return nullptr;
  }
  if (!may_leave(p, args[0])) return nullptr;
  Process* child = spawn_process(*p.worker_, &p, bare(args[0]), options);
  if (child == nullptr) {
    p.fail_oom();
    return nullptr;
  }
  if (name.is_symbol() && !give_name(p, *child, name.entry())) {
    // Another process has taken the name just now.
    end_process(*child);
    p.fail_badarg(fn, args, kFreeName);
    return nullptr;
  }
  p.charge(20);
  return child;
}

}  // namespace

Term spawn(Process& p, Args args) {
  Process* child = start(p, "spawn", args);
  if (child == nullptr) return Term::raise();
  start_process(*p.worker_, *child);
  return child->pid();
}

Term spawn_link(Process& p, Args args) {
  Process* child = start(p, "spawn-link", args);
  if (child == nullptr) return Term::raise();
  if (add_link(p, *child) == Related::kNoMemory) {
    end_process(*child);
    return p.fail_oom();
  }
  start_process(*p.worker_, *child);
  return child->pid();
}

Term spawn_monitor(Process& p, Args args) {
  Process* child = start(p, "spawn-monitor", args);
  if (child == nullptr) return Term::raise();
  std::uint64_t ref = fresh_reference(p);
  if (add_monitor(p, *child, ref) == Related::kNoMemory) {
    end_process(*child);
    return p.fail_oom();
  }
  start_process(*p.worker_, *child);
  return make_pair_tuple(p, child->pid(), make_ref(p, ref));
}

Term self(Process& p, Args) {
  return p.pid();
}
Term self_realm(Process& p, Args) {
  return own_realm(p);
}

Term is_alive(Process& p, Args args) {
  if (!args[0].is_pid()) return p.fail_badarg("alive?", args, kOwnPid);
  return Term::boolean(living(p, args[0]) != nullptr);
}

Term send(Process& p, Args args) {
  Term to = args[0];
  if (is_foreign(to, ForeignType::kPid)) {
    return send_to_realm(p, foreign_realm(to), Frame::Kind::kMessage, foreign_word(to), args[1]);
  }
  if (!to.is_pid()) return p.fail_badarg("send", args, "a pid; send-named takes a name");
  if (!may_leave(p, args[1])) return Term::raise();
  Process* receiver = state_of(p).table.find(to);
  if (receiver != nullptr && !send_message(p, *receiver, args[1])) return p.fail_oom();
  return ok(p);
}

Term send_named(Process& p, Args args) {
  Term name = bare(args[0]);
  if (!name.is_symbol()) return p.fail_badarg("send-named", args, kName);
  if (!may_leave(p, args[1])) return Term::raise();
  Process* receiver = named(p, name.entry());
  if (receiver == nullptr) return make_keyword("not-found");
  return send_message(p, *receiver, args[1]) ? ok(p) : p.fail_oom();
}

Term link(Process& p, Args args) {
  if (is_foreign(args[0], ForeignType::kPid)) return link_to_realm(p, args[0]);
  if (!args[0].is_pid()) return p.fail_badarg("link", args, kPid);
  if (Process* other = living(p, args[0])) {
    Related related = add_link(p, *other);
    if (related == Related::kNoMemory) return p.fail_oom();
    if (related == Related::kYes) return ok(p);
  }
  // The process has ended: its link says so at once.
  signal_exit(p, p, args[0], make_keyword("noproc"), ExitSignal::kLink);
  return ok(p);
}

Term unlink(Process& p, Args args) {
  if (is_foreign(args[0], ForeignType::kPid)) return unlink_in_realm(p, args[0]);
  if (!args[0].is_pid()) return p.fail_badarg("unlink", args, kPid);
  if (Process* other = state_of(p).table.find(args[0])) remove_link(p, *other);
  return ok(p);
}

Term monitor(Process& p, Args args) {
  const bool foreign = is_foreign(args[0], ForeignType::kPid);
  if (!args[0].is_pid() && !foreign) return p.fail_badarg("monitor", args, kPid);
  std::uint64_t ref = fresh_reference(p);
  if (foreign) return monitor_in_realm(p, args[0], ref);
  Related related = Related::kEnded;
  if (Process* other = living(p, args[0])) related = add_monitor(p, *other, ref);
  if (related == Related::kNoMemory) return p.fail_oom();
  if (related == Related::kEnded) notify_down(p, p, ref, args[0], make_keyword("noproc"));
  return make_ref(p, ref);
}

Term demonitor(Process& p, Args args) {
  if (!is_kind(args[0], Kind::kRef))
    return p.fail_badarg("demonitor", args, "a reference, as monitor gives");
  if (!remove_monitor(p, payload(args[0])[0])) return tell_service(p, "demonitor", args[0]);
  return ok(p);
}

Term trap_exit(Process& p, Args args) {
  if (!args[0].is_boolean()) return p.fail_badarg("trap-exit", args, "true or false");
  p.trap_exit_ = args[0] == Term::true_();
  return ok(p);
}

Term exit(Process& p, Args args) {
  if (args.size() == 1) return p.exit_with(args[0]);
  if (is_foreign(args[0], ForeignType::kPid)) return exit_in_realm(p, args[0], args[1]);
  if (!args[0].is_pid()) return p.fail_badarg("exit", args, kPid);
  if (!may_leave(p, args[1])) return Term::raise();
  if (Process* other = living(p, args[0])) {
    signal_exit(p, *other, p.pid(), args[1], ExitSignal::kExit);
  }
  return ok(p);
}

Term register_name(Process& p, Args args) {
  Term name = bare(args[0]);
  Process* target = &p;
  if (args.size() == 2) target = args[1].is_pid() ? living(p, args[1]) : nullptr;
  if (!name.is_symbol() || target == nullptr) {
    return p.fail_badarg("register", args, "a symbol, and a process of this realm that runs");
  }
  if (!give_name(p, *target, name.entry())) {
    return p.fail_badarg("register", args, "a name that no process has, for one without a name");
  }
  return ok(p);
}

Term unregister(Process& p, Args args) {
  Term name = bare(args[0]);
  Process* target = name.is_symbol() ? named(p, name.entry()) : nullptr;
  if (target == nullptr) return p.fail_badarg("unregister", args, "a name that is registered");
  Vm::State& s = state_of(p);
  Guard guard(s.names_lock, s.several);
  if (!same_name(target->name_, name.entry())) return ok(p);  // it has lost it just now
  s.names.put(s.permanent, name.entry(), nullptr);
  target->name_ = nullptr;
  return ok(p);
}

Term whereis(Process& p, Args args) {
  Term name = bare(args[0]);
  if (!name.is_symbol()) return p.fail_badarg("whereis", args, kName);
  Process* target = named(p, name.entry());
  return target == nullptr || target->doomed_.load(std::memory_order_relaxed) ? Term::nil()
                                                                              : target->pid();
}

namespace {

Term number(std::uint64_t n) {
  return Term::integer(static_cast<std::int64_t>(n));
}

Term linked(Process& p, const Process& of) {
  Term set = make_set(p, empty_map(p));
  Link* l = of.links_;
  while (l != nullptr) {
    set = set_add(p, set, l->ends[1 - l->side_of(&of)]->pid());
    l = l->next[l->side_of(&of)];
    if (l == of.links_) break;
  }
  return set;
}

Term monitors_of(Process& p, const Process& of) {
  Term set = make_set(p, empty_map(p));
  Monitor* m = of.monitors_;
  while (m != nullptr) {
    set = set_add(p, set, make_ref(p, m->ref));
    m = m->watcher_next;
    if (m == of.monitors_) break;
  }
  return set;
}

std::string_view status_of(const Process& p) {
  switch (p.state_.load(std::memory_order_relaxed)) {
    case Process::State::kRunning:
      return "running";
    case Process::State::kRunnable:
      return "runnable";
    case Process::State::kWaiting:
      break;
  }
  return "waiting";
}

}  // namespace

// The name of the function that a process is in, as text.
Term running(Process& p, const Process& of) {
  const Function* f = running_function(of.fp_);
  char text[160];
  BufferSink sink(text);
  if (f->ns != nullptr) {
    sink.write(f->ns->full());
    sink.write("/");
  }
  sink.write(f->name != nullptr ? f->name->full() : "fn");
  if (sink.truncated()) return Term::nil();
  const Term string = make_string(p, sink.text());
  return string == Term::absent() ? Term::nil() : string;
}

namespace {

// Of a process that does not change meanwhile.
Term figures_of(Process& p, const Process* of) {
  auto bytes = [](const Word* from, const Word* to) {
    return number(static_cast<std::uint64_t>(to - from) * sizeof(Word));
  };
  Term map = empty_map(p);
  auto put = [&](std::string_view key, Term value) {
    map = map_put(p, map, make_keyword(key), value);
  };
  put("status", make_keyword(status_of(*of)));
  put("heap-size", bytes(of->block_, of->block_end_));
  put("heap-used", bytes(of->block_, of->heap_top()));
  put("old-heap-size", bytes(of->old_, of->old_end_));
  put("old-heap-used", bytes(of->old_, of->old_top_));
  put("stack-size", bytes(of->fp_, of->block_end_));
  put("minor-gc-count", number(of->minor_collections_));
  put("major-gc-count", number(of->major_collections_));
  put("total-reclaimed", number(of->reclaimed_words_ * sizeof(Word)));
  put("mailbox-len", number(of->inbox_count_));
  put("priority", number(of->priority_));
  put("links", linked(p, *of));
  put("monitors", monitors_of(p, *of));
  put("reductions", number(of->reductions_));
  put("trap-exit", Term::boolean(of->trap_exit_));
  put("function", running(p, *of));
  put("name", of->name_ == nullptr ? Term::nil() : Term::symbol(of->name_));
  return map;
}

}  // namespace

Term process_info(Process& p, Args args) {
  if (args.size() == 1 && !args[0].is_pid()) return p.fail_badarg("process-info", args, kOwnPid);
  if (args.size() == 0 || args[0] == p.pid()) return figures_of(p, &p);
  // It may run on another worker, or begin to.
  AllPaused paused(*p.worker_);
  const Process* of = living(p, args[0]);
  return of == nullptr ? Term::nil() : figures_of(p, of);
}

Term process_list(Process& p, Args) {
  ProcessTable& table = state_of(p).table;
  Term list = Term::empty_list();
  for (std::uint32_t i = table.slots(); i > 0; --i) {
    Process* other = table.at(i - 1);
    if (other != nullptr && !other->doomed_.load(std::memory_order_relaxed))
      list = p.cons(other->pid(), list);
  }
  p.charge(table.slots() / 4);
  return list;
}

Term process_count(Process& p, Args) {
  return number(state_of(p).table.count());
}

Term yield(Process& p, Args) {
  p.charge(static_cast<std::uint32_t>(state_of(p).options.slice_reductions));
  return ok(p);
}

Term gc(Process& p, Args) {
  p.collect_ = p.collect_all_ = true;
  return ok(p);
}

Term memory_figures(Process& p, Args) {
  platform::MemoryFigures figures = platform::memory_figures();
  Term map = map_put(p, empty_map(p), make_keyword("limit"), number(figures.limit));
  map = map_put(p, map, make_keyword("mapped"), number(figures.mapped));
  map = map_put(p, map, make_keyword("resident"), number(platform::resident_bytes()));
  map = map_put(p, map, make_keyword("processes"), number(used_bytes(state_of(p))));
  map = map_put(p, map, make_keyword("code"), number(state_of(p).code.mapped_bytes()));
  return map_put(p, map, make_keyword("permanent"), number(state_of(p).permanent.mapped_bytes()));
}

// (trace-calls pid tracer): who is told the calls of a process from now on, nil for nobody.
Term trace_calls(Process& p, Args args) {
  if (!args[0].is_pid() || !(args[1].is_pid() || args[1].is_nil())) {
    return p.fail_badarg("trace-calls", args);
  }
  Process* traced = state_of(p).table.find(args[0]);
  if (traced == nullptr && args[1].is_nil()) return Term::nil();
  if (traced == nullptr || args[0] == args[1]) return p.fail_badarg("trace-calls", args);
  const Word old = traced->tracer_.exchange(args[1].is_nil() ? 0 : args[1].bits());
  return old == 0 ? Term::nil() : Term::from_bits(old);
}

Term make_reference(Process& p, Args) {
  return make_ref(p, fresh_reference(p));
}

Term pid_realm(Process& p, Args args) {
  if (is_foreign(args[0], ForeignType::kPid)) return Term::realm(foreign_realm(args[0]));
  return args[0].is_pid() ? own_realm(p) : p.fail_badarg("pid-realm", args);
}
Term pid_local(Process& p, Args args) {
  if (is_foreign(args[0], ForeignType::kPid)) {
    return number(Term::from_bits(foreign_word(args[0])).pid_slot());
  }
  return args[0].is_pid() ? number(args[0].pid_slot()) : p.fail_badarg("pid-local", args);
}
Term pid_equal(Process& p, Args args) {
  if (!is_any_pid(args[0]) || !is_any_pid(args[1])) return p.fail_badarg("pid=", args);
  return Term::boolean(equal(args[0], args[1]));
}

}  // namespace lona::vm::natives
