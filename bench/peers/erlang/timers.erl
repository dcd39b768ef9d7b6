%% SPDX-License-Identifier: BSD-2-Clause
%% Timers and receive timeouts.
%% main([Timers, Times, Polls])
%%   timer_cancel  set Timers timers a minute ahead, then cancel them all;
%%                 one operation is one timer set and cancelled
%%   timer_fire    set Timers timers of 1 to 10 ms and receive all their
%%                 messages; one operation is one timer
%%   timer_sleep   Timers processes, already started, are each told to wait in
%%                 a receive timeout of 1 to 10 ms and then answer; one
%%                 operation is one such wait
%%   timer_poll    Polls times: look into an empty mailbox with timeout 0
%% The first three are done Times times. The second and third have to take at
%% least 10 ms each time, whatever the VM.
-module(timers).
-export([main/1]).

-define(MINUTE, 60000).

main(Args) ->
    [N, Times, Polls] = [list_to_integer(A) || A <- Args],
    bench:run("timer_cancel", N * Times,
              fun() -> bench:repeat(Times, fun() -> set_and_cancel(N) end) end),
    bench:run("timer_fire", N * Times,
              fun() -> bench:repeat(Times, fun() -> fire(N) end) end),
    bench:run("timer_sleep", N * Times,
              fun() -> start_sleepers(N, Times) end,
              fun(Pids) -> bench:repeat(Times, fun() -> sleep(Pids) end) end),
    bench:run("timer_poll", Polls, fun() -> poll(Polls) end).

set_and_cancel(N) ->
    Timers = [erlang:send_after(?MINUTE + I rem 1000, self(), {timer, I})
              || I <- lists:seq(1, N)],
    lists:foreach(fun(Timer) -> true = is_integer(erlang:cancel_timer(Timer)) end, Timers).

fire(N) ->
    lists:foreach(fun(I) -> erlang:send_after(1 + I rem 10, self(), fired) end,
                  lists:seq(1, N)),
    bench:repeat(N, fun() -> receive fired -> ok end end).

start_sleepers(N, Times) ->
    Main = self(),
    [spawn_link(fun() -> bench:repeat(Times, fun() -> sleeper(Main, 1 + I rem 10) end) end)
     || I <- lists:seq(1, N)].

sleeper(Main, Millis) ->
    receive go -> ok end,
    receive never -> ok after Millis -> Main ! awake end.

sleep(Pids) ->
    lists:foreach(fun(Pid) -> Pid ! go end, Pids),
    lists:foreach(fun(_) -> receive awake -> ok end end, Pids).

poll(0) -> ok;
poll(N) -> receive never -> ok after 0 -> poll(N - 1) end.
