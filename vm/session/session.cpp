// SPDX-License-Identifier: BSD-2-Clause
// The life of a VM, read from top to bottom in vm_main.
#include "vm/code/namespace.hpp"
#include "vm/code/permanent.hpp"
#include "vm/code/store.hpp"
#include "vm/data/string.hpp"
#include "vm/heap/copy.hpp"
#include "vm/printer/pretty.hpp"
#include "vm/sched/loads.hpp"
#include "vm/sched/state.hpp"
#include "vm/session/console.hpp"
#include "vm/session/forms.hpp"
#include "vm/session/last_words.hpp"
#include "vm/session/library.hpp"
#include "vm/session/report.hpp"
#include "vm/vm.hpp"

namespace lona::vm {

namespace {

using platform::Mode;
using platform::Stream;

constexpr std::string_view kBanner = "Lona. (doc name) tells about a name; Ctrl-D ends.\n";

class Session final : public Hooks, public SourceFeed {
 public:
  explicit Session(const platform::Session& asked);

  void define_arguments();
  // Serves the mode to its end; the exit status.
  int serve();

 private:
  static void on_exited(Hooks& self, Process& process);
  static void on_interrupted(Hooks& self);
  static void find_names(void* self, Candidates& candidates);
  static Next on_next(SourceFeed& self, Process& process, SourceText& out);
  static void on_value(SourceFeed& self, Process& process, Term value);
  void remember(const Process& process, Term value);
  Var* core_var(std::string_view name) {
    Namespaces& all = vm_.namespaces();
    return all.intern(all.find_or_create(intern("lona.core")), intern(name));
  }
  // The prompt's own vars are the library's; realms below see them.
  void give(std::string_view name, Term kept) {
    Var* var = core_var(name);
    Definition d = var->definition(nullptr);
    vm_.state().give_value(d, kept);
    static_cast<void>(define_now(vm_.state(), *var, d));
  }
  Term given(std::string_view name) {
    const Definition d = core_var(name)->definition(nullptr);
    return d.flags & Var::kLocal ? d.root : d.value;
  }
  static void show(Sink& sink, Term value);

  Next next(Process& process, SourceText& out);
  Next next_whole(SourceText& out);
  Console::Input more_text(Process& process);
  void evaluator_ended(Process& process);

  bool prompts() const { return asked_.mode == Mode::kPrompt && console_.interactive(); }

  platform::Session asked_;
  Console& console_;
  Vm& vm_;
  FormSource forms_;

