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
    if (uart_ == nullptr) {
      return;
    }
    base::FixedText<800> out;
    out << '[' << who << "] " << text;
    const Guard guard(lock_);
    uart_->write(out.text());
    uart_->write("\r\n");
  }

  // Formats its arguments to one line of the manager.
  template <typename... Parts>
  void operator()(const Parts&... parts) {
    base::FixedText<768> text;
    (text << ... << parts);
    line("manager", text.text());
  }

 private:
  Lock lock_;
  const Uart* uart_ = nullptr;
};

}  // namespace lona::manager
