// SPDX-License-Identifier: BSD-2-Clause
// The core image: the library compiled once, when the system is built, so that a VM starts with it
// in memory. It has two parts at fixed addresses (abi/lona/address_map.hpp), with pointers into
// each other and nowhere else:
//
//   constants   this header, names, functions with their code, all values: never written
//   data        vars, namespaces and their tables: written by the first realm, read by all
//
// Symbols and keywords are numbers of names, the same everywhere; the image has the names' texts.
//
// Code names natives by index and instructions by number, so the image that the host's VM has
// written fits every VM made of the same sources; `fingerprint` tells them apart.
#pragma once

#include "vm/code/namespace.hpp"
#include "vm/platform/platform.hpp"
#include "vm/vm.hpp"

namespace lona::vm::image {

inline constexpr std::uint64_t kMagic = 0x65726f43616e6f4c;  // "LonaCore"

struct Header {
  std::uint64_t magic;
  std::uint64_t fingerprint;   // of the VM, as below
  std::uint64_t library_hash;  // of the source text it was compiled from
  std::uint64_t constant_words;
  std::uint64_t data_words;
  std::uint64_t checksum;  // of both parts, this word taken as 0
  const NameIndex* names;
  NameTable namespaces;
};

// What code and data depend on: instructions, natives, kinds of objects, sizes of structures.
std::uint64_t fingerprint();
std::uint64_t checksum(std::span<const std::uint64_t> constants,
                       std::span<const std::uint64_t> data);

// The header, when the image is whole and fits this VM and that library; else null.
const Header* check(const platform::CoreImage& image, std::uint64_t library_hash);

// Makes the image's namespaces those of a new VM. Its names must be in the table of names.
void adopt(const Header& header, Vm::State& state);

}  // namespace lona::vm::image
