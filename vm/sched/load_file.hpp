// SPDX-License-Identifier: BSD-2-Clause
// How does a process load a file of the user's, and what is known of the files loaded so far?
//
// load-file makes a SourceRun without text. The loop that evaluates it asks for the text first
// (fetch_file) and sleeps while that is on its way, so others run and Ctrl-C ends it as always.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vm/code/namespace.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm {

class Process;
struct SourceRun;

// A file that was loaded; never forgotten.
struct LoadedFile {
  SymbolEntry* path = nullptr;
  LoadedFile* next = nullptr;  // in the order of first loading
  std::uint64_t hash = 0;      // of the text that was evaluated to its end last
  std::uint32_t times = 0;     // that this happened
};
struct LoadedFiles {
  SpinLock lock;
  LoadedFile* first = nullptr;
};

enum class Reload : std::uint8_t { kAlways, kIfChanged };

// What a SourceRun knows of the file it comes from.
struct FileRun {
  SymbolEntry* path = nullptr;  // null: its text is no file's
  Reload when = Reload::kAlways;
  bool fetched = false;    // it is known what there is to evaluate
  bool waiting = false;    // the platform has been asked
  bool evaluates = false;  // not when it has not changed
  bool from_user = false;  // not from the archive
  std::uint64_t hash = 0;
  std::span<std::uint8_t> bytes = {};  // pages that are freed at the end
  Namespace* ns_outside = nullptr;     // where the process is when the file is over
};

// The caller goes on with the forms of the file at `path`.
Term load_file(Process& p, std::string_view path, Reload when);
// Nil when it is known what to evaluate (`evaluates`, `text`); else a native's result.
Term fetch_file(Process& p, SourceRun& run);
// All of its forms were evaluated. False without memory.
bool finish_file(Process& p, SourceRun& run);
// Before a SourceRun goes, for whatever reason.
void leave_file(SourceRun& run);
// The namespace a process will be in when it has left all files that it is loading.
Namespace* ns_outside_files(const Process& p);

}  // namespace lona::vm
