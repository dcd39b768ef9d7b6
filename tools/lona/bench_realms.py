# SPDX-License-Identifier: BSD-2-Clause
"""What does a realm cost: to make, to end, to talk to, to have?

The booted system measures itself. The machine runs with `-icount shift=0`, where a nanosecond of
its clock is an instruction, so the figures are the same on every computer.
"""

import os
import re
import socket
import subprocess
import tempfile

from . import bench_kernel, link, machine
from .build import build
from .common import BUILD, KERNEL, Problem
from .tables import table

_ROUNDS = 20
_REALMS = 10_000  # half a minute
_MESSAGES = 5_000
_REPLACEMENTS = 1_000
_CLIENTS = 4
# A program of the tests that stands in for the VM, so that nothing but the manager is measured.
_PROBE = BUILD / "x86_64" / "tests" / "manager" / "manager-probe.elf"
# What is promised: so much at most, or from so much to so much. A millisecond is a million
# instructions.
_BOUNDS = {
    "create, until it evaluates its first form": 1_000_000,
    "terminate": 1_000_000,
    f"bytes lost in {_REALMS} rounds of create and terminate": 0,
    "bytes that an idle realm costs its parent, with all that the manager needs": 512 << 10,
    "round trip to a child": 10_000,
    "round trip to a child, in hundredths of one in a realm": 2_000,
    "round trip between two children": 10_000,
    "round trip of 1 MiB to a child": 1_000_000,  # copied it would be three times that
    "the same 1 MiB, sent again": 100_000,
    "request for one page": 5_000,
    "request for one page, in the mean, with the zeroing of blocks": 5_000,
    f"answers lost or wrong, of {_CLIENTS * _REPLACEMENTS}": 0,
    "time of a realm with :max 0.30 that spins, in millionths": (290_000, 310_000),
    "the same with :min and :max 0.20, beside eight": (190_000, 210_000),
    "meanwhile: latest wake of the first realm after a sleep of 5 ms": 10_000_000,
    "meanwhile: longest wait for the manager's answer": 10_000_000,
    "bytes of a realm with :memory :max 16 MiB that takes all it can": 16 << 20,
    "MiB less that one with :memory :min 16 MiB gets when another has taken all it can": 0,
    "time of 1001 realms that spin, the topmost with :max 0.10, in millionths": (90_000, 110_000),
}

