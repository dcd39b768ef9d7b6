%% SPDX-License-Identifier: BSD-2-Clause
%% Naive recursive Fibonacci: calls, comparisons and small integer arithmetic.
%% main([N, Times]): one operation is one whole fib(N).
%% fib(30) makes 2 692 537 calls.
-module(fib).
-export([main/1]).

main([NArg, TimesArg]) ->
    N = list_to_integer(NArg),
    Times = list_to_integer(TimesArg),
    Expected = by_addition(N, 0, 1),
    bench:run("fib", Times,
              fun() -> bench:repeat(Times, fun() -> Expected = fib(N) end) end).

fib(N) when N < 2 -> N;
fib(N) -> fib(N - 1) + fib(N - 2).

by_addition(0, A, _B) -> A;
by_addition(N, A, B) -> by_addition(N - 1, B, A + B).
