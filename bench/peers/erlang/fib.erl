% SPDX-License-Identifier: BSD-2-Clause
% The work of bench/vm/fib.lona in Erlang.
-module(fib).
-export([main/0]).

main() -> repetition(6).

repetition(0) -> ok;
repetition(N) ->
    Start = erlang:monotonic_time(nanosecond),
    832040 = fib(30),
    io:format("fib 1 ~b~n", [erlang:monotonic_time(nanosecond) - Start]),
    repetition(N - 1).

fib(N) when N < 2 -> N;
fib(N) -> fib(N - 1) + fib(N - 2).
