// SPDX-License-Identifier: BSD-2-Clause
// What the realm is to do, the files of the archive, and the end.
#include "base/elf.hpp"
#include "base/format.hpp"
#include "base/function_name.hpp"
#include "base/ustar.hpp"
#include "vm/platform/sel4/manager.hpp"
#include "vm/platform/sel4/platform_state.hpp"

// realm.ld: their addresses are the sizes of the parts of the core image.
extern "C" {
extern const char core_constants_bytes;
extern const char core_data_bytes;
}

namespace lona::vm::platform {

namespace {

base::Expected<base::UstarArchive, base::UstarError> open_archive() {
  const auto& block = start_block();
  return base::UstarArchive::open(
      {reinterpret_cast<const std::byte*>(block.archive_address), block.archive_size});
}

void write_error(std::string_view text) {
  write(Stream::kError, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// The function that `address` lies in, as the VM's own file in the archive names it.
void name_address(base::TextWriter& out, std::uint64_t address) {
  out << " at " << base::Hex{address};
  const auto archive = open_archive();
  const auto file = archive ? archive->find("vm.elf") : std::nullopt;
  const auto elf = file ? base::ElfFile::open(*file) : base::fail(base::ElfError::too_short);
  if (!elf) {
    return;
  }
  if (const auto symbol = elf->nearest_symbol(address)) {
    out << " (" << base::FunctionName{symbol->name} << '+' << base::Hex{address - symbol->address}
        << ')';
  }
}

bool g_panicking = false;
LastWords g_last_words = nullptr;

}  // namespace

std::span<const std::uint8_t> archive_file(std::string_view path) {
  if (start_block().archive_size == 0) return {};
  const auto archive = open_archive();
  if (!archive) {
    panic("the archive is damaged");
  }
  const auto file = archive->find(path);
  if (!file) {
    return {};
  }
  return {reinterpret_cast<const std::uint8_t*>(file->data()), file->size()};
}

CoreImage core_image() {
  const auto words = [](const char& size) {
    return reinterpret_cast<std::uintptr_t>(&size) / sizeof(std::uint64_t);
  };
  return {.constants = {reinterpret_cast<const std::uint64_t*>(abi::kCoreConstants.start),
                        words(core_constants_bytes)},
          .data = {reinterpret_cast<std::uint64_t*>(abi::kCoreData.start), words(core_data_bytes)},
          .trusted = start_block().parent != abi::kNoRealm};
}

Session session() {
  if (start_block().parent != abi::kNoRealm) {
    return {.mode = Mode::kServe, .file_name = {}, .source = {}, .args = {}};
  }
  if (start_block().console != abi::ConsoleKind::kHostLink) {
    return {.mode = Mode::kPrompt, .file_name = {}, .source = {}, .args = {}};
  }
  while (!start_request().ready) {
    wait_for_host();
  }
  const auto words = start_request().words;
  const auto mode = words[0];
  if (mode == "run" && words.size() > 1) {
    return {.mode = Mode::kRun,
            .file_name = words[1],
            .source = start_request().source,
            .args = words.subspan(2)};
  }
  if (mode == "eval") {
    return {.mode = Mode::kEval, .file_name = {}, .source = {}, .args = words.subspan(1)};
  }
  if (mode == "batch" || mode == "prompt") {
    return {.mode = mode == "batch" ? Mode::kBatch : Mode::kPrompt,
            .file_name = {},
            .source = {},
            .args = {}};
  }
  write_error("lona: the host asks for an unknown mode\n");
  exit(2);
}

void exit(int status) {
  end_console(status);
  manager_exit(static_cast<std::uint64_t>(status));
}

void exit_because(std::string_view why) {
  end_console(1);
  manager_exit(1, why);
}

void on_last_words(LastWords words) {
  g_last_words = words;
}

std::size_t last_words(const MachineState& at, std::span<char> text) {
  return g_last_words == nullptr ? 0 : g_last_words(current_worker(), at, text);
}

void panic(std::string_view message) {
  const auto caller = reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
  base::FixedText<abi::kEndTextMax> text;
  text << "internal error: " << message;
  name_address(text, caller);
  if (!g_panicking) {
    g_panicking = true;  // the console, or what the VM was at, may be what is broken
    char words[abi::kEndTextMax];
    const std::size_t length = last_words({}, words);
    text << (length == 0 ? "" : "; ") << std::string_view(words, length);
    write_error("lona: ");
    write_error(text.text());
    write_error("\n");
    end_console(1);
  }
  manager_exit(1, text.text());
}

}  // namespace lona::vm::platform
