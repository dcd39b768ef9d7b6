% SPDX-License-Identifier: BSD-2-Clause
% The work of bench/vm/pingpong.lona in Erlang.
-module(pingpong).
-export([main/0]).

-define(OPERATIONS, 50000).

main() ->
    Other = spawn(fun answer/0),
    repetition(Other, 6),
    Other ! stop.

repetition(_, 0) -> ok;
repetition(Other, N) ->
    Start = erlang:monotonic_time(nanosecond),
    ask(Other, ?OPERATIONS),
    Spent = erlang:monotonic_time(nanosecond) - Start,
    io:format("pingpong ~b ~b~n", [?OPERATIONS, Spent]),
    repetition(Other, N - 1).

answer() ->
    receive
        {ping, From, N} -> From ! {pong, N}, answer();
        stop -> stopped
    end.

ask(_, 0) -> done;
ask(Other, N) ->
    Other ! {ping, self(), N},
    receive {pong, M} when M =:= N -> answered end,
    ask(Other, N - 1).