_PROGRAM = [
    "(defn now [] (monotonic-time))",
    "(defn median [xs] (nth (sort xs) (quot (count xs) 2)))",
    "(defn row [name value] (println \"row\" value name))",
    "(defn memory [] (get-in (realm-info (self-realm)) [:resource-usage :memory]))",
    "(realm-terminate (realm-create %{:name 'first}))",
    # To the first form that the child evaluates, and its end.
    """(defn life [_]
         (let [start (now)
               realm (realm-create %{:name 'child})
               made (now)
               ran (match (realm-eval realm "(monotonic-time)") [:ok t] t)
               before (now)]
           (realm-terminate realm)
           [(- made start) (- ran start) (- (now) before)]))""",
    f"(def lives (map life (range {_ROUNDS})))",
    "(row \"create and start a realm\" (median (map (fn [[a _ _]] a) lives)))",
    "(row \"create, until it evaluates its first form\" (median (map (fn [[_ b _]] b) lives)))",
    "(row \"terminate\" (median (map (fn [[_ _ c]] c) lives)))",
    # Without a list of all the numbers: one that long is memory of this realm's own.
    """(defn rounds [n] (match n 0 :ok
         _ (do (realm-terminate (realm-create %{:name 'r})) (rounds (- n 1)))))""",
    "(def before (memory))",
    f"(rounds {_REALMS})",
    f"(row \"bytes lost in {_REALMS} rounds of create and terminate\" (- (memory) before))",
    # In all: what there is less of for this realm, but for what is empty in the child's part.
    "(defn empty [realm] (:memory-free (lona.realm/figures* realm)))",
    "(def before (empty (self-realm)))",
    "(def idle (realm-create %{:name 'idle}))",
    "(realm-eval idle \"(+ 1 2)\")",
    "(row \"bytes of an idle realm's pages\" (:memory-used (lona.realm/figures* idle)))",
    """(row "bytes that an idle realm costs its parent, with all that the manager needs"
            (- before (empty (self-realm)) (empty idle)))""",
    "(realm-terminate idle)",
    # A round trip in one realm, and to a child.
    """(defn echo [] (receive [from x] (do (send from x) (echo))))""",
    """(defn ask [pid me n] (match n 0 :ok
         _ (do (send pid [me n]) (receive x when (= x n) x) (ask pid me (- n 1)))))""",
    """(defn round-trip [pid n] (let [start (now)] (ask pid (self) n) (quot (- (now) start) n)))""",
    "(def here (spawn echo))",
    f"(def own-trip (do (round-trip here 10) (round-trip here {_MESSAGES})))",
    "(row \"round trip in a realm\" own-trip)",
    "(def child (realm-create %{:name 'child :policy %{:memory %{:max 33554432}}}))",
    """(def there (match (realm-eval child "(defn echo [] (receive [from x] (do (send from x)
         (echo)))) (spawn (fn [] (echo)))") [:ok pid] pid))""",
    f"(def child-trip (do (round-trip there 10) (round-trip there {_MESSAGES})))",
    "(row \"round trip to a child\" child-trip)",
    """(row "round trip to a child, in hundredths of one in a realm"
         (quot (* 100 child-trip) own-trip))""",
    """(defn long-trip [size] (let [bytes (bytebuf->binary (bytebuf-alloc size)) start (now)]
         (do (send there [(self) bytes]) (receive x (- (now) start)))))""",
    # The first ones are also the first use of the memory that they take.
    """(defn long-trips [size] (do (dotimes [_ 4] (long-trip size))
                                   (median (map (fn [_] (long-trip size)) (range 7)))))""",
    "(row \"round trip of 64 KiB to a child\" (long-trips 65536))",
    "(row \"round trip of 1 MiB to a child\" (long-trips 1048576))",
    """(row "the same 1 MiB, sent again"
         (let [mib (bytebuf->binary (bytebuf-alloc 1048576))
               trip (fn [_] (let [start (now)]
                      (do (send there [(self) mib]) (receive x (- (now) start)))))]
           (do (trip 0) (median (map trip (range 7))))))""",
    # And from one child to another, through a channel of their own.
    "(def beside (realm-create %{:name 'beside}))",
    "(realm-eval child \"(offer-service 'echo (spawn (fn [] (echo))))\")",
    "(grant-service 'echo child beside)",
    f"""(row "round trip between two children"
         (match (realm-eval beside "(do (defn ask [pid me n] (match n 0 :ok
              _ (do (send pid [me n]) (receive x when (= x n) x) (ask pid me (- n 1)))))
            (let [echo (connect-service 'echo)]
              (do (ask echo (self) 10)
                  (let [start (monotonic-time)]
                    (do (ask echo (self) {_MESSAGES})
                        (quot (- (monotonic-time) start) {_MESSAGES}))))))" 60000)
           [:ok n] n))""",
    "(realm-terminate beside)",
    # Live update: a server in a child calls a function of this realm, which replaces it.
    "(defn one [n] [1 (* 2 n)])",
    "(defn other [n] [2 (* 2 n)])",
    "(def answer one)",
    """(defn next-call [] (receive from (do (send from (let [start (monotonic-time)] (answer 1)
         (- (monotonic-time) start))) (next-call))))""",
    "(def calls (spawn-in child next-call))",
    """(defn replaced [i] (let [f (if (even? i) one other) start (now)] (def answer f)
         (let [spent (- (now) start)] (send calls (self)) (receive x [spent x]))))""",
    "(dotimes [i 10] (replaced i))",
    "(def times (map replaced (range 100)))",
    "(row \"`def` of a function that a child calls\" (median (map first times)))",
    "(row \"the child's next call of it\" (median (map second times)))",
    "(def oldest 0)",
    "(def newest 0)",
    "(defn answer [n] [0 (* 2 n)])",
    "(defn serve [] (receive [from n] (do (send from [n (answer n)]) (serve))))",
    "(def server (spawn-in child serve))",
    # As good: the answer to this question, by a function no older than the question.
    """(defn client [main left good] (if (= left 0) (send main [:good good])
         (let [low oldest] (send server [(self) left])
           (receive [n [v x]]
             (client main (- left 1)
               (if (and (= n left) (= x (* 2 n)) (<= low v newest)) (+ good 1) good))
             :after 20000 (send main [:good good])))))""",
    f"""(defn replace-code [i] (if (<= i {_REPLACEMENTS})
         (do (def newest i) (eval (list 'defn 'answer ['n] [i '(* 2 n)])) (def oldest i) (yield)
             (replace-code (+ i 1))) :done))""",
    f"""(let [me (self) start (now)]
         (dotimes [_ {_CLIENTS}] (spawn (fn [] (client me {_REPLACEMENTS} 0))))
         (replace-code 1)
         (row "the same under load, compiled each time" (quot (- (now) start) {_REPLACEMENTS}))
         (row "answers lost or wrong, of {_CLIENTS * _REPLACEMENTS}"
              (reduce (fn [left _] (receive [:good n] (- left n)))
                      {_CLIENTS * _REPLACEMENTS} (range {_CLIENTS}))))""",
    # A second of a child that spins, with three tenths of the processor.
    """(defn spinning [policy]
         (let [realm (realm-create %{:name 'spinner :policy policy})]
           (realm-eval realm "(defn spin [] (spin)) (spawn (fn [] (spin))) nil")
           realm))""",
    "(def spinner (spinning %{:cpu %{:max 0.3}}))",
    "(defn used [realm] (:cpu-us (lona.realm/figures* realm)))",
    """(defn part [realm ms]
         (let [start (now) from (used realm)] (sleep ms)
           (quot (* 1000000000 (- (used realm) from)) (- (now) start))))""",
    "(row \"time of a realm with :max 0.30 that spins, in millionths\" (part spinner 2000))",
    # Among eight that spin without a limit: one sure of a fifth, this realm and the manager.
    "(def sure (spinning %{:cpu %{:min 0.2 :max 0.2}}))",
    "(def crowd (map (fn [_] (spinning %{})) (range 8)))",
    "(row \"the same with :min and :max 0.20, beside eight\" (part sure 2000))",
    """(defn worst [n f] (reduce (fn [most _] (max most (f))) 0 (range n)))""",
    """(row "meanwhile: latest wake of the first realm after a sleep of 5 ms"
            (worst 100 (fn [] (let [start (now)] (sleep 5) (- (now) start 5000000)))))""",
    """(row "meanwhile: longest wait for the manager's answer"
            (worst 100 (fn [] (sleep 5)
                              (let [start (now)] (used sure) (- (now) start)))))""",
    # Memory: one realm takes all it can, and what was set aside for another is there all the same.
    "(do (realm-terminate spinner) (realm-terminate sure) (each realm-terminate crowd))",
    # As many blocks of a mebibyte as there is memory for: each is held by a process of its own.
    """(defn filled [realm] (match (realm-eval realm "(defn fill [n] (let [me (self)] (spawn (fn []
         (let [b (bytebuf-alloc 1048576)] (do (send me :held) (receive :never b)))))
         (receive :held (fill (+ n 1)) :after 1000 n))) (fill 0)" 60000) [:ok n] n))""",
    "(defn at-most [size] (realm-create %{:name 'm :policy %{:memory %{:max size}}}))",
    """(def alone (let [realm (at-most 16777216) n (filled realm)]
         (row "bytes of a realm with :memory :max 16 MiB that takes all it can"
              (:memory (:resource-usage (realm-info realm))))
         (realm-terminate realm) n))""",
    """(let [sure (realm-create %{:name 'sure :policy %{:memory %{:min 16777216}}})
          greedy (realm-create %{:name 'greedy :policy %{:memory %{:min 1048576
                                                                   :max 1000000000}}})]
         (row "MiB that the other has then" (filled greedy))
         (row "MiB less that one with :memory :min 16 MiB gets when another has taken all it can"
              (- alone (filled sure))))""",
]


