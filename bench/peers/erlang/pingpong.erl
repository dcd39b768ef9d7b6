%% SPDX-License-Identifier: BSD-2-Clause
%% Two processes send each other small tuples in turn.
%% main([N]): N round trips. One operation is one round trip (two messages).
-module(pingpong).
-export([main/1]).

main([Arg]) ->
    N = list_to_integer(Arg),
    bench:run("pingpong", N,
              fun() -> spawn_link(fun pong/0) end,
              fun(Pong) -> ping(Pong, N) end).

ping(Pong, 0) -> Pong ! stop, ok;
ping(Pong, N) ->
    Pong ! {ping, self(), N},
    receive {pong, N} -> ping(Pong, N - 1) end.

pong() ->
    receive
        {ping, From, I} -> From ! {pong, I}, pong();
        stop -> ok
    end.
