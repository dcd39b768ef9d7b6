% SPDX-License-Identifier: BSD-2-Clause
% The work of bench/vm/spawn.lona in Erlang.
-module(spawn).
-export([main/0]).

-define(OPERATIONS, 20000).

main() -> repetition(6).

repetition(0) -> ok;
repetition(N) ->
    Start = erlang:monotonic_time(nanosecond),
    spawn_and_wait(?OPERATIONS),
    Spent = erlang:monotonic_time(nanosecond) - Start,
    io:format("spawn ~b ~b~n", [?OPERATIONS, Spent]),
    repetition(N - 1).

spawn_and_wait(0) -> done;
spawn_and_wait(N) ->
    Process = spawn(fun() -> ok end),
    _ = monitor(process, Process),
    receive {'DOWN', _, _, _, _} -> ended end,
    spawn_and_wait(N - 1).