def _evaluate(program):
    with tempfile.TemporaryDirectory(prefix="lona-") as folder, \
            socket.socket(socket.AF_UNIX) as listener:
        path = os.path.join(folder, "link")
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(20)
        settings = machine.Settings(extra=["-icount", "shift=0,sleep=off"])
        words = machine.command(settings, f"file,path={folder}/log", f"socket,path={path}")
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True) as guest:
            try:
                connection = listener.accept()[0]
                connection.settimeout(600)
                return _said(connection, program)
            except TimeoutError:
                raise Problem("the system did not answer while it was measured") from None
            finally:
                guest.kill()


def _said(connection, program):
    decoder, taken, said = link.Decoder(), link.Taken(), b""
    while data := connection.recv(4096):
        for kind, payload in decoder.feed(data):
            connection.sendall(taken.count(payload))
            if kind == link.READY:
                connection.sendall(link.start("run", {"tty": 0}, ["bench.lona"]))
                connection.sendall(b"".join(link.source(program.encode())))
            elif kind in (link.OUT, link.ERR):
                said += payload
            elif kind == link.ENDED:
                return said.decode(errors="replace")
    raise Problem(f"the machine ended while it was measured\n{said.decode(errors='replace')}")


def _page_requests():
    said = bench_kernel.output(KERNEL, _PROBE, b"requests done")
    rows = re.findall(r"a request for (\d+) pages in (\d+) ticks, in the mean (\d+)", said)
    if len(rows) != 2:
        raise Problem(f"the pages were not measured:\n{said[-1000:]}")
    for count, median, mean in rows:
        name = "request for one page" if count == "1" else f"request for {count} pages at once"
        yield name, median
        yield name + ", in the mean, with the zeroing of blocks", mean


