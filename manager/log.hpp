// SPDX-License-Identifier: BSD-2-Clause
// The log: lines `[who] text` on COM1. Works on any kernel, because it needs an I/O port cap and
// no debug call. Without a UART the lines are lost.
#pragma once

#include <string_view>

#include "base/format.hpp"
#include "manager/lock.hpp"
#include "manager/uart.hpp"

namespace lona::manager {

class Log {
 public:
  void use(abi::CPtr lock_notification, const Uart* uart) {
    lock_.use(lock_notification);
    uart_ = uart;
  }

  void line(std::string_view who, std::string_view text) {
    if (uart_ != nullptr) {
      const Guard guard(lock_);
      write(who, text);
    }
  }

  // Formats its arguments to one line of the manager.
  template <typename... Parts>
  void operator()(const Parts&... parts) {
    base::FixedText<768> text;
    (text << ... << parts);
    line("manager", text.text());
  }

  // The same without waiting for the lock, which may never come back.
  template <typename... Parts>
  void urgent(const Parts&... parts) {
    base::FixedText<768> text;
    (text << ... << parts);
    if (uart_ != nullptr) {
      write("manager", text.text());
    }
  }

  [[nodiscard]] const Lock& lock() const { return lock_; }

 private:
  void write(std::string_view who, std::string_view text) {
    base::FixedText<800> out;
    out << '[' << who << "] " << text;
    uart_->write(out.text());
    uart_->write("\r\n");
  }

  Lock lock_;
  const Uart* uart_ = nullptr;
};

}  // namespace lona::manager
