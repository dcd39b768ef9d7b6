%% SPDX-License-Identifier: BSD-2-Clause
%% Shared timing and printing for the benchmark programs.
%%
%% A timing line has four fields separated by tabs:
%%     name  operations  seconds  ns_per_op
%% A line that reports something other than time per operation has "-" in
%% the seconds field and the value in the last field. The end of its name
%% says what the value is, for example "idle_process.bytes".
-module(bench).
-export([run/3, run/4, timing/3, metric/3, fresh/1, repeat/2, now_ns/0]).

-define(ROUNDS, 5).

%% Times Work() doing Ops operations.
run(Name, Ops, Work) ->
    run(Name, Ops, fun() -> none end, fun(none) -> Work() end).

%% Times Work(Setup()), leaving Setup out of the time. One round is a warm-up
%% and not counted; of the ROUNDS after it the one with the median time is
%% printed. Each round has a fresh process. Work must check its own answer and
%% crash if it is wrong.
run(Name, Ops, Setup, Work) ->
    Round = fun() ->
                    Input = Setup(),
                    Start = now_ns(),
                    Work(Input),
                    now_ns() - Start
            end,
    _WarmUp = fresh(Round),
    Times = [fresh(Round) || _ <- lists:seq(1, ?ROUNDS)],
    Nanos = lists:nth((?ROUNDS + 1) div 2, lists:sort(Times)),
    timing(Name, Ops, Nanos).

timing(Name, Ops, Nanos) ->
    io:format("~s\t~b\t~.6f\t~.2f~n", [Name, Ops, Nanos / 1.0e9, Nanos / Ops]).

%% Prints a value that is not a time per operation.
metric(Name, Ops, Value) ->
    io:format("~s\t~b\t-\t~.2f~n", [Name, Ops, float(Value)]).

%% Runs Fun in a new process and returns its result, so that neither the heap
%% nor the mailbox left by earlier work is there to disturb it.
fresh(Fun) ->
    {Pid, Ref} = spawn_monitor(fun() -> exit({result, Fun()}) end),
    receive
        {'DOWN', Ref, process, Pid, {result, Result}} -> Result;
        {'DOWN', Ref, process, Pid, Reason} -> exit(Reason)
    end.

%% Calls Fun() Times times.
repeat(0, _Fun) -> ok;
repeat(Times, Fun) -> Fun(), repeat(Times - 1, Fun).

now_ns() -> erlang:monotonic_time(nanosecond).