def _crowd():
    """A probe that makes a thousand realms and lets all of them spin."""
    said = bench_kernel.output(KERNEL, _PROBE, b"were taken down in", memory=5120,
                               clock=("-icount", "shift=1,sleep=off"))
    found = re.search(r"(\d+) realms with a share of 100000 used (\d+)", said)
    if not found:
        raise Problem(f"the crowd of realms was not measured:\n{said[-1000:]}")
    yield (f"time of {found[1]} realms that spin, the topmost with :max 0.10, in millionths",
           found[2])


def _digits(number):
    return f"{int(number):,}".replace(",", " ")


def _promised(name):
    bound = _BOUNDS.get(name)
    if bound is None:
        return ""
    return " to ".join(map(_digits, bound)) if isinstance(bound, tuple) else _digits(bound)


def _kept(name, value):
    bound = _BOUNDS.get(name)
    least, most = bound if isinstance(bound, tuple) else (0, bound)
    return bound is None or least <= int(value) <= most


def bench_realms(_options, progress):
    """Making, ending and talking to a realm, in guest instructions."""
    build("x86_64")
    progress.show("bench realms")
    said = _evaluate("\n".join(_PROGRAM))
    rows = [(name, value) for value, name in re.findall(r"^row (-?\d+) (.*)$", said, re.MULTILINE)]
    if not rows:
        progress.clear()
        raise Problem(f"the program failed:\n{said[-2000:]}")
    rows += [*_page_requests(), *_crowd()]
    progress.clear()
    table("Realms (one guest instruction is one nanosecond)", ("", "instructions", "promised"),
          [(name, _digits(value), _promised(name)) for name, value in rows])
    missing = set(_BOUNDS) - {name for name, _ in rows}
    broken = [name for name, value in rows if not _kept(name, value)]
    if missing or broken:
        raise Problem("\n".join([*(f"not measured: {name}" for name in sorted(missing)),
                                 *(f"not as promised: {name}" for name in broken)]
                                + ([said[-1000:]] if missing else [])))
