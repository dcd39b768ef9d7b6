% SPDX-License-Identifier: BSD-2-Clause
% The work of bench/vm/ring.lona in Erlang.
-module(ring).
-export([main/0]).

-define(SIZE, 1000).
-define(ROUNDS, 200).

main() ->
    First = build(?SIZE - 1, self()),
    repetition(First, 6),
    First ! stop,
    receive stop -> stopped end.

repetition(_, 0) -> ok;
repetition(First, N) ->
    Start = erlang:monotonic_time(nanosecond),
    turn(First, ?ROUNDS),
    Spent = erlang:monotonic_time(nanosecond) - Start,
    io:format("ring ~b ~b~n", [?SIZE * ?ROUNDS, Spent]),
    repetition(First, N - 1).

turn(_, 0) -> done;
turn(First, Left) ->
    First ! Left,
    receive Left -> arrived end,
    turn(First, Left - 1).

build(0, Next) -> Next;
build(N, Next) -> build(N - 1, spawn(fun() -> member(Next) end)).

member(Next) ->
    receive
        stop -> Next ! stop;
        N -> Next ! N, member(Next)
    end.
