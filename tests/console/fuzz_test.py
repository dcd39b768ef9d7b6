#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whatever text arrives at `batch`, the VM answers and does not crash. Runs under sanitizers.

The texts are forms of the language, cut, joined and with bytes changed: seeded, so that a failure
can be repeated. None of the words waits or loops, so that an answer must come."""

import os
import random
import subprocess
import unittest

import support

VM = support.ROOT / "build" / "asan" / "vm" / "lona-vm"
ROUNDS = int(os.environ.get("LONA_FUZZ_ROUNDS", "12"))
FORMS_PER_ROUND = 150

CORPUS = """\
(+ 1 2) (* 3 4 5) (- 7) (quot 17 5) (= 1 1) (< 1 2 3) [1 [2 [3]]] {1 2 {3}} %{:a 1 :b [2]}
#{1 2 3} '(a b c) `(a ~(+ 1 2) ~@[3 4]) "text \\n \\" \\\\
\\u{1f600}" :keyword 'symbol/name \\a \\newline
(def x 5) (def ^%{:doc "d"} y 6) ((fn* [a & b] b) 1 2 3) (match [1 2] [a b] when (< a b) a _ 0)
(let [a 1 b 2] (+ a b)) (if true 1 2) (defn f [x] (* x x)) (f 12) (map inc [1 2 3]) (first '(1 2))
(nth [1 2 3] 1) (get %{:a 1} :a) (put %{} :k :v) (count "text") (str "a" 1 :b) (subs "hello" 1 3)
(apply + [1 2 3]) (read-string "(1 2 3)") (eval '(+ 1 2)) (-> 5 inc) (and 1 2) (or nil 3)
(reduce + 0 [1 2 3]) (filter even? (range 10)) (sort [3 1 2]) (concat '(1) '(2)) (keys %{1 2})
(macroexpand-1 '(when a b)) (gensym) #(+ % 1) #'x #_ ignored (type 5) (not= 1 2) (reverse '(1 2))
(self) (send (self) 1) (exit :normal) (exit :reason) (make-ref) (spawn (fn* [] 1)) (hash "x")
4611686018427387904 -4611686018427387905 99999999999999999999 0xff 0b101 1.5 1/2 nil true false
""".encode()


def texts(source):
    """One round's input: pieces of the corpus, some of them damaged."""
    words = CORPUS.split()
    for _ in range(FORMS_PER_ROUND):
        at = source.randrange(len(words))
        piece = bytearray(b" ".join(words[at:at + source.randint(1, 12)]))
        for _ in range(source.choice((0, 0, 1, 1, 2, 6))):
            where = source.randrange(len(piece) + 1)
            change = source.random()
            if change < 0.4:
                piece[where:where] = source.choice((b"(", b")", b"[", b"]", b"{", b"}", b"%{", b'"',
                                                    b"'", b"`", b"~", b"^", b"#", b"\\", b";"))
            elif change < 0.7:
                del piece[where:where + source.randint(1, 4)]
            else:
                piece[where:where] = source.randbytes(source.randint(1, 3))
        yield bytes(piece)


class Fuzz(unittest.TestCase):
    def test_the_vm_answers_whatever_it_reads(self):
        for seed in range(ROUNDS):
            text = b"\n".join(texts(random.Random(seed))) + b"\n(+ 40 2)\n"
            with self.subTest(seed=seed):
                done = subprocess.run([VM, "--lib", support.ROOT, "--memory", "256", "batch"],
                                      input=text, capture_output=True, timeout=240, check=False)
                self.assertEqual(done.returncode, 0, done.stderr[-3000:].decode(errors="replace"))
                self.assertNotIn(b"Sanitizer", done.stderr)
                self.assertTrue(done.stdout, "no answer at all")

    def test_deep_nesting_is_an_answer_too(self):
        for opening, closing in ((b"(", b")"), (b"[", b"]"), (b"{", b"}"), (b"'", b""),
                                 (b"#{", b"}"), (b"`(", b")"), (b"[:a [", b"]]")):
            with self.subTest(opening=opening):
                text = opening * 100000 + closing * 100000 + b"\n(+ 40 2)\n"
                done = subprocess.run([VM, "--lib", support.ROOT, "--memory", "512", "batch"],
                                      input=text, capture_output=True, timeout=240, check=False)
                self.assertEqual(done.returncode, 0, done.stderr[-3000:].decode(errors="replace"))
                self.assertTrue(done.stdout)


if __name__ == "__main__":
    unittest.main()
