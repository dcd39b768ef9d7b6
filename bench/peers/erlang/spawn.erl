%% SPDX-License-Identifier: BSD-2-Clause
%% Process creation and exit, and the memory of an idle process.
%%
%% main([InTurn, Alive])
%%   spawn       InTurn times: start a process that returns at once, wait for
%%               the news that it has ended, then start the next.
%%   spawn_many  Start Alive processes that wait for a message, then tell all
%%               of them to stop and wait until all have ended.
%%   idle_process.bytes      memory per waiting process as the VM counts it
%%   idle_process.rss_bytes  the same as the operating system sees it
-module(spawn).
-export([main/1]).

main([InTurnArg, AliveArg]) ->
    InTurn = list_to_integer(InTurnArg),
    Alive = list_to_integer(AliveArg),
    %% First of all, so that the VM holds no spare memory from other work.
    bench:fresh(fun() -> idle_memory(Alive) end),
    bench:run("spawn", InTurn, fun() -> in_turn(InTurn) end),
    bench:run("spawn_many", Alive, fun() -> many(Alive) end).

in_turn(0) -> ok;
in_turn(N) ->
    {_Pid, Ref} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', Ref, process, _, normal} -> in_turn(N - 1) end.

many(N) ->
    Started = [spawn_monitor(fun wait/0) || _ <- lists:seq(1, N)],
    lists:foreach(fun({Pid, _}) -> Pid ! stop end, Started),
    lists:foreach(
      fun({_, Ref}) -> receive {'DOWN', Ref, process, _, normal} -> ok end end,
      Started).

wait() -> receive stop -> ok end.

idle_memory(N) ->
    {Bytes0, Rss0} = memory_of_others(),
    Parent = self(),
    Pids = [spawn(fun() -> Parent ! ready, wait() end) || _ <- lists:seq(1, N)],
    bench:repeat(N, fun() -> receive ready -> ok end end),
    {Bytes1, Rss1} = memory_of_others(),
    bench:metric("idle_process.bytes", N, (Bytes1 - Bytes0) / N),
    bench:metric("idle_process.rss_bytes", N, (Rss1 - Rss0) / N),
    lists:foreach(fun(Pid) -> Pid ! stop end, Pids).

%% {bytes the VM counts, bytes resident}. The first leaves out this process,
%% whose list of pids is not part of an idle process.
memory_of_others() ->
    erlang:garbage_collect(),
    {memory, Own} = process_info(self(), memory),
    {erlang:memory(total) - Own, resident_bytes()}.

resident_bytes() ->
    {ok, Status} = file:read_file("/proc/self/status"),
    {match, [Kilobytes]} = re:run(Status, "VmRSS:\\s*(\\d+) kB", [{capture, [1], binary}]),
    binary_to_integer(Kilobytes) * 1024.
