// SPDX-License-Identifier: BSD-2-Clause
#include "vm/sched/load_file.hpp"

#include "vm/data/map.hpp"
#include "vm/data/string.hpp"
#include "vm/platform/platform.hpp"
#include "vm/sched/loads.hpp"
#include "vm/sched/source.hpp"
#include "vm/sched/state.hpp"
#include "vm/term/hash.hpp"

namespace lona::vm {

namespace {

using platform::FileError;

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Term fail(Process& p, const FileRun& file, FileError error) {
  if (error == FileError::kNoMemory) return p.fail_oom();
  constexpr std::string_view kReasons[] = {
      "", "", "outside-folder", "not-a-file", "too-large", "unreadable", "no-memory", "bad-answer",
  };
  Term info = map_put(p, empty_map(p), make_keyword("path"), make_string(p, file.path->full()));
  if (error == FileError::kMissing) return p.fail("file-not-found", info);
  const Term reason = make_keyword(kReasons[static_cast<unsigned>(error)]);
  return p.fail("file-refused", map_put(p, info, make_keyword("reason"), reason));
}

// What the user's folder does not have may be a part of the library.
std::span<const std::uint8_t> library_file(std::string_view path) {
  const bool good = path.starts_with("lib/") && path.find("..") == std::string_view::npos;
  return good ? platform::archive_file(path) : std::span<const std::uint8_t>();
}

LoadedFile* find(LoadedFiles& files, const SymbolEntry* path) {
  LoadedFile* file = files.first;
  while (file != nullptr && !same_name(file->path, path)) file = file->next;
  return file;
}

}  // namespace

Term load_file(Process& p, std::string_view path, Reload when) {
  SymbolEntry* name = intern(path);
  if (name == nullptr || !push_source(p, nullptr, nullptr)) return p.fail_oom();
  p.source_->file = {.path = name, .when = when, .ns_outside = p.ns()};
  return p.tail_call(state_of(p).load_closure, Term::empty_list());
}

Term fetch_file(Process& p, SourceRun& run) {
  FileRun& file = run.file;
  const platform::UserFile got = platform::read_user_file(&run, file.path->full());
  file.waiting = got.waiting;
  if (got.waiting) return p.wait_for_console();
  std::string_view text = text_of(got.bytes);
  if (got.error == FileError::kNone) {
    file.from_user = true;
    file.bytes = got.bytes;
  } else {
    const auto bytes = library_file(file.path->full());
    if (got.error != FileError::kMissing || bytes.data() == nullptr) {
      return fail(p, file, got.error);
    }
    text = text_of(bytes);
  }
  p.charge(static_cast<std::uint32_t>(100 + text.size() / 64));
  file.fetched = true;
  file.hash = hash_bytes(text);
  LoadedFiles& files = state_of(p).loaded_files;
  Guard guard(files.lock, state_of(p).several);
  const LoadedFile* known = find(files, file.path);
  file.evaluates = file.when == Reload::kAlways || known == nullptr || known->hash != file.hash;
  run.text = {.text = text, .file = file.path->full()};
  const NewNames names = known == nullptr ? NewNames::kAtOnce : NewNames::kHeld;
  if (file.evaluates && !hold_definitions(p, names)) return p.fail_oom();
  return Term::nil();
}

bool finish_file(Process& p, SourceRun& run) {
  const FileRun& file = run.file;
  p.set_ns(file.ns_outside);
  if (!file.evaluates) return true;
  Vm::State& s = state_of(p);
  Guard guard(s.loaded_files.lock, s.several);
  LoadedFile* known = find(s.loaded_files, file.path);
  if (known == nullptr) {
    known = s.permanent.make<LoadedFile>();
    if (known == nullptr) return false;
    known->path = file.path;
    LoadedFile** end = &s.loaded_files.first;
    while (*end != nullptr) end = &(*end)->next;
    *end = known;
  }
  known->hash = file.hash;
  ++known->times;
  release_definitions(p);
  return true;
}

void leave_file(SourceRun& run) {
  FileRun& file = run.file;
  if (file.waiting) platform::forget_user_file(&run);
  if (file.bytes.empty()) return;
  platform::unmap_pages(file.bytes.data(), platform::whole_pages(file.bytes.size()));
}

Namespace* ns_outside_files(const Process& p) {
  Namespace* ns = p.ns();
  for (const SourceRun* run = p.source_; run != nullptr; run = run->outer) {
    if (run->file.path != nullptr) ns = run->file.ns_outside;
  }
  return ns;
}

}  // namespace lona::vm
