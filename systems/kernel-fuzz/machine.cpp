// SPDX-License-Identifier: BSD-2-Clause
#include "systems/kernel-fuzz/machine.hpp"

namespace lona::fuzz {

void print(std::string_view text) {
  for (const char c : text) abi::debug_put_char(c);
}

void print_number(Word number) {
  root::print_number(number, print);
}

void fail(std::string_view what) {
  print("FAILED: ");
  print(what);
  print("\n");
  for (;;) abi::debug_halt();
}

void must(Error error, std::string_view what) {
  if (error == Error::kNone) return;
  print("error ");
  print_number(static_cast<Word>(error));
  print(": ");
  fail(what);
}

namespace {

// QEMU's firmware configuration device (QEMU, docs/specs/fw_cfg): a selector and a stream of bytes.
class FirmwareConfig {
 public:
  FirmwareConfig() : ports_(new_slot()) {
    must(
        abi::io_port_control_issue(abi::kSlotIoPortControl, kSelector, kData, slot_address(ports_)),
        "ports of the firmware configuration");
  }
  ~FirmwareConfig() { must(abi::cnode_delete(slot_address(ports_)), "giving ports back"); }

  // The number in the file of this name.
  bool find(std::string_view name, Word& number) {
    select(kDirectory);
    const Word count = big_endian(4);
    for (Word i = 0; i < count && i < 256; ++i) {
      const Word size = big_endian(4);
      const Word key = big_endian(2);
      (void)big_endian(2);
      bool same = true, ended = false;
      for (unsigned at = 0; at < kNameBytes; ++at) {
        const char c = static_cast<char>(byte());
        const char wanted = at < name.size() ? name[at] : '\0';
        if (!ended && c != wanted) same = false;
        ended = ended || c == '\0';
      }
      if (!same) continue;
      select(key);
      number = 0;
      for (Word at = 0; at < size; ++at) {
        const Word c = byte();
        if (c >= '0' && c <= '9') number = number * 10 + (c - '0');
      }
      return true;
    }
    return false;
  }

 private:
  static constexpr Word kSelector = 0x510, kData = 0x511, kDirectory = 0x19;
  static constexpr unsigned kNameBytes = 56;

  void select(Word key) { must(abi::io_port_out16(ports_, kSelector, key), "selecting"); }
  Word byte() { return abi::io_port_in8(ports_, kData).value & 0xff; }
  Word big_endian(unsigned bytes) {
    Word value = 0;
    for (unsigned i = 0; i < bytes; ++i) value = value << 8 | byte();
    return value;
  }

  CPtr ports_;
};

}  // namespace

Word setting(std::string_view name, Word otherwise) {
  Word value = otherwise;
  FirmwareConfig config;
  return config.find(name, value) ? value : otherwise;
}

}  // namespace lona::fuzz