  SourceText whole_ = {};  // the text of a program
  bool whole_given_ = false;
  std::size_t expression_ = 0;  // kEval: the next one
  bool input_ended_ = false;
  bool finished_ = false;
  int status_ = 0;
  Term evaluator_;
  std::string_view ns_ = kUserNamespace;  // of the next evaluator
};

Session::Session(const platform::Session& asked)
    : Hooks{.exited = on_exited, .interrupted = on_interrupted},
      SourceFeed{.next = on_next, .value = on_value},
      asked_(asked),
      console_(Console::the()),
      vm_(create_vm_with_library({.collect_always = asked.collect_always,
                                  .tight_heaps = asked.tight_heaps,
                                  .workers = platform::worker_count(),
                                  .seed = asked.seed},
                                 this)) {}

// --- Source for the evaluator
// ---------------------------------------------------------------------

SourceFeed::Next Session::on_next(SourceFeed& self, Process& process, SourceText& out) {
  return static_cast<Session&>(self).next(process, out);
}

// A text whose first error ends it all.
SourceFeed::Next Session::next_whole(SourceText& out) {
  if (whole_given_) {
    finished_ = true;
    return Next::kEnd;
  }
  whole_given_ = true;
  out = whole_;
  return Next::kText;
}

SourceFeed::Next Session::next(Process& process, SourceText& out) {
  if (asked_.mode == Mode::kRun) return next_whole(out);
  while (true) {
    FormSource::Piece piece;
    const FormSource::Next form = forms_.next(input_ended_, piece);
    if (form == FormSource::Next::kForm) {
      vm_.set_foreground(process.pid());
      constexpr std::string_view kNames[] = {"prompt", "", "eval", "batch"};
      out = {.text = piece.text,
             .file = kNames[static_cast<unsigned>(asked_.mode)],
             .first_line = piece.line};
      return Next::kText;
    }
    if (input_ended_) {
      finished_ = true;
      return Next::kEnd;
    }
    switch (more_text(process)) {
      case Console::Input::kText:
        break;
      case Console::Input::kWait:
        vm_.set_foreground(Term::nil());
        return Next::kWait;
      case Console::Input::kEnd:
        input_ended_ = true;
        break;
      case Console::Input::kNoMemory:
        forms_.clear();
        console_.write(Stream::kError, "error: no memory for what was typed\n");
        break;
    }
  }
}

Console::Input Session::more_text(Process& process) {
  std::string_view text;
  if (asked_.mode == Mode::kEval) {
    if (expression_ == asked_.args.size()) return Console::Input::kEnd;
    text = asked_.args[expression_++];
  } else {
    Console::Input input;
    if (prompts()) {
      char prompt[64];
      BufferSink label({prompt, sizeof prompt - 2});
      label.write(process.ns()->name->full());
      std::size_t size = label.text().size();
      prompt[size++] = '>';
      prompt[size++] = ' ';
      input = console_.edit({prompt, size}, text);
    } else {
      input = console_.read_line(text);
    }
    if (input != Console::Input::kText) return input;
  }
  const bool kept = forms_.append(text) && forms_.append("\n");
  return kept ? Console::Input::kText : Console::Input::kNoMemory;
}

// --- What comes of it
// -------------------------------------------------------------------------------

void Session::on_value(SourceFeed& self, Process& process, Term value) {
  auto& session = static_cast<Session&>(self);
  if (session.asked_.mode == Mode::kRun) return;
  session.console_.fresh_line();
  ConsoleSink sink(Stream::kOutput);
  if (session.prompts()) {
    session.remember(process, value);
    show(sink, value);
  } else {
    print(sink, value);
    sink.write("\n");
  }
  if (!sink.finish()) session.vm_.stop();
}

// *1, *2 and *3 are the last values at the prompt.
void Session::remember(const Process& process, Term value) {
  const Term kept = vm_.code().keep(process, value);
  if (kept == Term::absent()) return;
  give("*3", given("*2"));
  give("*2", given("*1"));
  give("*1", kept);
}

// For a person: as wide as the terminal, in colours if it has them.
void Session::show(Sink& sink, Term value) {
  const platform::Terminal terminal = platform::terminal();
  const Layout layout = {.columns = terminal.columns};
  if (terminal.color) {
    ColorSink color(sink);
    print_pretty(color, value, layout);
    color.write("\n");
  } else {
    print_pretty(sink, value, layout);
    sink.write("\n");
  }
}

void Session::on_exited(Hooks& self, Process& process) {
  auto& session = static_cast<Session&>(self);
  if (process.pid() == session.evaluator_) {
    session.evaluator_ended(process);
    return;
  }
  // A person at the prompt wants to know why a process he has started is gone.
  const Term reason = process.exit_reason();
  const bool failed = is_kind(reason, Kind::kTuple);
  if (failed && session.prompts() && !session.finished_) {
    ConsoleSink sink(Stream::kError);
    print(sink, process.pid());
    sink.write(" ");
    report_exit(sink, process);
  }
}

void Session::evaluator_ended(Process& process) {
  ns_ = ns_outside_files(process)->name->full();
  vm_.stop();
  if (finished_) return;
  const bool normal = process.exit_reason() == make_keyword("normal");
  const bool batch = asked_.mode == Mode::kBatch;
  if (asked_.mode == Mode::kRun) {
    finished_ = true;
    if (normal) return;
  }
  if (asked_.mode != Mode::kPrompt && !batch) status_ = 1;
  if (prompts()) {
    const Term reason = vm_.code().keep(process, process.exit_reason());
    if (reason != Term::absent()) give("*e", reason);
  }
  console_.interrupt();  // the process may have been reading a line
  console_.fresh_line();
  ConsoleSink sink(batch ? Stream::kOutput : Stream::kError);
  if (batch) {
    report_exit_line(sink, process);
    sink.write("\n");
  } else {
    report_exit(sink, process);
  }
}

// What could be typed at the prompt: names the current namespace sees, and of a namespace that is
// being named, its public ones.
void Session::find_names(void* self, Candidates& candidates) {
  auto& session = *static_cast<Session*>(self);
  const Process* evaluator = session.vm_.find(session.evaluator_);
  if (evaluator == nullptr) return;
  Namespaces& all = session.vm_.namespaces();
  const auto add_public = [&](Namespace* ns, std::string_view qualifier) {
    all.each_var(ns, [&](SymbolEntry* name, const Var* var) {
      if (same_name(var->ns->name, ns->name) && var->is_bound() && !var->is_private(nullptr)) {
        candidates.add(qualifier, name->full());
      }
    });
  };
  const std::string_view word = candidates.word();
  if (const std::size_t slash = word.find('/'); slash != std::string_view::npos && slash != 0) {
    const std::string_view prefix = word.substr(0, slash);
    Namespace* ns = nullptr;
    all.each([&](Namespace* each) {
      if (each->name->full() == prefix) ns = each;
    });
    const SymbolEntry* alias = find_name(prefix);
    Namespace* target = alias == nullptr ? nullptr : all.aliased(evaluator->ns(), alias);
    if (target != nullptr) ns = target;
    if (ns != nullptr) add_public(ns, word.substr(0, slash + 1));
    return;
  }
  Namespace* core = all.find(intern("lona.core"));
  all.each_var(evaluator->ns(), [&](SymbolEntry* name, const Var* var) {
    if (var->is_bound()) candidates.add("", name->full());
  });
  const Namespace* here = all.find(evaluator->ns()->name);
  all.each_var(core, [&](SymbolEntry* name, const Var* var) {
    if (var->is_bound() && !var->is_private(nullptr) && here->find(name) == nullptr) {
      candidates.add("", name->full());
    }
  });
  for (std::string_view name : {"def", "fn*", "match", "do", "quote", "var", "receive"}) {
    candidates.add("", name);
  }
  all.each([&](Namespace* ns) { candidates.add(ns->name->full(), "/"); });
}

// Ctrl-C while nothing is being evaluated.
void Session::on_interrupted(Hooks& self) {
  auto& session = static_cast<Session&>(self);
  if (session.prompts()) {
    session.console_.interrupt();
    session.vm_.wake(session.evaluator_);
    return;
  }
  session.finished_ = true;
  session.status_ = 1;
  session.vm_.stop();
}

// --- The parts of a session ----------------------------------------------------------------------

void Session::define_arguments() {
  Term args = Term::empty_list();
  if (asked_.mode == Mode::kRun) {
    for (std::size_t i = asked_.args.size(); i-- != 0;) {
      const Term arg = make_string_repaired(vm_.permanent(), asked_.args[i]);
      if (arg != Term::absent()) args = vm_.permanent().cons(arg, args);
    }
  }
  core_var("*args*")->set_value(args);
  if (!prompts()) return;
  for (std::string_view name : {"*1", "*2", "*3", "*e"}) core_var(name)->set_value(Term::nil());
}

int Session::serve() {
  if (prompts()) {
    console_.set_name_finder(find_names, this);
    console_.write(Stream::kOutput, kBanner);
  }
  whole_ = {.text = {reinterpret_cast<const char*>(asked_.source.data()), asked_.source.size()},
            .file = asked_.file_name};
  ns_ = kUserNamespace;
  while (!finished_) {
    evaluator_ = vm_.spawn_source(*this, ns_, nullptr);
    if (asked_.mode == Mode::kRun) vm_.set_foreground(evaluator_);
    vm_.run();
  }
  return status_;
}

}  // namespace

namespace {

// Without its service a realm is deaf: it ends with what the service has ended of.
struct ServiceEnd : Hooks {
  explicit ServiceEnd(Term pid) : Hooks{.exited = ended, .interrupted = nullptr}, service(pid) {}

