#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Random questions to Lonala and to Python: arithmetic on numbers of all kinds, reading and
printing them, case and classes of characters, sets and vectors. Python's answer is right."""

import ctypes
import decimal
import fractions
import itertools
import math
import operator
import random
import unicodedata
import unittest

import support

SEED = 20260101
SIZES = (1, 4, 8, 30, 59, 60, 61, 62, 63, 64, 65, 128, 500, 2500)


def written(value):
    """As Lonala prints it; floats are compared as decimals, see `same`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, fractions.Fraction) and value.denominator == 1:
        return str(value.numerator)
    return str(value)


def float_text(x):
    if math.isinf(x):
        return "##Inf" if x > 0 else "##-Inf"
    return repr(x)


def same(answer, expected):
    if not isinstance(expected, float):
        return answer == written(expected)
    if math.isinf(expected) or math.isnan(expected):
        return answer == ("##NaN" if math.isnan(expected) else float_text(expected))
    try:
        # Both have as few digits as tell the float from its neighbours.
        return (decimal.Decimal(answer) == decimal.Decimal(repr(expected)) and "." in answer
                and math.copysign(1, float(answer)) == math.copysign(1, expected))
    except decimal.InvalidOperation:
        return False


class Questions:
    """Each method gives (form, what it must give)."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self._kinds = [getattr(self, name) for name in sorted(dir(self)) if name.startswith("ask_")]

    def __iter__(self):
        for ask in itertools.cycle(self._kinds):
            yield ask()

    def integer(self, sizes=SIZES):
        value = self._random.getrandbits(self._random.choice(sizes))
        return self._random.choice((value, -value, value + 1, -value - 1))

    def divisor(self, sizes=SIZES):
        return self.integer(sizes) or 7

    def ratio(self):
        return fractions.Fraction(self.integer(SIZES[:-2]), abs(self.divisor(SIZES[:-2])))

    def real(self):
        kind = self._random.randrange(4)
        if kind == 0:
            return self._random.uniform(-1000, 1000)
        if kind == 1:
            return float(self.integer((8, 53, 54, 64)))
        if kind == 2:
            return self._random.choice((0.0, 0.5, 1.0, 1e22, 1e23, 5e-324, 2.2250738585072014e-308,
                                        1.7976931348623157e308))
        bits = self._random.getrandbits(64)
        value = ctypes.c_double.from_buffer(ctypes.c_uint64(bits)).value
        return value if math.isfinite(value) else 1.5

    def exact(self):
        return self._random.choice((self.integer, self.ratio))()

    def ask_sum(self):
        name, op = self._random.choice((("+", operator.add), ("-", operator.sub),
                                        ("*", operator.mul)))
        a, b = self.exact(), self.exact()
        return f"({name} {written(a)} {written(b)})", op(a, b)

    def ask_quotient(self):
        a, b = self.exact(), self.divisor()
        return f"(/ {written(a)} {b})", fractions.Fraction(a) / b

    def ask_whole_quotient(self):
        a, b = self.integer(), self.divisor()
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return self._random.choice(((f"(quot {a} {b})", quotient),
                                    (f"(rem {a} {b})", a - b * quotient),
                                    (f"(mod {a} {b})", a % b)))

    def ask_there_and_back(self):
        a, b = self.exact(), self.divisor()
        x = written(a)
        return (f"(let [x (- (+ {x} {b}) {b}) y (* (/ {x} {b}) {b})] [(= x {x}) (= y x) "
                f"(= (hash x) (hash y) (hash {x})) (get %{{x :found}} y)])",
                "[true true true :found]")

    def ask_order(self):
        a = self._random.choice((self.exact, self.real))()
        b = self._random.choice((self.exact, self.real, lambda: a))()
        x, y = (float_text(n) if isinstance(n, float) else written(n) for n in (a, b))
        name, op = self._random.choice((("<", operator.lt), ("<=", operator.le), (">", operator.gt),
                                        (">=", operator.ge), ("==", operator.eq)))
        return f"({name} {x} {y})", op(a, b)

    def ask_bits(self):
        a, b, n = self.integer(), self.integer(), self._random.randrange(200)
        return self._random.choice(((f"(bit-and {a} {b})", a & b), (f"(bit-or {a} {b})", a | b),
                                    (f"(bit-xor {a} {b})", a ^ b), (f"(bit-not {a})", ~a),
                                    (f"(bit-shl {a} {n})", a << n), (f"(bit-shr {a} {n})", a >> n),
                                    (f"(bit-test {a} {n})", bool(a >> n & 1))))

    def ask_fixed_width(self):
        bits, signed = self._random.choice((8, 16, 32, 64)), self._random.random() < 0.5
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        ends = (low, low + 1, high, high - 1, 1, 0)
        a, b = (self._random.choice((self._random.randint(low, high), self._random.choice(ends)))
                for _ in range(2))
        name = f"{'i' if signed else 'u'}{bits}"
        short, word, op = self._random.choice((("+", "add", operator.add),
                                               ("-", "sub", operator.sub),
                                               ("*", "mul", operator.mul)))
        result = op(a, b)
        wrapped = (result - low) % (1 << bits) + low
        nearest = min(max(result, low), high)
        checked = f"[:ok {result}{name}]" if low <= result <= high else "[:error :overflow]"
        return (f"[({short} {a}{name} {b}{name}) (saturating-{word} {a}{name} {b}{name}) "
                f"(checked-{word} {a}{name} {b}{name})]",
                f"[{wrapped}{name} {nearest}{name} {checked}]")

    def ask_float(self):
        a, b = self.real(), self.real()
        name, op = self._random.choice((("+", operator.add), ("-", operator.sub),
                                        ("*", operator.mul), ("/", operator.truediv)))
        if name == "/" and b == 0:
            b = 3.0
        return f"({name} {float_text(a)} {float_text(b)})", op(a, b)

    def ask_mixed(self):
        a, b = self.integer(SIZES[:-2]), self.real()
        name, op = self._random.choice((("+", operator.add), ("-", operator.sub),
                                        ("*", operator.mul)))
        return f"({name} {a} {float_text(b)})", op(float(a), b)

    def ask_nearest_float(self):
        a = self.exact()
        if abs(a) >= 1 << 1000:
            a = self.ratio()
        return f"(f64 {written(a)})", a.numerator / a.denominator

    def ask_exact_float(self):
        a = self.real()
        return f"(exact {float_text(a)})", fractions.Fraction(a)

    def ask_reading(self):
        digits = "".join(self._random.choice("0123456789")
                         for _ in range(self._random.choice((1, 5, 17, 18, 40, 800))))
        at = self._random.randrange(len(digits)) + 1
        text = f"{digits[:at]}.{digits[at:] or '0'}e{self._random.randint(-330, 300) - at}"
        sign = self._random.choice(("", "-"))
        return sign + text, float(sign + text)

    def ask_single(self):
        value = ctypes.c_float(self._random.uniform(-1e6, 1e6)).value
        return (f"(let [x (f32 {float_text(value)})] [(== x {float_text(value)}) "
                "(= x (read-string (pr-str x)))])", "[true true]")

    def ask_radix(self):
        a, radix = self.integer(), self._random.randint(2, 36)
        digits, rest = "", abs(a)
        while rest or not digits:
            rest, digit = divmod(rest, radix)
            digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
        text = ("-" if a < 0 else "") + digits
        sign = "-" if a < 0 else ""
        return (f'[(= {sign}{radix}r{digits} {a}) (= (lona.math/to-radix {a} {radix}) "{text}")]',
                "[true true]")

    def ask_roots(self):
        a, b = self.integer(), self.integer()
        return (f"[(lona.math/gcd {a} {b}) (lona.math/integer-sqrt {abs(a)})]",
                f"[{math.gcd(a, b)} {math.isqrt(abs(a))}]")

    def ask_set(self):
        most = self._random.choice((5, 12, 60))
        a, b = ({self._random.randrange(most) for _ in range(self._random.randrange(most))}
                for _ in range(2))
        x, y = ("#{" + " ".join(map(str, s)) + "}" for s in (a, b))
        name, op = self._random.choice((("union", operator.or_), ("intersection", operator.and_),
                                        ("difference", operator.sub),
                                        ("symmetric-difference", operator.xor)))
        elements = " ".join(map(str, sorted(op(a, b))))
        return (f"[(->tuple (sort (lona.set/{name} {x} {y}))) (lona.set/subset? {x} {y}) "
                f"(= {x} {y})]", f"[[{elements}] {written(a <= b)} {written(a == b)}]")

    def ask_map(self):
        """Entries that come, change and go, in a map of a few entries or of many."""
        most = self._random.choice((6, 12, 200))
        keys = [f'"k{i}"' if i % 3 else f":k{i}" if i % 2 else str(i << 70) for i in range(most)]
        model, form = {}, "%{}"
        for _ in range(self._random.randint(1, 12)):
            kind = self._random.randrange(4)
            some = {self._random.choice(keys): self._random.randrange(1000)
                    for _ in range(self._random.randint(1, most if kind == 0 else 3))}
            entries = " ".join(f"{k} {v}" for k, v in some.items())
            if kind == 0:
                model, form = {**model, **some}, f"(merge {form} %{{{entries}}})"
            elif kind < 3:
                model = {**model, **some}
                for k, v in some.items():
                    form = f"(put {form} {k} {v})"
            else:
                form = f"(reduce dissoc {form} (list {' '.join(some)}))"
                model = {k: v for k, v in model.items() if k not in some}
        asked = [self._random.choice(keys) for _ in range(5)]
        found = " ".join(str(model.get(k, ":none")) for k in asked)
        again = list(model.items())
        self._random.shuffle(again)
        same_map = "%{" + " ".join(f"{k} {v}" for k, v in again) + "}"
        gets = " ".join(f"(get m {k} :none)" for k in asked)
        return (f"(let [m {form} n {same_map}] [(count m) (reduce + 0 (vals m)) {gets} (= m n) "
                f"(= (hash m) (hash n)) (= (set (keys m)) (set (keys n)))])",
                f"[{len(model)} {sum(model.values())} {found} true true true]")

    def ask_vector(self):
        """A vector of some thousand elements, cut and put together a few times."""
        model, form = list(range(3000)), "(vec (range 3000))"
        for _ in range(self._random.randint(1, 4)):
            size = self._random.randrange(len(model) + 1)
            at = self._random.randrange(len(model) - size + 1)
            form = f"(let [v {form}] (vector-concat (vector-slice v {at} {size}) v))"
            model = model[at:at + size] + model
        places = [self._random.randrange(len(model)) for _ in range(5)]
        picked = " ".join(str(model[i]) for i in places)
        return (f"(let [v {form}] [(count v) (reduce + v) (->tuple (map #(nth v %) {{"
                f"{' '.join(map(str, places))}}}))])", f"[{len(model)} {sum(model)} [{picked}]]")


