// SPDX-License-Identifier: BSD-2-Clause
#include "vm/session/library.hpp"

#include "vm/code/namespace.hpp"
#include "vm/image/image.hpp"
#include "vm/session/console.hpp"
#include "vm/session/last_words.hpp"
#include "vm/session/report.hpp"
#include "vm/term/hash.hpp"

namespace lona::vm {

namespace {

using platform::Stream;

// The library, in the order in which its parts build on each other.
struct LibraryFile {
  std::string_view path;
  std::string_view ns;
};
constexpr LibraryFile kLibrary[] = {
    {"lib/lona/core.lona", "lona.core"},         {"lib/lona/sequences.lona", "lona.core"},
    {"lib/lona/collections.lona", "lona.core"},  {"lib/lona/text.lona", "lona.core"},
    {"lib/lona/process.lona", "lona.process"},   {"lib/lona/time.lona", "lona.time"},
    {"lib/lona/server.lona", "lona.server"},     {"lib/lona/supervisor.lona", "lona.supervisor"},
    {"lib/lona/task.lona", "lona.task"},         {"lib/lona/test.lona", "lona.test"},
    {"lib/lona/string.lona", "lona.string"},     {"lib/lona/set.lona", "lona.set"},
    {"lib/lona/bench.lona", "lona.bench"},       {"lib/lona/math.lona", "lona.math"},
    {"lib/lona/inspect.lona", "lona.inspect"},   {"lib/lona/realm_options.lona", "lona.realm"},
    {"lib/lona/realm_watch.lona", "lona.realm"}, {"lib/lona/realm_names.lona", "lona.realm"},
    {"lib/lona/realm_code.lona", "lona.realm"},  {"lib/lona/realm.lona", "lona.realm"},
    {"lib/lona/realm_calls.lona", "lona.realm"}, {"lib/lona/observe.lona", "lona.inspect"},
    {"lib/lona/examples.lona", "lona.core"},
};

std::string_view text_of(const LibraryFile& file) {
  const auto bytes = platform::archive_file(file.path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Compiles one file of the library.
class Loader final : public Hooks, public SourceFeed {
 public:
  explicit Loader(Vm& vm)
      : Hooks{.exited = on_exited, .interrupted = nullptr},
        SourceFeed{.next = on_next, .value = nullptr},
        vm_(vm) {}

  bool load(const LibraryFile& file) {
    const std::string_view text = text_of(file);
    if (text.data() == nullptr) {
      ConsoleSink sink(Stream::kError);
      sink.write("error: the archive has no ");
      sink.write(file.path);
      sink.write("\n");
      return false;
    }
    source_ = {.text = text, .file = file.path};
    given_ = failed_ = false;
    vm_.set_hooks(this);
    evaluator_ = vm_.spawn_source(*this, file.ns, nullptr);
    vm_.run_until_ended(evaluator_);
    return !failed_;
  }

 private:
  static Next on_next(SourceFeed& self, Process&, SourceText& out) {
    auto& loader = static_cast<Loader&>(self);
    if (loader.given_) return Next::kEnd;
    loader.given_ = true;
    out = loader.source_;
    return Next::kText;
  }
  static void on_exited(Hooks& self, Process& process) {
    auto& loader = static_cast<Loader&>(self);
    if (process.pid() != loader.evaluator_) return;
    if (process.exit_reason() == make_keyword("normal")) return;
    loader.failed_ = true;
    ConsoleSink sink(Stream::kError);
    report_exit(sink, process);
  }

  Vm& vm_;
  SourceText source_ = {};
  bool given_ = false, failed_ = false;
  Term evaluator_;
};

void compile_library(Vm& vm) {
  Loader loader(vm);
  for (const LibraryFile& file : kLibrary) {
    if (!loader.load(file)) platform::exit(1);
  }
  Namespaces& all = vm.namespaces();
  Namespace* user = all.find_or_create(intern(kUserNamespace));
  for (std::string_view name :
       {"lona.process", "lona.time", "lona.inspect", "lona.kernel", "lona.io"}) {
    all.refer(user, all.find_or_create(intern(name)));
  }
}

}  // namespace

std::uint64_t library_hash() {
  std::uint64_t h = 0;
  for (const LibraryFile& file : kLibrary) {
    h = hash_mix(h + hash_bytes(file.path));
    h = hash_mix(h + hash_bytes(text_of(file)));
  }
  return h;
}

namespace {

const image::Header* find_library() {
  const platform::CoreImage image = platform::core_image();
  if (image.trusted) return reinterpret_cast<const image::Header*>(image.constants.data());
  return image::check(image, library_hash());
}

}  // namespace

Vm& create_vm_with_library(VmOptions options, Hooks* hooks) {
  const image::Header* library = find_library();
  options.library = library != nullptr && adopt_names(*library->names) ? library : nullptr;
  Vm& vm = Vm::create(options, nullptr);
  offer_last_words(vm);
  if (options.library == nullptr) compile_library(vm);
  vm.set_hooks(hooks);
  return vm;
}

}  // namespace lona::vm