  static void ended(Hooks& self, Process& process) {
    if (process.pid() != static_cast<ServiceEnd&>(self).service) return;
    char text[sizeof(platform::RealmEnd::text)];
    platform::exit_because({text, write_end(process, text)});
  }

  Term service;
};

// A realm that another one has made: its service does what the parent asks, until it ends.
[[noreturn]] void serve_parent() {
  Console::create(false);
  Vm& vm = create_vm_with_library({.workers = platform::worker_count()}, nullptr);
  static constinit Vm::State* state = nullptr;
  state = &vm.state();
  platform::redirect_output([](std::string_view text) { state->realms.send_output(text); });
  Namespaces& all = vm.namespaces();
  const Var* serve = all.find_var(all.find_or_create(intern("lona.realm")), intern("serve"));
  const Term serves = serve == nullptr ? Term::unbound() : serve->value_in(nullptr);
  if (serves == Term::unbound()) platform::panic("the library has no realm service");
  const Term service = vm.spawn_call(serves, kUserNamespace, nullptr);
  ServiceEnd end(service);
  vm.set_hooks(&end);
  vm.run_until_ended(service);
  platform::panic("the realm service has ended");
}

}  // namespace

void vm_main() {
  const platform::Session asked = platform::session();
  if (asked.mode == Mode::kServe) serve_parent();
  Console::create(asked.mode == Mode::kPrompt);
  Session session(asked);
  session.define_arguments();
  platform::exit(session.serve());
}

}  // namespace lona::vm