class OnHost(support.Both):
    questions = 6000

    def ask(self, questions):
        done = self.lona("batch", stdin="".join(q + "\n" for q, _ in questions).encode())
        answers = done.stdout.decode().splitlines()
        self.assertEqual(len(answers), len(questions), done.stderr)
        wrong = [f"{form}\n  gives {answer}\n  not   {expected}"
                 for (form, expected), answer in zip(questions, answers)
                 if not same(answer, expected)]
        self.assertEqual(wrong, [], f"{len(wrong)} of {len(questions)}; seed {SEED}")

    def test_a_wrong_answer_is_noticed(self):
        for wrong in (("(+ 1 1)", 3), ("(/ 1 3)", fractions.Fraction(1, 4)), ("(+ 0.1 0.2)", 0.3),
                      ("(union* 1)", 1), ("%{:a 1}", "%{:a 2}")):
            with self.assertRaises(AssertionError):
                self.ask([("(+ 40 2)", 42), wrong])

    def test_answers_are_those_of_python(self):
        self.ask(list(itertools.islice(iter(Questions(SEED)), self.questions)))

    def test_characters_have_the_case_and_class_that_unicode_says(self):
        def codes(text):
            return ",".join(str(ord(c)) for c in text)

        questions = [('(defn about [n] (let [s (str (char n)) c #(join "," (map code %))] '
                      '(join " " [n (c (upper-case s)) (c (lower-case s)) '
                      '(c (lona.string/capitalize s)) (c (lona.string/fold-case s)) '
                      '(name (lona.string/category (char n)))])))', "#'lona.user/about")]
        # Characters of old, on which all versions of the tables agree.
        known = [n for n in range(0x20000)
                 if unicodedata.ucd_3_2_0.category(chr(n)) not in ("Cn", "Cs")]
        for at in range(0, len(known), 256):
            some = known[at:at + 256]
            lines = [" ".join((str(n), codes(chr(n).upper()), codes(chr(n).lower()),
                               codes(chr(n).title()), codes(chr(n).casefold()),
                               unicodedata.category(chr(n)))) for n in some]
            questions.append((f'(join "|" (map about {{{" ".join(map(str, some))}}}))',
                              '"' + "|".join(lines) + '"'))
        self.ask(questions[:self.questions // 10])


class Booted(OnHost):
    platform = []
    questions = 500


if __name__ == "__main__":
    unittest.main()
