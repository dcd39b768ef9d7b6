// SPDX-License-Identifier: BSD-2-Clause
// Standard input and output of a host process, Ctrl-C, waiting and clocks.
//
// A signal handler only sets a flag and writes a byte to a pipe, which ends the poll() that a
// worker may be sleeping in, whether the signal comes before or after it falls asleep.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <mutex>

#include "vm/platform/linux/linux.hpp"

namespace lona::vm::platform {

namespace {

constexpr std::size_t kBufferSize = 64 * 1024;

struct Output {
  int fd;
  bool gone = false;  // the reader has closed its end
  std::size_t used = 0;
  std::uint64_t since = 0;  // when poll() first saw the bytes that wait; 0: it has not
  std::uint8_t buffer[kBufferSize];
};

std::recursive_mutex g_output_mutex;
Output g_output{.fd = STDOUT_FILENO, .buffer = {}};
bool g_prompt = false;
std::atomic<bool> g_input_wanted{false};

// The simulated clock; 0: time is the machine's. A round of the scheduler looks at it once.
constexpr std::uint64_t kLookNs = 50'000;
std::uint64_t g_simulated_ns = 0;
bool g_terminal_out = false;
bool g_raw = false;
termios g_saved;
int g_wake[2] = {-1, -1};
std::atomic<bool> g_interrupt{false};
std::atomic<int> g_untaken{0};

void wake() {
  const char byte = 0;
  (void)!::write(g_wake[1], &byte, 1);
}

void on_interrupt(int) {
  const int saved = errno;
  g_interrupt = true;
  // Nobody took the last ones: the VM hangs in native code, and the user wants out.
  if (++g_untaken > 3) {
    if (g_raw) tcsetattr(STDIN_FILENO, TCSANOW, &g_saved);
    _exit(130);
  }
  wake();
  errno = saved;
}

void on_window_change(int) {
  const int saved = errno;
  wake();
  errno = saved;
}

void on_termination(int signal) {
  if (g_raw) tcsetattr(STDIN_FILENO, TCSANOW, &g_saved);
  _exit(128 + signal);
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

void enter_raw_mode() {
  if (tcgetattr(STDIN_FILENO, &g_saved) != 0) return;
  termios raw = g_saved;
  raw.c_iflag &= ~static_cast<tcflag_t>(ICRNL | INLCR | IGNCR | IXON | ISTRIP);
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  raw.c_cc[VQUIT] = _POSIX_VDISABLE;  // Ctrl-C alone stays a signal
  raw.c_cc[VSUSP] = _POSIX_VDISABLE;
  g_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

// Writes everything; false when the reader has gone.
bool write_all(int fd, const std::uint8_t* bytes, std::size_t count) {
  while (count != 0) {
    const ssize_t n = ::write(fd, bytes, count);
    if (n > 0) {
      bytes += n;
      count -= static_cast<std::size_t>(n);
    } else if (n < 0 && errno == EAGAIN) {
      pollfd p{.fd = fd, .events = POLLOUT, .revents = 0};
      ::poll(&p, 1, -1);
    } else if (n < 0 && errno != EINTR) {
      return false;
    }
  }
  return true;
}

bool flush_output() {
  if (g_output.used != 0 && !g_output.gone) {
    g_output.gone = !write_all(g_output.fd, g_output.buffer, g_output.used);
  }
  g_output.used = 0;
  g_output.since = 0;
  return !g_output.gone;
}

std::uint64_t clock_ns(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(t.tv_nsec);
}

}  // namespace

void open_wake_pipe() {
  if (g_wake[0] >= 0) return;
  if (pipe2(g_wake, O_NONBLOCK | O_CLOEXEC) != 0) panic("no pipe for signals");
}

void start_console(bool prompt) {
  g_prompt = prompt;
  g_terminal_out = isatty(STDOUT_FILENO) == 1;
  open_wake_pipe();
  handle(SIGINT, on_interrupt);
  handle(SIGWINCH, on_window_change);
  handle(SIGTERM, on_termination);
  handle(SIGHUP, on_termination);
  handle(SIGPIPE, SIG_IGN);
  if (terminal().interactive) enter_raw_mode();
}

void rouse_first() {
  wake();
}

void stop_console() {
  flush();
  if (g_raw) tcsetattr(STDIN_FILENO, TCSADRAIN, &g_saved);
  g_raw = false;
}

void simulate_clock() {
  g_simulated_ns = kLookNs;
}

std::uint64_t now_ns() {
  if (g_simulated_ns == 0) return clock_ns(CLOCK_MONOTONIC);
  return g_simulated_ns += kLookNs;
}

std::uint64_t wall_clock_ns() {
  return clock_ns(CLOCK_REALTIME);
}

void wait(std::uint64_t deadline_ns) {
  flush();
  pollfd fds[2] = {{.fd = g_wake[0], .events = POLLIN, .revents = 0},
                   {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}};
  timespec left = {};
  const std::uint64_t now = now_ns();
  if (g_simulated_ns != 0 && deadline_ns != kNoDeadline) {
    g_simulated_ns = std::max(now, deadline_ns);
  } else if (deadline_ns > now && deadline_ns != kNoDeadline) {
    left.tv_sec = static_cast<time_t>((deadline_ns - now) / 1'000'000'000);
    left.tv_nsec = static_cast<long>((deadline_ns - now) % 1'000'000'000);
  }
  ppoll(fds, g_input_wanted ? 2 : 1, deadline_ns == kNoDeadline ? nullptr : &left, nullptr);
  char drained[64];
  while (::read(g_wake[0], drained, sizeof drained) > 0) {
  }
}

// Output is seen soon, however long the program goes on computing.
void poll() {
  constexpr std::uint64_t kHeldBack = 5'000'000;
  const std::lock_guard lock(g_output_mutex);
  if (g_output.used == 0) return;
  const std::uint64_t now = now_ns();
  if (g_output.since == 0) g_output.since = now;
  if (now - g_output.since >= kHeldBack) flush_output();
}

bool take_interrupt() {
  if (!g_interrupt.load(std::memory_order_relaxed)) return false;
  g_untaken = 0;
  return g_interrupt.exchange(false);
}

bool write(Stream stream, std::span<const std::uint8_t> bytes) {
  const std::lock_guard lock(g_output_mutex);
  if (stream == Stream::kError) {
    flush_output();  // so that the two streams keep their order on one terminal
    return write_all(STDERR_FILENO, bytes.data(), bytes.size());
  }
  if (bytes.size() > kBufferSize - g_output.used && !flush_output()) return false;
  if (bytes.size() > kBufferSize) {
    g_output.gone = g_output.gone || !write_all(g_output.fd, bytes.data(), bytes.size());
    return !g_output.gone;
  }
  std::memcpy(g_output.buffer + g_output.used, bytes.data(), bytes.size());
  g_output.used += bytes.size();
  return !g_output.gone;
}

void flush() {
  const std::lock_guard lock(g_output_mutex);
  flush_output();
}

ReadResult read(std::span<std::uint8_t> buffer) {
  pollfd p{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  if (buffer.empty() || ::poll(&p, 1, 0) <= 0) return {.bytes = 0, .end_of_input = false};
  const ssize_t n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  if (n > 0) g_input_wanted = false;
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return {.bytes = 0, .end_of_input = false};
  return {.bytes = n > 0 ? static_cast<std::size_t>(n) : 0, .end_of_input = n <= 0};
}

void want_input() {
  g_input_wanted = true;
}

Terminal terminal() {
  Terminal t{.interactive = g_prompt && isatty(STDIN_FILENO) == 1 && g_terminal_out,
             .color = false,
             .columns = 80,
             .rows = 24};
  const char* kind = getenv("TERM");
  t.color = t.interactive && getenv("NO_COLOR") == nullptr &&
            (kind == nullptr || std::string_view(kind) != "dumb");
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) {
    t.columns = size.ws_col;
    t.rows = size.ws_row;
  }
  return t;
}

}  // namespace lona::vm::platform
